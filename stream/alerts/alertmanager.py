"""Alertmanager: notices as alerts of its v2 API. What lasts is sent again and again, as Prometheus does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

import msgspec
from msgspec import Struct

from schemas.times import format_time, from_epoch, to_epoch
from stream.alerts.answers import Answer
from stream.alerts.channels import AlertmanagerChannel
from stream.alerts.notices import Notice
from stream.alerts.posting import Session, post
from stream.alerts.rules import seconds

MISSED: Final = 4.0
"""An alert that lasts ends by itself when it was not sent again for so many intervals; Prometheus waits as long."""

TEST_S: Final = 60.0
"""How long a test is shown."""


class PostableAlert(Struct, frozen=True, rename="camel"):
    """An alert as the API takes it; times in RFC 3339."""

    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: str
    ends_at: str
    generator_u_r_l: str = msgspec.field(name="generatorURL", default="")


class AlertmanagerSender:
    """Sends to one Alertmanager."""

    def __init__(self, channel: AlertmanagerChannel, session: Session) -> None:
        self._channel, self._session = channel, session
        self._url = f"{channel.url.rstrip('/')}/api/v2/alerts"
        # One request at a time: what lasts must not overtake the word that it has ended.
        self._turn = asyncio.Lock()

    async def send(self, notice: Notice) -> Answer:
        """Send one notice."""
        async with self._turn:
            return await self._post([notice], time.time())

    async def send_lasting(self, lasting: Callable[[], list[Notice]]) -> Answer | None:
        """Send, in one request, what lasts when it is this one's turn; None where nothing does."""
        async with self._turn:
            notices = lasting()
            return await self._post(notices, time.time()) if notices else None

    async def _post(self, notices: Iterable[Notice], now: float) -> Answer:
        body = msgspec.json.encode([postable(notice, self._channel, now) for notice in notices])
        headers = {"Content-Type": "application/json"}
        if token := self._channel.token.reveal():
            headers["Authorization"] = f"Bearer {token}"
        return await post(self._session, self._url, body, headers)


def postable(notice: Notice, channel: AlertmanagerChannel, now: float) -> PostableAlert:
    """Return a notice as an alert that stands at `now`.

    One that lasts ends when it is not sent again; what nothing ends, or what has ended before it was first told, is
    shown for `lasts`.
    """
    if notice.kind == "test":
        ends = now + TEST_S
    elif notice.kind == "resolved":
        ends = to_epoch(notice.ends or notice.at)
    elif notice.lasting:
        ends = now + MISSED * seconds(channel.resend)
    else:
        ends = max(now, to_epoch(notice.at)) + seconds(channel.lasts)
    annotations = {
        "title": notice.title,
        "summary": notice.summary,
        "event_id": notice.alerts[-1].event_id if notice.alerts else notice.id,
        "link": notice.link,
    }
    return PostableAlert(
        labels={**channel.labels, **notice.labels},
        annotations={name: text for name, text in annotations.items() if text},
        starts_at=format_time(to_epoch(min(notice.since, from_epoch(ends)))),
        ends_at=format_time(ends),
        generator_u_r_l=notice.link,
    )
