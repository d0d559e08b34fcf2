"""The insights service: what to do about one's network, and finding people by meaning."""
