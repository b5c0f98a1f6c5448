"""Entries as an Atom feed. Pure.

Source: RFC 4287 (Atom), RFC 3339 (times).
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guestbook.entries import Entry

MEDIA_TYPE = "application/atom+xml"
NAMESPACE = "http://www.w3.org/2005/Atom"

# A feed must have a time. With no entry yet, one that stays the same keeps the feed's bytes, and so its ETag, the same.
_BEFORE_ALL_ENTRIES = datetime(1970, 1, 1, tzinfo=timezone.utc)


def atom_feed(entries: Sequence[Entry], *, page_url: str, feed_url: str) -> bytes:
    """Return the feed document, UTF-8.

    Args:
        entries: newest first.
        page_url: absolute address of the page with the entries.
        feed_url: absolute address of the feed itself; also its permanent identifier.
    """
    feed = etree.Element(f"{{{NAMESPACE}}}feed", nsmap={None: NAMESPACE})
    _add(feed, "id", feed_url)
    _add(feed, "title", "Guestbook")
    _add(feed, "updated", _time(entries[0].signed_at if entries else _BEFORE_ALL_ENTRIES))
    _add(feed, "link", rel="self", href=feed_url, type=MEDIA_TYPE)
    _add(feed, "link", rel="alternate", href=page_url, type="text/html")
    for entry in entries:
        item = _add(feed, "entry")
        _add(item, "id", f"urn:uuid:{entry.uid}")
        _add(item, "title", f"{entry.name} signed the guestbook")
        _add(item, "published", _time(entry.signed_at))
        _add(item, "updated", _time(entry.signed_at))
        _add(_add(item, "author"), "name", entry.name)
        _add(item, "link", rel="alternate", href=f"{page_url}#entry-{entry.uid}", type="text/html")
        _add(item, "content", entry.message, type="text")
    return etree.tostring(feed, xml_declaration=True, encoding="utf-8", pretty_print=True)


def _add(parent: etree._Element, tag: str, text: str | None = None, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}", dict(attributes))
    element.text = text
    return element


def _time(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
