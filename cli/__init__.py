"""The `pmcrm` command: the one program that may import every service."""
