"""The AI provider: any endpoint that speaks OpenAI's protocol, for embeddings and for the wording of insights."""
