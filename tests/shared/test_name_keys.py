"""Names that differ in case, spacing or composition alone have one key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.name_keys import name_key


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("Analytical Engines", "  ANALYTICAL \t engines\n"),
        ("Café", "CAFE\u0301"),
        ("Straße", "STRASSE"),
        ("한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
        ("a\u00a0b", "A B"),
    ],
)
def test_one_name_has_one_key(name: str, same: str) -> None:
    assert name_key(name) == name_key(same)


@pytest.mark.parametrize(("name", "other"), [("Café", "Cafe"), ("A B", "AB"), ("A-B", "A B")])
def test_two_names_have_two_keys(name: str, other: str) -> None:
    assert name_key(name) != name_key(other)


@given(st.text())
def test_the_key_of_a_key_is_itself(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)
