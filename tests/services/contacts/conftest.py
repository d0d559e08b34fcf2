"""Address books of two tenants."""

from __future__ import annotations

import pytest

from tests.services.contacts.calls import Book
from tests.suite import Client, Metadata


@pytest.fixture
def book(client: Client, alice: Metadata) -> Book:
    return Book(client, alice)


@pytest.fixture
def bobs(client: Client, bob: Metadata) -> Book:
    return Book(client, bob)
