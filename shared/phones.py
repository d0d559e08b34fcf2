"""Phone numbers: what was typed is kept; region, E.164 and extension are read out of it when they can be.

A number counts as readable when its length is possible for its country. Whether its range has been given out is not
asked: numbering plans change faster than any release of them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from phonenumbers import (
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    ValidationResult,
    country_code_for_valid_region,
    format_number,
    is_possible_number_with_reason,
    parse,
    region_code_for_country_code,
    region_code_for_number,
    region_codes_for_country_code,
)

# Countries of ISO 3166-1 that have no phone numbers of their own.
_WITHOUT_NUMBERS = frozenset({"AQ", "BV", "GS", "HM", "PN", "TF", "UM"})


_SEPARATORS = str.maketrans("", "", " .()/-")


class Phone(NamedTuple):
    """What is known of a number; '' where nothing is.

    region: ISO 3166 code of the country whose numbering the number is in or was typed in.
    """

    region: str
    e164: str
    extension: str


def is_region(code: str) -> bool:
    """Whether a code (upper case) names a country."""
    return code in SUPPORTED_REGIONS or code in _WITHOUT_NUMBERS


def read_phone(value: str, region: str, default_region: str) -> Phone:
    """What a number means, typed in `region`, or in `default_region` where the caller knows no better.

    Either may be ''. Without a region only an international number (`+39 06 …`) can be read. Short codes (`112`) and
    what is no number have no E.164; they keep the region, because they mean something there.
    """
    typed_in = region or default_region
    number = plain_international(value) or _parsed(value, typed_in)
    if number is None:
        return Phone(typed_in, "", "")
    e164 = format_number(number, PhoneNumberFormat.E164)
    return Phone(region or _region_of(number, value, default_region), e164, number.extension or "")


def plain_international(value: str) -> PhoneNumber | None:
    """The number that `parse` would find, ten times as fast, where nothing has to be guessed; None for all others.

    That is: a plus, a country code, and digits that begin with no prefix and are as many as its numbers have.
    """
    if not value.startswith("+"):
        return None
    digits = value[1:].translate(_SEPARATORS)
    if not digits.isdigit() or not digits.isascii():
        return None
    for end in (1, 2, 3):
        country = _country(digits[:end])
        if country is not None:
            national = digits[end:]
            if len(national) in country.lengths and not country.prefix.match(national) and national[0] != "0":
                return PhoneNumber(country_code=country.code, national_number=int(national))
            return None
    return None


class _Country(NamedTuple):
    code: int
    lengths: frozenset[int]
    prefix: re.Pattern[str]


@lru_cache(maxsize=2000)
def _country(digits: str) -> _Country | None:
    """The numbering of a country code; None when there is no such code, or it is no country's."""
    code = int(digits) if digits else 0
    metadata = PhoneMetadata.metadata_for_region(region_code_for_country_code(code), None)
    if metadata is None or metadata.general_desc is None or str(code) != digits:
        return None
    lengths = frozenset(metadata.general_desc.possible_length)
    return _Country(code, lengths, re.compile(metadata.national_prefix_for_parsing or "(?!)"))


def _parsed(value: str, typed_in: str) -> PhoneNumber | None:
    try:
        number = parse(value, typed_in or None)
    except NumberParseException:
        return None
    return number if is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE else None


def _region_of(number: PhoneNumber, value: str, default_region: str) -> str:
    """The region of a number that came without one: that of an international number, else the one it was typed in."""
    code = number.country_code or 0
    international = value.lstrip(" (").startswith(("+", "\uff0b"))
    if default_region and not international and country_code_for_valid_region(default_region) == code:
        return default_region
    sharing = region_codes_for_country_code(code)
    region = sharing[0] if len(sharing) == 1 else region_code_for_number(number) or region_code_for_country_code(code)
    return region if is_region(region) else ""  # 001 and ZZ: satellite and free-phone numbers of no country
