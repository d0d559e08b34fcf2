"""What all four services stand on: settings, tenancy, the database, errors, the server, and the contact record."""

import os

# Read when grpc is imported. Programs that are started from here (the embedded PostgreSQL's) are not forks that go on
# using gRPC, and its handlers for those complain.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
