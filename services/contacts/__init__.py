"""The contacts service: users (the tenants), their contacts, and what ties these together."""
