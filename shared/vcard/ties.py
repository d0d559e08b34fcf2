"""What a card says of organizations and of other contacts.

Other programs write ORG, TITLE and RELATED. Our cards also have a line for each employment and for each tie that says
all there is to say, and then those lines alone count: what stands beside them for other programs is marked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence, Set
from typing import Any

from shared.caller import parse_uuid
from shared.contact_ties import Employment, Relation, Ties, read_employment, read_relation
from shared.name_keys import name_key
from shared.vcard.lines import Property
from shared.vcard.values import one_line, split_at, unescaped

EMPLOYMENT = "X-PMCRM-EMPLOYMENT"
LINK = "X-PMCRM-LINK"
# Parameters: of an ORG and a TITLE that stand for a current employment and are no card text; of a RELATED beside whose
# tie a line of ours says more; of a line that is an extra property although its name is one that is read.
SHOWN = "X-PMCRM-CURRENT"
SAID_BESIDE = "X-PMCRM-LINK"
KEPT = "X-PMCRM-EXTRA"

# What TYPEs of RELATED say that the other one is (RFC 6350 §6.6.6), words of other programs among them.
TYPES = {
    **dict.fromkeys(("spouse", "husband", "wife"), "SPOUSE"),
    **dict.fromkeys(("sweetheart", "date", "partner", "domestic-partner"), "PARTNER"),
    **dict.fromkeys(("sibling", "brother", "sister"), "SIBLING"),
    **dict.fromkeys(("kin", "relative"), "RELATIVE"),
    "friend": "FRIEND",
    **dict.fromkeys(("acquaintance", "met"), "ACQUAINTANCE"),
    **dict.fromkeys(("colleague", "co-worker"), "COLLEAGUE"),
    **dict.fromkeys(("neighbor", "neighbour", "co-resident"), "NEIGHBOR"),
    **dict.fromkeys(("parent", "mother", "father"), "PARENT"),
    **dict.fromkeys(("child", "son", "daughter"), "CHILD"),
    "manager": "MANAGER",
    "report": "REPORT",
    **dict.fromkeys(("introduced-by", "referred-by"), "INTRODUCED_BY"),
    "introduced": "INTRODUCED",
    "assistant": "ASSISTANT",
    "assisted": "ASSISTED",
}
_SAY_NOTHING = frozenset({"", "pref", "home", "work", "other", "voice"})
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", re.ASCII)
_MARK = re.compile(rf";{KEPT}=TRUE", re.IGNORECASE)


def stands_beside(found: Property, names: Set[str]) -> bool:
    """Whether a property stands there for other programs alone, beside a line of ours that says more.

    names: of all properties of the card.
    """
    return (SHOWN in found.parameters and EMPLOYMENT in names) or (
        found.name == "RELATED" and SAID_BESIDE in found.parameters and LINK in names
    )


def ties_of(properties: Sequence[Property], labels: Mapping[str, str]) -> Ties:
    """The employments and relations of a card, not yet checked.

    properties: those that say something themselves, of each name the preferred first.
    labels: the card's X-ABLabel values by group.
    """
    own = [found for found in properties if found.name == EMPLOYMENT and is_employment(found)]
    if own:
        employments = tuple(filter(None, (read_employment(_json(found)) for found in own)))
    else:
        employments = tuple(_on_the_card(properties))
    related = [found for found in properties if found.name in ("RELATED", LINK) and is_relation(found)]
    label_lines = {found.group: one_line(found.as_line()) for found in properties if found.name == "X-ABLABEL"}
    relations = [relation for found in related for relation in _relations(found, labels, label_lines)]
    return Ties(employments, bool(own), tuple(relations))


def is_employment(found: Property) -> bool:
    """Whether a line of ours can be read: it says an employment, or that there is none (`null`)."""
    said = _json(found)
    return said is None or read_employment(said) is not None


def is_relation(found: Property) -> bool:
    """Whether a line names another contact so that it can be found, and does not only tell of it."""
    if found.name == LINK:
        return read_relation(_json(found)) is not None
    return KEPT not in found.parameters and bool(_reference(found))


def unmarked(found: Property) -> Property:
    """An extra property as it was before it was marked as one."""
    return found._replace(head=_MARK.sub("", found.head, count=1)) if KEPT in found.parameters else found


def _on_the_card(properties: Sequence[Property]) -> list[Employment]:
    """The employments that ORG, TITLE and ROLE show: all of them current, each organization once."""
    organizations = [found for found in properties if found.name == "ORG"]
    if not organizations or any(map(_tells_of_an_organization, properties)):
        return []
    titles = [found for name in ("TITLE", "ROLE") for found in properties if found.name == name]
    shown: dict[str, Employment] = {}
    languages = set[str]()
    for found in organizations:
        alternative = "".join(found.parameters.get("ALTID", ()))
        if alternative and alternative in languages:
            continue  # the same one in another language
        languages.add(alternative)
        name, *units = (one_line(unescaped(unit)) for unit in split_at(";", found.value))
        if not name:
            continue
        department = ", ".join(filter(None, units))
        title = _title(found, titles, is_first=not shown)
        before = shown.setdefault(name_key(name), Employment(name, title, department, is_current=True))
        if department and not before.department:
            shown[name_key(name)] = before._replace(department=department)
    return list(shown.values())


def _tells_of_an_organization(found: Property) -> bool:
    """Whether a property says that the card is none of a person, who could work in an organization."""
    return found.name in ("KIND", "X-ABSHOWAS") and found.value.strip().lower() != "individual"


def _title(organization: Property, titles: Sequence[Property], *, is_first: bool) -> str:
    """The title that goes with an organization: that of its group, else the card's with the first of them."""
    of_group = (found for found in titles if found.group and found.group == organization.group)
    of_card = (found for found in titles if is_first and not (found.group and organization.group))
    for found in (*of_group, *of_card):
        return one_line(unescaped(found.value))
    return ""


def _relations(found: Property, labels: Mapping[str, str], label_lines: Mapping[str, str]) -> list[Relation]:
    line = one_line(found.as_line())
    if found.name == LINK:
        own = read_relation(_json(found))
        return [own._replace(lines=(line,))] if own else []
    uid = _reference(found)
    label = labels.get(found.group, "") if found.group else ""
    lines = (line, label_lines[found.group]) if found.group and found.group in label_lines else (line,)
    words = [word for word in (kind.strip().removeprefix("x-") for kind in found.types) if word not in _SAY_NOTHING]
    if not words and label.lower() in TYPES:
        words, label = [label.lower()], ""
    contact_id = parse_uuid(uid.lower().removeprefix("urn:uuid:"))
    return [
        Relation(TYPES.get(word, "OTHER"), uid, contact_id, label or ("" if word in TYPES else word), lines=lines)
        for word in words or [""]
    ]


def _reference(found: Property) -> str:
    """What a RELATED points at; '' when it holds a name, or words."""
    kinds = [kind.lower() for kind in found.parameters.get("VALUE", ())]
    value = one_line(unescaped(found.value))
    is_reference = "text" not in kinds and ("uri" in kinds or _URI.fullmatch(value) or parse_uuid(value))
    return value if is_reference else ""


def _json(found: Property) -> Any:
    try:
        return json.loads(unescaped(found.value))
    except (ValueError, RecursionError):
        return ""
