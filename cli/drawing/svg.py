"""Elements of SVG, whose texts and attributes are escaped by what writes them and not by hand."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

Element = ET.Element

# What no XML document may hold, however it is escaped.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def add(parent: Element, tag: str, text: str = "", **attributes: str | float) -> Element:
    """A new element at the end of another one. Numbers are written with at most one decimal place.

    A trailing underscore is dropped from names (`class_`), and other underscores become hyphens (`text_anchor`).
    """
    element = ET.SubElement(parent, tag, {_name(name): _written(value) for name, value in attributes.items()})
    if text:
        element.text = legal(text)
    return element


def root(width: float, height: float) -> Element:
    """An empty picture of so many pixels, which can be shown at any size."""
    size = {"width": _written(width), "height": _written(height)}
    box = f"0 0 {_written(width)} {_written(height)}"
    return Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "viewBox": box, **size})


def written(picture: Element) -> str:
    """The document, a line for each element."""
    ET.indent(picture, space=" ")
    return ET.tostring(picture, encoding="unicode") + "\n"


def legal(text: str) -> str:
    """The text with U+FFFD in the place of what XML cannot hold."""
    return _ILLEGAL.sub("\ufffd", text)


def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _written(value: str | float) -> str:
    if isinstance(value, str):
        return legal(value)
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
