"""`/badge/{id}.svg`: an incident's noise and state as a small picture, to embed elsewhere."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree as ET

from aiohttp import web

from scoring.levels import level_of, shown
from stream.gateway.answering import answer
from stream.gateway.context import of
from stream.gateway.headers import EMBEDDED_POLICY
from stream.gateway.incidents import id_of
from stream.gateway.parameters import Nothing, query

SVG: Final = "http://www.w3.org/2000/svg"
CONTENT_TYPE: Final = "image/svg+xml"
CACHE: Final = "max-age=60"
"""Pages that embed it are read often; noise falls by hundredths in a minute."""
HEIGHT: Final = 20
CHARACTER_W: Final = 6.6
PADDING: Final = 8
LABEL: Final = "noise"
UNKNOWN: Final = "unknown"
COLOURS: Final = (
    (80.0, "#b3261e"),
    (60.0, "#b3540e"),
    (40.0, "#8a6100"),
    (20.0, "#2f6f4e"),
    (0.0, "#3d5a80"),
)
"""From which noise on which colour: white on it is readable (4.5 to 1)."""
GREY: Final = "#555555"
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


async def badge(request: web.Request) -> web.StreamResponse:
    """Answer with the badge; of an incident that is not known, one that says so: a broken picture says nothing."""
    query(request, Nothing)
    context, incident_id = of(request), id_of(request)
    found = await context.reader.incident(incident_id)
    if found is None:
        body = picture(LABEL, UNKNOWN, GREY)
    else:
        noise = found.standing.noise
        text = f"{shown(noise)} {level_of(noise, context.policy)}"
        body = picture(LABEL, text, next(colour for least, colour in COLOURS if noise >= least))
    response = await answer(request, body, CONTENT_TYPE, cache=CACHE)
    response.headers["Content-Security-Policy"] = EMBEDDED_POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def picture(label: str, text: str, colour: str) -> bytes:
    """Return an SVG with a label and a text on `colour`; both are escaped by the library that writes it."""
    label, text = (_NOT_XML.sub("\ufffd", each) for each in (label, text))
    left, right = (round(len(each) * CHARACTER_W + 2 * PADDING) for each in (label, text))
    root = ET.Element(
        "svg",
        {
            "xmlns": SVG,
            "width": str(left + right),
            "height": str(HEIGHT),
            "role": "img",
            "aria-label": f"{label}: {text}",
        },
    )
    ET.SubElement(root, "title").text = f"{label}: {text}"
    for x, width, fill in ((0, left, "#333333"), (left, right, colour)):
        ET.SubElement(root, "rect", {"x": str(x), "width": str(width), "height": str(HEIGHT), "fill": fill})
    style = {"fill": "#ffffff", "font-family": "Verdana, DejaVu Sans, sans-serif", "font-size": "11"}
    group = ET.SubElement(root, "g", {**style, "text-anchor": "middle"})
    for middle, each in ((left / 2, label), (left + right / 2, text)):
        ET.SubElement(group, "text", {"x": f"{middle:g}", "y": "14"}).text = each
    body: bytes = ET.tostring(root, encoding="utf-8")
    return body
