"""Running the alerts, and trying the channels: everything composed in one place, to be read from top to bottom."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
from aiokafka.errors import KafkaError

from schemas.errors import BrokerError, SettingsError, StateError
from schemas.times import format_time, from_epoch
from scoring.policy import load_policy
from stream.alerts.alertmanager import AlertmanagerSender
from stream.alerts.answers import Answer, Outcome
from stream.alerts.channels import AlertmanagerChannel, AppriseChannel, ChannelTable
from stream.alerts.courier import Courier, Sender
from stream.alerts.desk import Desk
from stream.alerts.follower import Follower
from stream.alerts.metrics import AlertMetrics
from stream.alerts.notices import Notice
from stream.alerts.outbox import Outbox, datadir_of
from stream.alerts.rule_file import RuleFile, load_rules
from stream.alerts.rules import Severity, seconds
from stream.alerts.services import ServiceSender
from stream.alerts.webhook import WebhookSender
from stream.http import HttpServer
from stream.settings import Settings
from stream.view.topics import Partitions, reading

log = logging.getLogger(__name__)


def rules_of(settings: Settings, file: str = "") -> RuleFile:
    """Return the rules of a file, else of the settings. Raises SettingsError, PolicyError."""
    named = file or settings.alerts.rules
    if not named:
        raise SettingsError("alerts.rules: there are no rules; name a TOML file, see samples/alerts.toml")
    return load_rules(Path(named), load_policy(settings.policy or None))


async def run_alerts(settings: Settings, partitions: Partitions, stop: asyncio.Event) -> None:
    """Judge and deliver until `stop` is set. Raises SettingsError, PolicyError, StateError, BrokerError."""
    told = rules_of(settings)
    policy, alerts = load_policy(settings.policy or None), settings.alerts
    metrics = AlertMetrics([each.name for each in told.channels], [each.name for each in told.rules])
    desk = Desk(told.rules, policy, alerts.page_url)
    with Outbox(datadir_of(alerts.datadir)) as outbox:
        async with (
            senders(told.channels, settings) as by_name,
            reading(settings, partitions, "alerts") as consumer,
        ):
            couriers = [Courier(name, sender, outbox, alerts, metrics) for name, sender in by_name.items()]
            follower = Follower(
                settings, consumer, partitions, desk, outbox, told.channels, metrics, lambda: _wake(couriers)
            )
            http = HttpServer(alerts.http_host, alerts.http_port, metrics, follower.stuck_s)
            try:
                await _listen(http, settings)
                tasks = [follower.run(stop), *(courier.run(stop) for courier in couriers)]
                tasks += [_resend(channel, sender, desk, stop) for channel, sender in _lasting(told, by_name)]
                await _until_first_ends(tasks, stop, couriers)
            except KafkaError as error:
                raise BrokerError(f"the alerts cannot read: {error}; check that Kafka runs") from error
            except sqlite3.Error as error:
                raise StateError(
                    f"{alerts.datadir}: the outbox cannot be written: {error}; is the disk full?"
                ) from error
            finally:
                await http.stop()


async def try_channels(
    channels: Iterable[ChannelTable], settings: Settings
) -> list[tuple[ChannelTable, Answer]]:
    """Send a notice that says it is a test to each channel, once; return what each answered."""
    now = time.time()
    notice = Notice(
        id=f"test/{format_time(now)}",
        kind="test",
        rule="test",
        severity=Severity.INFO,
        group="test",
        at=from_epoch(now),
        since=from_epoch(now),
        title="Decibel: a test",
        summary="Somebody ran `decibel alerts test`. Nothing has happened.",
        link=settings.alerts.page_url,
        labels={"alertname": "test", "severity": Severity.INFO.value},
        alerts=(),
    )
    async with senders(channels, settings) as by_name:
        answers = await asyncio.gather(*(by_name[channel.name].send(notice) for channel in channels))
    return list(zip(channels, answers, strict=True))


@asynccontextmanager
async def senders(channels: Iterable[ChannelTable], settings: Settings) -> AsyncIterator[dict[str, Sender]]:
    """Give what delivers to each channel, by its name. Raises SettingsError where a channel cannot be used."""
    timeout = aiohttp.ClientTimeout(total=settings.alerts.timeout_s)
    async with aiohttp.ClientSession(timeout=timeout, headers={"User-Agent": "decibel"}) as session:
        yield {channel.name: _sender(channel, session) for channel in channels}


def _sender(channel: ChannelTable, session: aiohttp.ClientSession) -> Sender:
    if isinstance(channel, AlertmanagerChannel):
        return AlertmanagerSender(channel, session)
    if isinstance(channel, AppriseChannel):
        return ServiceSender(channel)
    return WebhookSender(channel, session)


def _lasting(
    told: RuleFile, by_name: Mapping[str, Sender]
) -> Iterator[tuple[AlertmanagerChannel, AlertmanagerSender]]:
    """Yield the channels that are told again what lasts."""
    for channel in told.channels:
        sender = by_name[channel.name]
        if isinstance(channel, AlertmanagerChannel) and isinstance(sender, AlertmanagerSender):
            yield channel, sender


async def _resend(
    channel: AlertmanagerChannel, sender: AlertmanagerSender, desk: Desk, stop: asyncio.Event
) -> None:
    """Tell an Alertmanager again and again what lasts. It is no delivery: what is missed is made good by the next."""
    while not stop.is_set():
        answer = await sender.send_lasting(lambda: desk.lasting(channel.name))
        if answer is not None and answer.outcome is not Outcome.TAKEN:
            log.warning("channel %s: what lasts was not taken: %s", channel.name, answer.detail)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds(channel.resend))


async def _until_first_ends(
    tasks: Sequence[Coroutine[None, None, None]], stop: asyncio.Event, couriers: Sequence[Courier]
) -> None:
    """Run until `stop` is set; an error of one ends all, and is raised."""
    running = [asyncio.ensure_future(task) for task in tasks]
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([*running, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        _wake(couriers)
        stopping.cancel()
        ended = await asyncio.gather(*running, return_exceptions=True)
    for each in ended:
        if isinstance(each, BaseException):
            raise each


def _wake(couriers: Iterable[Courier]) -> None:
    for courier in couriers:
        courier.wake.set()


async def _listen(http: HttpServer, settings: Settings) -> None:
    try:
        await http.start()
    except OSError as error:
        port = settings.alerts.http_port
        raise SettingsError(f"alerts.http_port: {port} cannot be listened on: {error.strerror}") from error
