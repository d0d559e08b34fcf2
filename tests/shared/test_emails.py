import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.emails import normal_email


@pytest.mark.parametrize(
    ("given_address", "stored"),
    [
        ("Ada.Lovelace@EXAMPLE.com", "Ada.Lovelace@example.com"),
        ("o'brien+lists@sub.Example.org", "o'brien+lists@sub.example.org"),
        ("ada..l.@example.com", "ada..l.@example.com"),
        ("用户@例子.example", "用户@例子.example"),
        ("пётр@ПРИМЕР.example", "пётр@пример.example"),
        ("ada@xn--mller-kva.example", "ada@müller.example"),
        ("ada@MÜLLER.example", "ada@müller.example"),
        ('"a b"@example.com', '"a b"@example.com'),
        ("ada@printer.local", "ada@printer.local"),
        ("ada@localhost", "ada@localhost"),
        ("ada@[192.0.2.1]", "ada@[192.0.2.1]"),
    ],
)
def test_addresses_keep_their_local_part_and_get_a_lower_case_unicode_domain(given_address, stored):
    assert normal_email(given_address) == stored


@pytest.mark.parametrize(
    "broken",
    [
        *("", "ada", "@example.com", "ada@", "a@b@c.example", "a b@example.com", ".ada@example.com", "ada@-x.example"),
        *(
            "ada@exa mple.com",
            "Ada <ada@example.com>",
            "ada@example..com",
            "a" * 310 + "@example.com",
            "ada@" + "x" * 300,
        ),
    ],
)
def test_what_is_clearly_no_address_is_refused(broken):
    assert normal_email(broken) is None


@given(st.text(max_size=60) | st.emails() | st.builds("{}@{}".format, st.text(max_size=10), st.text(max_size=20)))
def test_a_stored_address_is_stored_again_as_it_is(value: str):
    stored = normal_email(value)
    if stored is not None:
        assert normal_email(stored) == stored
        assert stored.count("@") >= 1
