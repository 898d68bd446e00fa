"""Small helpers for libvirt's XML documents."""

from __future__ import annotations

import xml.etree.ElementTree as ET


def parse(xml: str) -> ET.Element:
    """Parse a document from libvirt."""
    return ET.fromstring(xml)  # noqa: S314 (from libvirt itself)


def text(element: ET.Element) -> str:
    """Return an element as text."""
    return ET.tostring(element, encoding="unicode")


def devices(root: ET.Element) -> ET.Element:
    """Return a domain's ``<devices>``."""
    return child(root, "devices")


def child(parent: ET.Element, name: str) -> ET.Element:
    """Return a child element; add it if it is missing."""
    found = parent.find(name)
    return ET.SubElement(parent, name) if found is None else found


def set_text(root: ET.Element, name: str, text: str) -> None:
    """Set the text of a child element; add the child if it is missing."""
    child(root, name).text = text


def attribute(parent: ET.Element, path: str, name: str) -> str:
    """Return an attribute of the element at a path; empty if either is missing."""
    found = parent.find(path)
    return "" if found is None else found.get(name, "")
