"""`/feed.atom`: the latest state changes as an Atom feed (RFC 4287), written by Python's own XML library."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from xml.etree import ElementTree as ET

import msgspec
from aiohttp import web
from msgspec import Struct, field

from schemas.times import Moment, format_time, to_epoch
from schemas.topics import STATE_CHANGES
from scoring.levels import shown
from stream.gateway.answering import answer
from stream.gateway.context import of
from stream.gateway.incidents import quoted
from stream.gateway.parameters import Categories, query
from stream.gateway.standings import title_of
from stream.view.entries import month_of
from stream.view.listing import LABELS

MOST_ENTRIES: Final = 50
ATOM: Final = "http://www.w3.org/2005/Atom"
CONTENT_TYPE: Final = "application/atom+xml; charset=utf-8"
CACHE: Final = "no-cache"
DAY_S: Final = 86400.0
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even as a reference."""


class FeedQuery(Struct, frozen=True):
    """Of which incidents."""

    category: Categories = ()


class _Change(Struct, frozen=True):
    incident_id: str
    at: Moment
    to: str = ""
    reason: str = ""
    noise: float = 0.0
    previous: str | None = field(name="from", default=None)


class Entry(Struct, frozen=True):
    """A state change with its id and the incident's title."""

    id: str
    title: str
    change: _Change


_CHANGE: Final = msgspec.json.Decoder(_Change)

ET.register_namespace("", ATOM)


async def feed(request: web.Request) -> web.StreamResponse:
    """Answer with the latest state changes of this month and the last, the latest first."""
    context, asked = of(request), query(request, FeedQuery)
    now = await context.reader.present()
    changes: list[tuple[str, _Change]] = []
    for month in (month_of(now), month_of(now - 31 * DAY_S)):
        told = (await context.reader.recap(month)).told
        changes += [
            (each.id, _CHANGE.decode(each.event)) for each in reversed(told) if each.topic == STATE_CHANGES
        ]
    if asked.category:
        scores = await context.reader.scores(sorted({change.incident_id for _, change in changes}))
        filed = {each: LABELS.decode(score).category for each, score in scores.items()}
        changes = [pair for pair in changes if filed.get(pair[1].incident_id) in asked.category]
    changes = changes[:MOST_ENTRIES]
    profiles = await context.reader.profiles(sorted({change.incident_id for _, change in changes}))
    entries = [
        Entry(ident, title_of(change.incident_id, profiles.get(change.incident_id)), change)
        for ident, change in changes
    ]
    base = context.settings.gateway.base_url or str(request.url.origin())
    body = atom(base, str(request.rel_url), entries, now)
    return await answer(request, body, CONTENT_TYPE, cache=CACHE)


def atom(base: str, path: str, entries: Iterable[Entry], now: float) -> bytes:
    """Return the feed at `base` + `path`; of no entries it was updated at `now` (epoch seconds)."""
    entries = list(entries)
    root = ET.Element(f"{{{ATOM}}}feed", {"xml:lang": "en"})
    _text(root, "id", f"{base}{path}")
    _text(root, "title", "Decibel: state changes")
    updated = max((to_epoch(entry.change.at) for entry in entries), default=now)
    _text(root, "updated", format_time(updated))
    _text(ET.SubElement(root, f"{{{ATOM}}}author"), "name", "Decibel")
    _link(root, "self", f"{base}{path}", "application/atom+xml")
    _link(root, "alternate", f"{base}/", "text/html")
    for entry in entries:
        change = entry.change
        element = ET.SubElement(root, f"{{{ATOM}}}entry")
        _text(element, "id", f"urn:decibel:{STATE_CHANGES}:{quoted(entry.id)}")
        _text(element, "title", f"{entry.title}: {change.to}")
        _text(element, "updated", format_time(to_epoch(change.at)))
        _link(element, "alternate", f"{base}/incident/{quoted(change.incident_id)}", "text/html")
        before = f"from {change.previous} to {change.to}" if change.previous else f"first seen as {change.to}"
        _text(element, "summary", f"{before}: {change.reason}. Noise {shown(change.noise)}/100.")
        ET.SubElement(element, f"{{{ATOM}}}category", {"term": _clean(change.to)})
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{ATOM}}}{name}").text = _clean(text)


def _link(parent: ET.Element, relation: str, address: str, kind: str) -> None:
    ET.SubElement(parent, f"{{{ATOM}}}link", {"rel": relation, "href": _clean(address), "type": kind})


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
