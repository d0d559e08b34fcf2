"""What is found in the text of an interaction without any provider: its language, how it feels, what it is about."""
