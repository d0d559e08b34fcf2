"""Contacts that may be the same person: which are worth comparing, what speaks for it, and how much."""
