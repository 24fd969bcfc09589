"""Where alerts are sent: the `[[channel]]` tables. What may hold a secret is never shown."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from stream.alerts.notices import Notice
from stream.alerts.rules import Duration, Name, Table
from stream.settings_source import Secret

HTTP_URL: Final = r"^https?://[^\s/]+\S*$"
HttpUrl = Annotated[str, Meta(pattern=HTTP_URL, max_length=4096)]


class AlertmanagerChannel(Table, frozen=True, tag="alertmanager", tag_field="kind"):
    """A Prometheus Alertmanager (v2 API) at `url`, which may end in a path before `/api/v2`.

    What has not ended is sent again every `resend`; an alert that nothing ends stays for `lasts`. `labels` are added
    to each alert. With a token, requests carry it (`Authorization: Bearer`).
    """

    name: Name
    url: HttpUrl
    resend: Duration = "1min"
    lasts: Duration = "1h"
    labels: dict[Annotated[str, Meta(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")], str] = msgspec.field(
        default_factory=dict
    )
    token: Secret = Secret("")
    token_file: str = ""


class AppriseChannel(Table, frozen=True, tag="apprise", tag_field="kind"):
    """A service that apprise knows (Slack, Teams, mail and a hundred others), by its URL, which is a secret.

    One URL a channel: of two behind one, the failure of the second would repeat the first. `resolved` also tells ends.
    """

    name: Name
    url: Secret = Secret("")
    url_file: str = ""
    resolved: bool = False


class WebhookChannel(Table, frozen=True, tag="webhook", tag_field="kind"):
    """A receiver of CloudEvents over HTTP, in structured or binary mode, signed where there is a secret."""

    name: Name
    url: HttpUrl
    secret: Secret = Secret("")
    secret_file: str = ""
    mode: Literal["structured", "binary"] = "structured"
    resolved: bool = True


ChannelTable = AlertmanagerChannel | AppriseChannel | WebhookChannel

SECRET_FIELDS: Final = {"alertmanager": "token", "apprise": "url", "webhook": "secret"}
"""The secret of each kind of channel, which may also come from a file (`…_file`)."""


def shown(channel: ChannelTable) -> str:
    """Return where a channel leads, for people and logs: without path, login and secret."""
    if isinstance(channel, AppriseChannel):
        return f"{channel.url.reveal().partition(':')[0]}://***"
    parts = urlsplit(channel.url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


def takes(channel: ChannelTable, notice: Notice) -> bool:
    """Return whether a notice goes to a channel that its rule names.

    Alertmanager repeats by its own configuration, and is told what lasts all the time.
    """
    if isinstance(channel, AlertmanagerChannel):
        return notice.kind != "repeat"
    return channel.resolved or notice.kind != "resolved"
