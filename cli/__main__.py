"""`python -m cli` is the `pmcrm` command."""

from cli.app import main

main()
