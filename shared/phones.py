"""Phone numbers: what was typed is kept; region, E.164 and extension are read out of it when they can be.

A number counts as readable when its length is possible for its country. Whether its range has been given out is not
asked: numbering plans change faster than any release of them.
"""

from __future__ import annotations

from typing import NamedTuple

from phonenumbers import (
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    ValidationResult,
    country_code_for_valid_region,
    format_number,
    is_possible_number_with_reason,
    parse,
    region_code_for_country_code,
    region_code_for_number,
)

# Countries of ISO 3166-1 that have no phone numbers of their own.
_WITHOUT_NUMBERS = frozenset({"AQ", "BV", "GS", "HM", "PN", "TF", "UM"})


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
    try:
        number = parse(value, typed_in or None)
    except NumberParseException:
        return Phone(typed_in, "", "")
    if is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return Phone(typed_in, "", "")
    e164 = format_number(number, PhoneNumberFormat.E164)
    return Phone(region or _region_of(number, value, default_region), e164, number.extension or "")


def _region_of(number: PhoneNumber, value: str, default_region: str) -> str:
    """The region of a number that came without one: that of an international number, else the one it was typed in."""
    international = value.lstrip(" (").startswith(("+", "\uff0b"))
    if default_region and not international and country_code_for_valid_region(default_region) == number.country_code:
        return default_region
    region = region_code_for_number(number) or region_code_for_country_code(number.country_code or 0)
    return region if is_region(region) else ""  # 001 and ZZ: satellite and free-phone numbers of no country
