"""Embeddings: of which text they are made, by which model, and how they follow changes."""
