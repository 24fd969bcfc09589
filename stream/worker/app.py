"""The Faust app of a worker: everything composed in one place, to be read from top to bottom."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable
from typing import Any, Final

import faust
from faust.types import TP
from mode.supervisors import CrashingSupervisor

from agents.index import index_agent
from agents.source import source_agent
from schemas.cloudevents import Output
from schemas.topics import INCIDENT_PROFILES, INDEX_SHARES, SOURCE_ITEMS
from scoring.index import IndexBoard
from scoring.policy import load_policy
from stream.http import HttpServer
from stream.settings import Settings
from stream.topics import dead_letter_bytes, physical
from stream.worker.commit import BatchCommit, Outlet
from stream.worker.credentials import credentials
from stream.worker.metrics import WorkerMetrics
from stream.worker.partitions import Partitions
from stream.worker.tables import PromptTableManager, make_tables
from stream.worker.timekeeper import Timekeeper
from stream.worker.transport import BatchConsumer, make_transport

log = logging.getLogger(__name__)

EXIT_FAILED: Final = 70
"""The exit code of a worker that met something unexpected (EX_SOFTWARE of sysexits.h)."""

PACE: Final = 0.1
"""The share of a conflation window by which a trickle of records is fetched more slowly."""

MAX_BATCH_BYTES: Final = 1024 * 1024
"""Most that one request carries of one partition: a thousand events, before compression. A window should need no more
than one or two requests, since the next is sent only when the last is acknowledged."""


class DecibelApp(faust.App):
    """Faust's app, which tells the consumer when a rebalance is over and when to come to rest."""

    def _create_directories(self) -> None:
        """Make no folders: Faust would, in the working directory, and nothing is kept there."""

    def on_rebalance_end(self) -> None:
        """Called once tables are recovered, partitions sought and streams running."""
        super().on_rebalance_end()
        consumer: BatchConsumer = self.consumer
        consumer.rebalance_ended()

    async def on_stop(self) -> None:
        """Let what was applied become safe while the tables are open, so that the last commit has it."""
        consumer: BatchConsumer = self.consumer
        await consumer.come_to_rest()
        await super().on_stop()


def make_app(settings: Settings, commit_type: type[BatchCommit] = BatchCommit) -> faust.App:
    """Return the app of one worker.

    `commit_type` is there for the tests, which crash between the steps of a commit. Raises PolicyError.
    """
    policy = load_policy(settings.policy or None)
    names = {
        logical: physical(settings, logical) for logical in (SOURCE_ITEMS, INCIDENT_PROFILES, INDEX_SHARES)
    }
    app = _faust_app(settings)
    tables = make_tables(app, settings)
    metrics = WorkerMetrics()

    def outlet() -> Outlet:
        return Outlet(app.producer, settings)

    partitions = Partitions(policy, settings, tables, outlet, metrics, fail, commit_type)
    app.transport = make_transport(
        app.conf.broker,
        app,
        batch_topics=frozenset(names.values()),
        rebuilt_topics=frozenset({names[INDEX_SHARES]}),
        fetch_wait_ms=settings.worker.fetch_wait_ms,
        pace_s=settings.worker.conflation_ms / 1000.0 * PACE,
        drain=partitions.drain,
    )

    def taken(tp: TP) -> None:
        consumer: BatchConsumer = app.consumer
        consumer.batch_taken(tp)

    def applied(tp: TP) -> None:
        consumer: BatchConsumer = app.consumer
        consumer.batch_applied(tp)

    def done(tp: TP, next_offset: int) -> None:
        consumer: BatchConsumer = app.consumer
        consumer.batch_done(tp, next_offset)

    for logical in (SOURCE_ITEMS, INCIDENT_PROFILES):
        source_agent(app, _topic(app, settings, logical), logical, partitions, taken, applied, done)
    board = IndexBoard(policy)

    async def send_index(outputs: Iterable[Output]) -> None:
        await outlet().send_outputs(0, outputs)

    index_agent(app, _topic(app, settings, INDEX_SHARES), board, taken, send_index)
    _follow_rebalances(app, names[SOURCE_ITEMS], tables.incidents, partitions, metrics)
    timekeeper = Timekeeper(
        app,
        settings,
        names[SOURCE_ITEMS],
        partitions,
        tables,
        outlet,
        metrics,
        fail,
        policy.index.share_every_s,
    )
    http = HttpServer(settings.worker.http_host, settings.worker.http_port, metrics, timekeeper.stuck_s)
    app.task(timekeeper.run)
    app.service(http)
    return app


def fail(error: BaseException) -> None:
    """End the worker at once and without a last commit; whoever supervises it starts it again.

    The ledger may be ahead of the tables, so nothing more may be written or committed. What was under way is read
    again, exactly as after a kill.
    """
    log.critical("the worker ends: %r", error, exc_info=error)
    logging.shutdown()
    os._exit(EXIT_FAILED)


def _faust_app(settings: Settings) -> faust.App:
    kafka, worker, topics = settings.kafka, settings.worker, settings.topics
    return DecibelApp(
        settings.app_id,
        broker=[f"kafka://{server}" for server in kafka.servers],
        broker_credentials=credentials(kafka),
        autodiscover=False,
        store="memory://",  # the tables bring their own stores
        TableManager=PromptTableManager,
        topic_partitions=topics.partitions,
        topic_allow_declare=False,  # `decibel topics apply` makes them
        topic_disable_leader=True,  # nothing runs on a leader, and its topic would stall the fetcher
        key_serializer="raw",
        value_serializer="raw",
        consumer_auto_offset_reset="earliest",
        # An incident's batch must be able to hold the largest record.
        consumer_max_fetch_size=max(4 * 1024 * 1024, topics.max_record_bytes),
        broker_max_poll_records=worker.max_batch_records,
        broker_session_timeout=worker.session_timeout_s,
        broker_heartbeat_interval=worker.heartbeat_s,
        broker_commit_interval=worker.commit_interval_s,
        producer_compression_type=None if worker.compression == "none" else worker.compression,
        producer_max_batch_size=MAX_BATCH_BYTES,
        producer_max_request_size=dead_letter_bytes(settings),
        producer_acks=-1,
        table_standby_replicas=worker.standbys,
        stream_wait_empty=False,  # we drain the commits ourselves
        stream_recovery_delay=0.0,
        agent_supervisor=CrashingSupervisor,
        web_enabled=False,
    )


def _topic(app: faust.App, settings: Settings, logical: str) -> faust.TopicT:
    return app.topic(
        physical(settings, logical),
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        partitions=1 if logical == INDEX_SHARES else settings.topics.partitions,
    )


def _follow_rebalances(
    app: faust.App, source: str, incidents: Any, partitions: Partitions, metrics: WorkerMetrics
) -> None:
    """Drop partitions as soon as they are assigned elsewhere, and build new ones when the tables have recovered."""

    def numbers(tps: Iterable[TP]) -> set[int]:
        return {tp.partition for tp in tps if tp.topic == source}

    async def assigned(app: faust.App, assigned: set[TP], **_: Any) -> None:
        metrics.rebalanced()
        partitions.assigned(numbers(app.assignor.assigned_actives()), app.consumer_generation_id)

    async def recovered() -> None:
        try:
            partitions.recover(numbers(app.assignor.assigned_actives()))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, only a restart is safe
            # Faust would swallow it and go on without the partitions.
            fail(error)

    app.on_partitions_assigned.connect(assigned, weak=False)
    incidents.on_recover(recovered)
