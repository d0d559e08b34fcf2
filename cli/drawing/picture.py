"""A network as SVG: contacts as circles by strength, links as lines by kind, and a legend."""

from __future__ import annotations

import math
from collections import Counter

from cli.drawing.layout import NEAREST, Point, placed
from cli.drawing.svg import Element, add, root, written
from services.insights.network_picture import Network, PicturedContact

# So many of the closest are named; the names of all are shown where a pointer rests on them.
NAMED = 80
LONGEST_NAME = 22

# Names are wider than high.
STRETCH = 1.5

MARGIN = 70.0
HEAD = 56.0
LEGEND = 96.0
LEAST_WIDTH = 640.0

# By the lowest strength of each band: its class, and how callers know it.
BANDS = ((9, "s5", "9–10"), (7, "s4", "7–8"), (5, "s3", "5–6"), (3, "s2", "3–4"), (1, "s1", "1–2"))

# Kinds of links: the class of their lines, what they are called, and the types that are of the kind.
KINDS = (
    ("family", "family", ("SPOUSE", "PARTNER", "SIBLING", "RELATIVE", "PARENT")),
    ("friends", "friends, neighbours", ("FRIEND", "ACQUAINTANCE", "NEIGHBOR")),
    ("work", "work", ("COLLEAGUE", "MANAGER", "ASSISTANT")),
    ("introduced", "introduced by", ("INTRODUCED_BY",)),
    ("other", "other", ("OTHER",)),
)
KIND_OF = {link_type: name for name, _, types in KINDS for link_type in types}

STYLE = """
.ground{fill:#fff}.head,.name,.key{font-family:system-ui,sans-serif;fill:#1c2530}
.head{font-size:18px;font-weight:600}.name{font-size:11px;text-anchor:middle;unicode-bidi:plaintext;paint-order:stroke;
stroke:#fff;stroke-width:3px;stroke-linejoin:round}.key{font-size:12px}
circle{stroke:#fff;stroke-width:1.5px}
.s1{fill:#9aa9b8}.s2{fill:#6fa8c9}.s3{fill:#3f8fb5}.s4{fill:#d98a29}.s5{fill:#c4472f}
line{stroke-width:1.6px;stroke:#7d8896}
.family{stroke:#b3452f;stroke-width:3px}.friends{stroke:#4c8a57}.work{stroke:#5a6fb0;stroke-dasharray:7 4}
.introduced{stroke:#8a6a2f;stroke-dasharray:2 4}.other{stroke-dasharray:9 3 2 3}
@media (prefers-color-scheme:dark){.ground{fill:#14191f}.head,.name,.key{fill:#e4e9ef}
.name{stroke:#14191f}circle{stroke:#14191f}.family{stroke:#e0765f}.friends{stroke:#79b885}.work{stroke:#8fa3e0}
.introduced{stroke:#c9a45c}}
"""


def draw(network: Network) -> str:
    """The picture as an SVG document, the same for the same network."""
    number = {contact.id: i for i, contact in enumerate(network.contacts)}
    ends = [(number[link.contact_id], number[link.related_contact_id]) for link in network.links]
    places = [(x * STRETCH, y) for x, y in placed(len(network.contacts), ends)]
    left, top, width, height = _frame(places)
    picture = root(width, height)
    picture.attrib.update({"role": "img", "aria-labelledby": "title desc"})
    title = _title(network)
    add(picture, "title", title, id="title")
    add(picture, "desc", _description(network), id="desc")
    add(picture, "style", " ".join(STYLE.split("\n")).strip())
    add(picture, "rect", class_="ground", width=width, height=height)
    add(picture, "text", title, class_="head", x=24, y=36)
    shifted = [(x - left, y - top) for x, y in places]
    _draw_links(add(picture, "g"), network, ends, shifted)
    contacts, names = add(picture, "g"), add(picture, "g")
    # The closest last, so that they lie on top.
    for contact, place in reversed(list(zip(network.contacts, shifted, strict=True))):
        _draw_contact(contacts, contact, place)
    for contact, (x, y) in list(zip(network.contacts, shifted, strict=True))[:NAMED]:
        if contact.name:
            add(names, "text", _shortened(contact.name), class_="name", x=x, y=y + _radius(contact.strength) + 12)
    _draw_legend(add(picture, "g"), height - LEGEND)
    return written(picture)


def _frame(places: list[Point]) -> tuple[float, float, float, float]:
    """What of the plane is shown, with room for head and legend: left, top, width, height."""
    xs, ys = [x for x, _ in places] or [0.0], [y for _, y in places] or [0.0]
    width = max(max(xs) - min(xs) + 2 * MARGIN, LEAST_WIDTH)
    middle = (max(xs) + min(xs)) / 2
    height = max(ys) - min(ys) + 2 * MARGIN + HEAD + LEGEND
    return middle - width / 2, min(ys) - MARGIN - HEAD, math.ceil(width), math.ceil(height)


def _title(network: Network) -> str:
    shown = len(network.contacts)
    contacts = f"{shown} contact{'' if shown == 1 else 's'}"
    if shown < network.total:
        contacts = f"The {shown} closest of {network.total} contacts"
    return f"{contacts}, {len(network.links)} link{'' if len(network.links) == 1 else 's'}"


def _description(network: Network) -> str:
    """The picture in words, for those who do not see it."""
    bands = Counter(_band(contact.strength)[2] for contact in network.contacts)
    kinds = Counter(KIND_OF[link.type] for link in network.links)
    by_strength = ", ".join(f"{bands[label]} of strength {label}" for _, _, label in BANDS if bands[label])
    by_kind = ", ".join(f"{kinds[name]} {said}" for name, said, _ in KINDS if kinds[name])
    closest = ", ".join(contact.name for contact in network.contacts[:5] if contact.name)
    said = [f"Contacts: {by_strength or 'none'}.", f"Links: {by_kind or 'none'}."]
    return " ".join([*said, f"The closest: {closest}."] if closest else said)


def _draw_links(group: Element, network: Network, ends: list[tuple[int, int]], places: list[Point]) -> None:
    drawn: Counter[tuple[int, int]] = Counter()
    for link, (one, other) in zip(network.links, ends, strict=True):
        pair = (min(one, other), max(one, other))
        (x1, y1), (x2, y2) = places[pair[0]], places[pair[1]]
        # Several between the same two lie beside each other: 0, 5, -5, 10, …
        beside = (drawn[pair] + 1) // 2 * 5 * (1 if drawn[pair] % 2 else -1)
        drawn[pair] += 1
        length = math.hypot(x2 - x1, y2 - y1) or 1.0
        dx, dy = -(y2 - y1) / length * beside, (x2 - x1) / length * beside
        add(group, "line", class_=KIND_OF[link.type], x1=x1 + dx, y1=y1 + dy, x2=x2 + dx, y2=y2 + dy)


def _draw_contact(group: Element, contact: PicturedContact, place: Point) -> None:
    x, y = place
    circle = add(group, "circle", class_=_band(contact.strength)[1], cx=x, cy=y, r=_radius(contact.strength))
    add(circle, "title", f"{contact.name or 'without a name'}, strength {contact.strength}")


def _draw_legend(group: Element, top: float) -> None:
    x = 24.0
    add(group, "text", "strength", class_="key", x=x, y=top + 34)
    x += 66
    for low, name, label in reversed(BANDS):
        add(group, "circle", class_=name, cx=x + 14, cy=top + 30, r=_radius(low))
        add(group, "text", label, class_="key", x=x + 34, y=top + 34)
        x += 84
    x = 24.0
    add(group, "text", "links", class_="key", x=x, y=top + 72)
    x += 66
    for name, label, _ in KINDS:
        add(group, "line", class_=name, x1=x, y1=top + 68, x2=x + 30, y2=top + 68)
        add(group, "text", label, class_="key", x=x + 36, y=top + 72)
        x += 60 + 6.5 * len(label)


def _band(strength: int) -> tuple[int, str, str]:
    return next(band for band in BANDS if strength >= band[0])


def _radius(strength: int) -> float:
    """Of a contact's circle. Two of the largest fit beside each other."""
    return min(5 + 1.5 * strength, NEAREST / 2 - 6)


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"
