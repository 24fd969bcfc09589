"""The webhook: a notice as a CloudEvent over HTTP, in structured or binary mode, signed."""

from __future__ import annotations

import time
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from schemas.times import format_time, to_epoch
from stream.alerts.answers import Answer
from stream.alerts.channels import WebhookChannel
from stream.alerts.notices import Notice
from stream.alerts.posting import Session, post
from stream.alerts.signature import signed

SOURCE: Final = "/decibel/alerts"
TYPE: Final = "decibel.alert.told.v1"

# Printable ASCII but for space, double quote and percent: what the HTTP binding leaves as it is in a header.
_PLAIN: Final = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


class _Envelope(Struct, frozen=True):
    specversion: str
    id: str
    source: str
    type: str
    time: str
    subject: str
    datacontenttype: str
    data: Raw


class WebhookSender:
    """Sends to one receiver."""

    def __init__(self, channel: WebhookChannel, session: Session) -> None:
        self._channel, self._session = channel, session

    async def send(self, notice: Notice) -> Answer:
        """Send a notice; the same one always has the same id and body."""
        headers, body = request_of(self._channel, notice)
        secret = self._channel.secret.reveal()
        if secret:
            headers |= signed(secret, in_header(notice.id), time.time(), body)
        return await post(self._session, self._channel.url, body, headers)


def request_of(channel: WebhookChannel, notice: Notice) -> tuple[dict[str, str], bytes]:
    """Return headers and body of a notice, without the signature."""
    content, at = msgspec.json.encode(notice), format_time(to_epoch(notice.at))
    if channel.mode == "structured":
        event = _Envelope(
            "1.0", notice.id, SOURCE, TYPE, at, notice.group or notice.rule, "application/json", Raw(content)
        )
        return {"Content-Type": "application/cloudevents+json"}, msgspec.json.encode(event)
    headers = {
        "Content-Type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": in_header(notice.id),
        "ce-source": SOURCE,
        "ce-type": TYPE,
        "ce-time": at,
        "ce-subject": in_header(notice.group or notice.rule),
    }
    return headers, content


def in_header(text: str) -> str:
    """Return a text as CloudEvents' HTTP binding (3.1.3.2) writes it in a header.

    >>> in_header("leak/4/state/Major Controversy"), in_header("fuß")
    ('leak/4/state/Major%20Controversy', 'fu%C3%9F')
    """
    return quote(text, safe=_PLAIN)
