"""What all four services stand on: settings, tenancy, the database, errors, the server, and the contact record."""
