"""What each property of a card puts into a contact.

A reader returns whether it took the property; one that it did not take is kept as it came.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from shared.partial_date import YEAR_OF_THE_UNKNOWN, read_date
from shared.vcard.labels import NOT_PREFERRED, label_of, preference
from shared.vcard.lines import BadCardError, Property
from shared.vcard.values import one_line, split_at, texts, unescaped

Entry = dict[str, Any]

_NAME_PARTS = ("family_name", "given_name", "additional_names", "honorific_prefixes", "honorific_suffixes")
_ADDRESS_PARTS = ("po_box", "extended_address", "street", "locality", "region", "postal_code", "country")
_LISTS = ("emails", "phones", "addresses", "urls", "im_handles")

_ANGLES = re.compile(r"[^<>]*<([^<>]+)>\s*")
_COUNTRY_CODE = re.compile(r"[A-Za-z]{2}", re.ASCII)
_WEB_SCHEMES = ("http://", "https://")


class Draft:
    """The contact that a card's readers fill.

    version: of the card. labels: its groups' X-ABLabels. countries: its groups' X-ABADRs, codes of countries.
    """

    def __init__(self, version: str, labels: dict[str, str]) -> None:
        self.version = version
        self.labels = labels
        self.countries: dict[str, str] = {}
        self.fields: dict[str, Any] = {}
        self.lists: dict[str, list[tuple[int, Entry]]] = {}
        self.categories: list[str] = []
        self._address_groups: list[tuple[str, Entry]] = []
        self._formatted: list[Property] = []

    def put(self, field: str, value: Any) -> bool:
        """Sets a field that has no value yet; returns whether it did."""
        if field in self.fields:
            return False
        if value:
            self.fields[field] = value
        return True

    def add(self, field: str, found: Property, entry: Entry, label: str | None = None) -> bool:
        """Adds an entry to a list, with the property's label and preference; returns whether it had a value."""
        if not any(entry.values()):
            return False
        entry["label"] = label_of(found, self.labels) if label is None else label
        self.lists.setdefault(field, []).append((preference(found), entry))
        return True

    def add_address(self, found: Property, entry: Entry) -> bool:
        """Adds a postal address, whose country its group may tell."""
        self._address_groups.append((found.group, entry))
        return self.add("addresses", found, entry)

    def add_formatted_address(self, found: Property) -> bool:
        """Keeps a LABEL of vCard 2.1 or 3.0 until all addresses are known."""
        self._formatted.append(found)
        return True

    def finished(self) -> dict[str, Any]:
        """The fields of the contact. Of each list at most one entry is primary: the first of the most preferred."""
        for found in self._formatted:
            self._place_formatted(found)
        for group, entry in self._address_groups:
            code = self.countries.get(group, "") if group else ""
            if _COUNTRY_CODE.fullmatch(code) and not entry.get("country_code"):
                entry["country_code"] = code
        for field in _LISTS:
            ranked = self.lists.get(field)
            if ranked:
                best = min(rank for rank, _ in ranked)
                if best < NOT_PREFERRED:
                    next(entry for rank, entry in ranked if rank == best)["primary"] = True
                self.fields[field] = [entry for _, entry in ranked]
        return self.fields

    def _place_formatted(self, found: Property) -> None:
        label = label_of(found, self.labels)
        value = unescaped(found.value)
        for _, entry in self.lists.get("addresses", ()):
            if entry["label"] == label and not entry.get("value"):
                entry["value"] = value
                return
        self.add("addresses", found, {"value": value})


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
    if value[:4].lower() == "tel:":
        number, _, parameters = value[4:].partition(";")
        stated = dict(parameter.lower().split("=", 1) for parameter in parameters.split(";") if "=" in parameter)
        context = stated.get("phone-context", "")
        value = f"{context if context.startswith('+') else ''}{number}"
        if stated.get("ext"):
            value += f" ext. {stated['ext']}"
    return draft.add("phones", found, {"value": value})


def _address(draft: Draft, found: Property) -> bool:
    entry: Entry = {}
    for part, piece in zip(_ADDRESS_PARTS, split_at(";", found.value), strict=False):
        text = unescaped(piece).strip()
        entry[part] = text if part in ("street", "extended_address") else one_line(text)
    entry["value"] = "\n".join(found.parameters.get("LABEL", ())).replace("\\n", "\n").strip()
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
        date = read_date(unescaped(found.value), omitted)
        if date is None:
            return False
        return draft.put(field, {part: value for part, value in date._asdict().items() if value})

    return read


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


def _sound(draft: Draft, found: Property) -> bool:
    """Japanese phones write a name's reading as a sound."""
    if "x-irmc-n" not in found.types or "phonetic_family_name" in draft.fields or "phonetic_given_name" in draft.fields:
        return False
    parts = ("phonetic_family_name", "phonetic_given_name")
    for field, piece in zip(parts, split_at(";", found.value), strict=False):
        draft.put(field, one_line(unescaped(piece)))
    return True


_SERVICES = {
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
    **{name: _handle_in(service) for name, service in _SERVICES.items()},
    "BDAY": _date_into("birthday"),
    "X-BIRTHDAY": _date_into("birthday"),
    "ANNIVERSARY": _date_into("anniversary"),
    "X-ANNIVERSARY": _date_into("anniversary"),
    "X-ABDATE": _apple_date,
    "PHOTO": _photo,
}
