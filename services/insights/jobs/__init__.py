"""Careers: stretches of time in organizations, and which of them followed on which."""
