"""How much one organization and one employment may hold: the limits of their contracts, which a test compares with
these."""

from __future__ import annotations

NAME = 200
TEXT = 100_000
WEBSITE = 2_048
LINE = 200
LIST = 100

EMPLOYMENT_LINE = 200
EMPLOYMENT_NOTES = 10_000
EMPLOYMENTS_OF_A_CONTACT = 200
