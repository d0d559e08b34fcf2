"""Draws a tenant's network."""
