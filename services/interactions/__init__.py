"""The interactions service: what people did together, what is due next, and the accounts it is read from."""
