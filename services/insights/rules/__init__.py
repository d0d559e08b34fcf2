"""The rules that find insights, a module for each. They need no AI provider."""
