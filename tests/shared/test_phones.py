import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.phones import Phone, is_region, plain_international, read_phone


@pytest.mark.parametrize(
    ("value", "region", "default", "known"),
    [
        ("+44 20 7946 0018", "", "", Phone("GB", "+442079460018", "")),
        ("020 7946 0018", "GB", "", Phone("GB", "+442079460018", "")),
        ("020 7946 0018", "", "GB", Phone("GB", "+442079460018", "")),
        ("+44 (0)20 7946 0018", "", "US", Phone("GB", "+442079460018", "")),
        ("0044 20 7946 0018", "", "DE", Phone("GB", "+442079460018", "")),
        ("06 698 12345", "IT", "", Phone("IT", "+390669812345", "")),
        ("06 698 12345", "", "IT", Phone("IT", "+390669812345", "")),
        ("+1 202 555 0142 ext. 12", "", "", Phone("US", "+12025550142", "12")),
        ("(202) 555-0142", "", "US", Phone("US", "+12025550142", "")),
        ("+7 700 555 01 23", "", "RU", Phone("KZ", "+77005550123", "")),
        ("٠٢٠ ٧٩٤٦ ٠٠١٨", "", "GB", Phone("GB", "+442079460018", "")),
        ("+800 1234 5678", "", "", Phone("", "+80012345678", "")),
    ],
)
def test_a_number_is_read_where_it_was_typed(value, region, default, known):
    assert read_phone(value, region, default) == known


def test_without_a_region_a_local_number_has_no_e164():
    assert read_phone("020 7946 0018", "", "") == Phone("", "", "")


@pytest.mark.parametrize("value", ["112", "911", "call the office", "5550142", "*123#", "+", "1" * 100])
def test_short_codes_and_what_is_no_number_have_no_e164(value):
    assert read_phone(value, "", "US") == Phone("US", "", "")


def test_a_region_is_a_country_with_or_without_numbers():
    assert all(map(is_region, ("GB", "AQ", "XK")))
    assert not any(map(is_region, ("", "UK", "gb", "ZZ", "001")))


@st.composite
def typed_numbers(draw: st.DrawFn) -> str:
    code = draw(st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)))
    digits = draw(st.text(alphabet="0123456789", min_size=1, max_size=15))
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]:
        example = phonenumbers.example_number(region)
        if example is not None and draw(st.booleans()):
            digits = str(example.national_number)
    at = draw(st.integers(0, len(digits)))
    return f"+{code}{draw(st.sampled_from(['', ' ', '-', '.', ' (0)']))}{digits[:at]} {digits[at:]}"


@given(typed_numbers() | st.text(alphabet="+0123456789 ()-./;x", max_size=20))
def test_the_fast_way_finds_what_phonenumbers_finds(value: str):
    fast = plain_international(value)
    if fast is not None:
        assert fast == phonenumbers.parse(value, None)
        assert phonenumbers.is_possible_number(fast)


@given(st.text(max_size=40), st.sampled_from(["", "US", "IT", "AQ"]), st.sampled_from(["", "GB", "DE"]))
def test_reading_a_number_again_in_its_own_region_gives_the_same(value: str, region: str, default: str):
    known = read_phone(value, region, default)
    assert read_phone(value, known.region, default) == known
