"""Everything else, by apprise: Slack, Teams, mail and a hundred others. Its calls block, so they run in a thread."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import apprise

from schemas.errors import SettingsError
from stream.alerts.answers import Answer, Outcome
from stream.alerts.channels import AppriseChannel
from stream.alerts.notices import Notice
from stream.alerts.rules import Severity

_TYPES: Final = {
    Severity.CRITICAL: apprise.NotifyType.FAILURE,
    Severity.WARNING: apprise.NotifyType.WARNING,
    Severity.INFO: apprise.NotifyType.INFO,
}


class ServiceSender:
    """Sends to one service. Raises SettingsError where apprise does not know its URL."""

    def __init__(self, channel: AppriseChannel) -> None:
        # apprise logs URLs and answers; both may hold the secret.
        logging.getLogger("apprise").setLevel(logging.CRITICAL)
        self._service = apprise.Apprise()
        if not self._service.add(channel.url.reveal()):
            raise SettingsError(
                f"channel {channel.name!r}: url: apprise knows no such service, or a part of the URL is missing; "
                "its documentation lists them"
            )
        # One thread a channel: one that hangs holds up no other. apprise has time limits of its own.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"alerts-{channel.name}")

    async def send(self, notice: Notice) -> Answer:
        """Send a notice as plain text."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._send, notice)

    def _send(self, notice: Notice) -> Answer:
        # In a chat, `@everyone` in a stranger's title must name nobody: a mark of no width stands behind each `@`.
        title, summary = (text.replace("@", "@\u200b") for text in (notice.title, notice.summary))
        body = "\n".join(part for part in (summary, notice.link) if part)
        kind = apprise.NotifyType.SUCCESS if notice.kind == "resolved" else _TYPES[notice.severity]
        taken = self._service.notify(
            title=title,
            body=body or title,
            notify_type=kind,
            body_format=apprise.NotifyFormat.TEXT,
        )
        if taken:
            return Answer(Outcome.TAKEN, "sent")
        return Answer(
            Outcome.AWAY, "the service did not take it; check its URL, and whether it can be reached"
        )
