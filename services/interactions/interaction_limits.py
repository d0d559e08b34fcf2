"""How much of everything one interaction may hold: the table of interaction.proto, with which a test compares it."""

from __future__ import annotations

from datetime import timedelta

SUBJECT = 1_000
BODY = 100_000
LOCATION = 1_000
CHANNEL = 100
PARTICIPANTS = 500
TOPICS = 50
TOPIC = 100
LONGEST = timedelta(days=31)
LANGUAGE = 35
SOURCE_UID = 500
THREAD_UID = 500
BATCH = 1_000
