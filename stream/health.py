"""What `decibel doctor` checks: settings, policy, Kafka, topics, lag, the view; each with what to do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Final, Literal

from msgspec import Struct

from schemas.errors import BrokerError, DecibelError, ViewError
from scoring.policy import load_policy
from stream.kafka_lag import lag
from stream.provisioning import Standing, partition_mismatch, plan, standing_topics
from stream.settings import Settings
from stream.topics import specs
from stream.view.connection import connect, view_errors
from stream.view.reader import ViewReader

PROBE_TIMEOUT_S: Final = 5.0
"""How long each outside system may take to answer: a doctor that hangs is no help."""


class Check(Struct, frozen=True):
    """One finding; `todo` says what to do where it is not `ok`. Only `fail` makes the command fail."""

    name: str
    status: Literal["ok", "warn", "fail"]
    detail: str
    todo: str = ""


def examine(load: Callable[[], Settings]) -> Iterator[Check]:
    """Give the findings one by one, without those that need what failed. Raises no DecibelError."""
    try:
        settings = load()
    except DecibelError as error:
        yield Check("settings", "fail", str(error), "Correct the settings file or the variable.")
        return
    yield Check("settings", "ok", f"app_id {settings.app_id}, Kafka at {settings.kafka.bootstrap}")
    yield _policy(settings)
    yield from _kafka(settings)
    yield _view(settings)


def _policy(settings: Settings) -> Check:
    try:
        load_policy(settings.policy or None)
    except DecibelError as error:
        return Check("policy", "fail", str(error), "Correct the policy file that the setting `policy` names.")
    return Check("policy", "ok", settings.policy or "as shipped")


def _kafka(settings: Settings) -> Iterator[Check]:
    if settings.kafka.api_version:
        version = settings.kafka.api_version
        yield Check(
            "broker",
            "warn",
            f"kafka.api_version is {version}: an embedded broker, which cannot be examined",
            "Leave kafka.api_version empty for a real Kafka.",
        )
        return
    try:
        standing = standing_topics(settings, connect_timeout_s=PROBE_TIMEOUT_S)
    except BrokerError as error:
        todo = "Start Kafka, or correct the [kafka] section of the settings."
        yield Check("broker", "fail", str(error), todo)
        return
    yield Check("broker", "ok", f"{settings.kafka.bootstrap} answers ({settings.kafka.security_protocol})")
    checks = list(_topics(settings, standing))
    yield from checks
    if all(check.status != "fail" for check in checks):
        yield _lag(settings)


def _topics(settings: Settings, standing: dict[str, Standing]) -> Iterator[Check]:
    missing = [name for name, topic in standing.items() if not topic.partitions]
    wrong = [
        standing[spec.name]
        for spec in specs(settings)
        if standing[spec.name].partitions not in {0, spec.partitions}
    ]
    if missing:
        yield Check("topics", "fail", f"missing: {', '.join(missing)}", "Run `decibel topics apply`.")
    if wrong:
        detail, _, todo = partition_mismatch(settings, wrong).partition("; ")
        yield Check("partitions", "fail", detail, todo[:1].upper() + todo[1:] + ".")
        return
    if missing:
        return
    yield Check("topics", "ok", f"all {len(standing)} there, with {settings.topics.partitions} partitions")
    report = plan(settings, standing)
    changed = [
        f"{topic.name} {change.key} is {change.old or 'not set'}, not {change.new}"
        for topic in report.topics
        for change in topic.changes
    ]
    if changed:
        yield Check("topic settings", "fail", "; ".join(changed), "Run `decibel topics apply`.")
    else:
        yield Check("topic settings", "ok", "as set")
    if notes := [f"{topic.name}: {topic.note}" for topic in report.topics if topic.note]:
        yield Check(
            "replication", "warn", "; ".join(notes), "Or set topics.replication to what the topics have."
        )


def _lag(settings: Settings) -> Check:
    """How far the workers' group is behind the end of the source topics, in records."""
    try:
        found = lag(settings, timeout_s=PROBE_TIMEOUT_S)
    except BrokerError as error:
        todo = "Look whether Kafka is well, and whether the user may read the group's offsets."
        return Check("lag", "warn", str(error), todo)
    if not found.committed:
        detail = f"group {settings.app_id} has committed nothing; {found.records:,} records wait"
        status: Literal["ok", "warn"] = "warn" if found.records else "ok"
        return Check("lag", status, detail, "Start `decibel worker`." if found.records else "")
    return Check("lag", "ok", f"group {settings.app_id} is {found.records:,} records behind")


def _view(settings: Settings) -> Check:
    """Whether Redis serves, keeps what it is given, and holds a view."""
    if settings.view.embedded:
        return Check("view", "ok", "embedded://: each process that needs one has its own, until it ends")
    todo = "Start Redis, or correct the [view] section of the settings."
    try:
        with view_errors(settings, "no view"):
            return asyncio.run(asyncio.wait_for(_examined_view(settings), PROBE_TIMEOUT_S))
    except TimeoutError:
        return Check("view", "fail", f"{settings.view.shown}: no answer in {PROBE_TIMEOUT_S:g} s", todo)
    except ViewError as error:
        return Check("view", "fail", str(error), todo)


async def _examined_view(settings: Settings) -> Check:
    client, shown = connect(settings), settings.view.shown
    try:
        memory = await client.info("memory")
        reader = ViewReader(client, settings.view.prefix, time.time)
        generation = await reader.generation()
        if generation is None:
            return Check("view", "warn", f"{shown} answers, but holds no view", "Start `decibel view run`.")
        kept = f"{shown}: generation {generation} with {await reader.incidents():,} incidents"
    finally:
        await client.aclose()
    evicts = memory.get("maxmemory_policy", "noeviction")
    if memory.get("maxmemory") and evicts != "noeviction":
        return Check(
            "view",
            "warn",
            f"{kept}; its maxmemory-policy is {evicts}",
            "Set it to noeviction: a view from which Redis throws keys out is wrong without a sign.",
        )
    return Check("view", "ok", kept)
