"""One POST: what can go wrong with it becomes an answer. No redirect is followed: it would carry secrets elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import aiohttp

from stream.alerts.answers import Answer, Outcome, answer_of

Session = aiohttp.ClientSession

_READ_MOST: Final = 4096
"""Bytes read of an answer: its beginning is for people, the rest for nobody."""


async def post(session: Session, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send `body` and return what became of it. An answer that does not come in time may still have been taken."""
    try:
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            text = (await response.content.read(_READ_MOST)).decode("utf-8", "replace")
            return answer_of(response.status, response.headers, text, time.time())
    except TimeoutError:
        return Answer(Outcome.AWAY, "no answer in time")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        # Not the error's text: it may hold the URL, and that a token.
        reason = getattr(error, "strerror", None) or type(error).__name__
        return Answer(Outcome.AWAY, f"cannot be reached: {reason}")
