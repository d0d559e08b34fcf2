"""What each property of a card puts into a contact.

A reader returns whether it took the property; one that it did not take is kept as it came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

from google.protobuf.struct_pb2 import Struct

from shared import contact_limits as limits
from shared.caller import parse_uuid
from shared.partial_date import YEAR_OF_THE_UNKNOWN, read_date
from shared.vcard.draft import Draft, Entry
from shared.vcard.lines import BadCardError, Property
from shared.vcard.ties import KEPT, is_employment, is_relation
from shared.vcard.values import one_line, split_at, texts, unescaped

_NAME_PARTS = ("family_name", "given_name", "additional_names", "honorific_prefixes", "honorific_suffixes")
_ADDRESS_PARTS = ("po_box", "extended_address", "street", "locality", "region", "postal_code", "country")

_ANGLES = re.compile(r"[^<>]*<([^<>]+)>\s*")
_WEB_SCHEMES = ("http://", "https://")


def _name(draft: Draft, found: Property) -> bool:
    if any(part in draft.fields for part in _NAME_PARTS):
        return False
    for part, piece in zip(_NAME_PARTS, split_at(";", found.value), strict=False):
        # 2.1 has no lists: a comma there is one of the name.
        names = [one_line(unescaped(piece))] if draft.version == "2.1" else texts(piece)
        separator = ", " if part == "honorific_suffixes" else " "
        draft.put(part, separator.join(names))
    return True


def _line_into(field: str) -> Callable[[Draft, Property], bool]:
    def read(draft: Draft, found: Property) -> bool:
        return draft.put(field, one_line(unescaped(found.value)))

    return read


def _nickname(draft: Draft, found: Property) -> bool:
    names = [draft.fields["nickname"]] if "nickname" in draft.fields else []
    draft.fields["nickname"] = ", ".join([*names, *texts(found.value)])
    return True


def _note(draft: Draft, found: Property) -> bool:
    notes = [draft.fields["notes"]] if "notes" in draft.fields else []
    draft.fields["notes"] = "\n\n".join([*notes, unescaped(found.value)])
    return True


def _organization(draft: Draft, found: Property) -> bool:
    units = [one_line(unescaped(unit)) for unit in split_at(";", found.value)]
    taken = bool(units[0]) and draft.put("organization_name", units[0])
    return taken and not any(units[1:])  # with its departments it is kept as it came as well


def _categories(draft: Draft, found: Property) -> bool:
    if KEPT in found.parameters:
        return False
    draft.categories += texts(found.value)
    return True


def _kind(_draft: Draft, found: Property) -> bool:
    kind = found.value.strip().lower()
    if kind == "group":
        raise BadCardError("the card describes a group of contacts, not a contact")
    return kind == "individual"


def _email(draft: Draft, found: Property) -> bool:
    value = one_line(unescaped(found.value))
    if value[:7].lower() == "mailto:":
        value = value[7:]
    in_angles = _ANGLES.fullmatch(value)
    return draft.add("emails", found, {"value": in_angles[1] if in_angles else value})


def _phone(draft: Draft, found: Property) -> bool:
    value = one_line(unescaped(found.value))
    if value[:4].lower() == "tel:" and "text" not in found.parameters.get("VALUE", ()):
        number, _, parameters = value[4:].partition(";")
        stated = dict(parameter.lower().split("=", 1) for parameter in parameters.split(";") if "=" in parameter)
        context = stated.get("phone-context", "")
        value = f"{context if context.startswith('+') else ''}{number}"
        if stated.get("ext"):
            value += f" ext. {stated['ext']}"
    region = one_line("".join(found.parameters.get("X-PMCRM-REGION", ())))
    return bool(value) and draft.add("phones", found, {"value": value, "region": region})


def _address(draft: Draft, found: Property) -> bool:
    entry: Entry = {}
    for part, piece in zip(_ADDRESS_PARTS, split_at(";", found.value), strict=False):
        text = unescaped(piece).strip()
        entry[part] = text if part in ("street", "extended_address") else one_line(text)
    entry["value"] = "\n".join(found.parameters.get("LABEL", ())).replace("\\n", "\n").strip()
    if "X-PMCRM-WHOLE" in found.parameters:  # it has no parts, and its text stands where every program shows it
        entry["value"] = entry.pop("street", "")
    entry["country_code"] = one_line("".join(found.parameters.get("CC", ())))
    return draft.add_address(found, entry)


def _formatted_address(draft: Draft, found: Property) -> bool:
    return draft.add_formatted_address(found)


def _url(draft: Draft, found: Property) -> bool:
    return draft.add("urls", found, {"value": one_line(unescaped(found.value))})


def _social_profile(draft: Draft, found: Property) -> bool:
    value = one_line(unescaped(found.value))
    where = "urls" if value.lower().startswith(_WEB_SCHEMES) else "im_handles"
    return draft.add(where, found, {"value": value})


def _im_handle(draft: Draft, found: Property) -> bool:
    services = found.parameters.get("X-SERVICE-TYPE") or found.parameters.get("SERVICE-TYPE")
    service = one_line(services[0]).lower() if services else None
    return draft.add("im_handles", found, {"value": one_line(unescaped(found.value))}, service or None)


def _handle_in(service: str) -> Callable[[Draft, Property], bool]:
    def read(draft: Draft, found: Property) -> bool:
        return draft.add("im_handles", found, {"value": one_line(unescaped(found.value))}, service)

    return read


def _date_into(field: str) -> Callable[[Draft, Property], bool]:
    def read(draft: Draft, found: Property) -> bool:
        stated = "".join(found.parameters.get("X-APPLE-OMIT-YEAR", ()))
        omitted = int(stated) if stated.isascii() and stated.isdigit() and len(stated) == 4 else YEAR_OF_THE_UNKNOWN
        every_year_is_meant = "X-PMCRM-YEAR" in found.parameters
        date = read_date(unescaped(found.value), None if every_year_is_meant else omitted)
        if date is None:
            return False
        return draft.put(field, {part: value for part, value in date._asdict().items() if value})

    return read


def _own_number(field: str, most: int) -> Callable[[Draft, Property], bool]:
    def read(draft: Draft, found: Property) -> bool:
        digits = found.value
        if not (digits.isascii() and digits.isdigit() and len(digits) < 5 and 0 < int(digits) <= most):
            return False
        return draft.put(field, int(digits))

    return read


def _own_id(draft: Draft, found: Property) -> bool:
    return parse_uuid(found.value) is not None and draft.put("id", found.value)


def _custom_fields(draft: Draft, found: Property) -> bool:
    fields = Struct()
    try:
        fields.update(json.loads(unescaped(found.value)))
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return False
    return draft.put("custom_fields", fields)


def _apple_date(draft: Draft, found: Property) -> bool:
    return draft.labels.get(found.group) == "anniversary" and _date_into("anniversary")(draft, found)


def _time_into(field: str) -> Callable[[Draft, Property], bool]:
    def read(draft: Draft, found: Property) -> bool:
        try:
            time = datetime.fromisoformat(found.value.strip())
            return draft.put(field, time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC))
        except (ValueError, OverflowError):
            return False

    return read


def _photo(draft: Draft, found: Property) -> bool:
    value = unescaped(found.value).strip()
    return value.lower().startswith(_WEB_SCHEMES) and not found.is_binary and draft.put("photo_uri", value)


def _own_photo(draft: Draft, found: Property) -> bool:
    return draft.put("photo_uri", one_line(unescaped(found.value)))


def _sound(draft: Draft, found: Property) -> bool:
    """Japanese phones write a name's reading as a sound."""
    if "x-irmc-n" not in found.types or "phonetic_family_name" in draft.fields or "phonetic_given_name" in draft.fields:
        return False
    parts = ("phonetic_family_name", "phonetic_given_name")
    for field, piece in zip(parts, split_at(";", found.value), strict=False):
        draft.put(field, one_line(unescaped(piece)))
    return True


SERVICES = {
    "X-AIM": "aim",
    "X-GADUGADU": "gadu-gadu",
    "X-GOOGLE-TALK": "google talk",
    "X-GTALK": "google talk",
    "X-ICQ": "icq",
    "X-JABBER": "jabber",
    "X-MATRIX": "matrix",
    "X-MSN": "msn",
    "X-QQ": "qq",
    "X-SIGNAL": "signal",
    "X-SKYPE": "skype",
    "X-SKYPE-USERNAME": "skype",
    "X-TELEGRAM": "telegram",
    "X-TWITTER": "twitter",
    "X-WECHAT": "wechat",
    "X-WHATSAPP": "whatsapp",
    "X-YAHOO": "yahoo",
}

READERS: dict[str, Callable[[Draft, Property], bool]] = {
    "N": _name,
    "FN": _line_into("display_name"),
    "NICKNAME": _nickname,
    "X-NICKNAME": _nickname,
    "X-PHONETIC-FIRST-NAME": _line_into("phonetic_given_name"),
    "X-PHONETIC-LAST-NAME": _line_into("phonetic_family_name"),
    "SOUND": _sound,
    "ORG": _organization,
    "TITLE": _line_into("job_title"),
    "NOTE": _note,
    "CATEGORIES": _categories,
    "KIND": _kind,
    "X-ADDRESSBOOKSERVER-KIND": _kind,
    "UID": _line_into("source_uid"),
    "CREATED": _time_into("source_create_time"),
    "REV": _time_into("source_update_time"),
    "EMAIL": _email,
    "TEL": _phone,
    "ADR": _address,
    "LABEL": _formatted_address,
    "URL": _url,
    "X-SOCIALPROFILE": _social_profile,
    "SOCIALPROFILE": _social_profile,
    "IMPP": _im_handle,
    **{name: _handle_in(service) for name, service in SERVICES.items()},
    "BDAY": _date_into("birthday"),
    "X-BIRTHDAY": _date_into("birthday"),
    "ANNIVERSARY": _date_into("anniversary"),
    "X-ANNIVERSARY": _date_into("anniversary"),
    "X-ABDATE": _apple_date,
    "PHOTO": _photo,
    "RELATED": lambda _draft, found: is_relation(found),
    "X-PMCRM-LINK": lambda _draft, found: is_relation(found),
    "X-PMCRM-EMPLOYMENT": lambda _draft, found: is_employment(found),
    "X-PMCRM-ID": _own_id,
    "X-PMCRM-PHOTO-URI": _own_photo,
    "X-PMCRM-CUSTOM-FIELDS": _custom_fields,
    "X-PMCRM-KEEP-IN-TOUCH-DAYS": _own_number("keep_in_touch_days", limits.KEEP_IN_TOUCH_DAYS),
    "X-PMCRM-RELATIONSHIP-STRENGTH": _own_number("relationship_strength", limits.STRONGEST_RELATIONSHIP),
}
