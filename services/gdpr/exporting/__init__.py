"""Everything that is held about a tenant or one of its contacts, put together as one zip archive, and put back."""
