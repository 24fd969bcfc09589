"""A courier delivers everything once, in order, through whatever its receiver answers."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from stream.alerts.answers import Answer, Outcome
from stream.alerts.channels import WebhookChannel
from stream.alerts.courier import Courier
from stream.alerts.metrics import AlertMetrics
from stream.alerts.outbox import Outbox, undelivered
from stream.alerts.webhook import WebhookSender
from stream.settings import AlertSettings
from tests import view
from tests.alerting import changed, desk, rule, scored
from tests.builders import hours
from tests.receiver import Receiver

HASTY = AlertSettings(first_retry_s=0.01, longest_retry_s=0.05, timeout_s=5.0)


def notices(*incidents, revisions=1):
    """Notices of incidents, so many of each."""
    at, found = desk(rule()), []
    for incident in incidents:
        for revision in range(1, revisions + 1):
            at.hear(scored(incident, revision), hours(0))
            found += at.hear(changed(incident, revision), hours(0))
    return found


@pytest.fixture
async def receiver():
    async with Receiver() as listening:
        yield listening


@pytest.fixture
def outbox(tmp_path):
    with Outbox(tmp_path) as opened:
        yield opened


def put(outbox, found, *channels, now=100.0):
    outbox.commit({}, (), [(each, channels or ("hook",)) for each in found], now)


@asynccontextmanager
async def delivering(outbox, *urls, settings=HASTY, clock=lambda: 1000.0):
    """Couriers of channels at these URLs (`hook`, `hook2`, …) while it is entered."""
    stop = asyncio.Event()
    names = ["hook", *(f"hook{number}" for number in range(2, len(urls) + 1))]
    metrics = AlertMetrics(names)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=settings.timeout_s)) as session:
        couriers = [
            Courier(name, WebhookSender(WebhookChannel(name, url), session), outbox, settings, metrics, clock)
            for name, url in zip(names, urls, strict=True)
        ]
        async with asyncio.TaskGroup() as group:
            for courier in couriers:
                group.create_task(courier.run(stop))
            try:
                yield couriers
            finally:
                stop.set()
                for courier in couriers:
                    courier.wake.set()


class Ticking:
    """A clock that goes on by itself from 1000 s, as fast as the event loop's."""

    def __call__(self):
        return 1000.0 + asyncio.get_running_loop().time() - self.begun

    def __init__(self):
        self.begun = asyncio.get_running_loop().time()


async def until(condition):
    """Wait for what is written to the outbox, which tells nobody."""

    async def holds():
        return condition()

    await view.until(holds, "the outbox says so")


async def test_what_is_new_is_delivered_in_order(outbox, receiver):
    wanted = notices("a", "b", revisions=3)
    async with delivering(outbox, receiver.url, clock=Ticking()) as [courier]:
        for each in wanted:
            put(outbox, [each], now=1000.0)
            courier.wake.set()
        await receiver.until(lambda: len(receiver.posted) == 6, "all six")
    assert receiver.ids == [each.id for each in wanted]


async def test_a_receiver_that_comes_back_gets_all_that_waited_once_and_in_order(outbox, receiver, tmp_path):
    wanted = notices("a", "b", revisions=5)
    await receiver.down()
    put(outbox, wanted)
    async with delivering(outbox, receiver.url, clock=Ticking()) as [courier]:
        await until(lambda: undelivered(tmp_path)[0].attempts >= 3)
        assert courier.away
        await receiver.up()
        await until(lambda: not undelivered(tmp_path))
        assert not courier.away
    assert receiver.ids == [each.id for each in wanted]


async def test_one_that_never_passes_holds_up_its_own_group_alone(outbox, receiver, tmp_path):
    """Given a notice at which the receiver breaks; then those of other incidents arrive, and it is tried on and on."""
    poison, after, *others = notices("a", "b", revisions=2)
    receiver.answer = lambda posted: web.Response(status=500 if posted.said["id"] == poison.id else 200)
    put(outbox, [poison, after, *others])
    async with delivering(outbox, receiver.url, clock=Ticking()):
        await until(lambda: Counter(receiver.ids)[poison.id] >= 4)
        counts = Counter(receiver.ids)
        assert {each.id: counts[each.id] for each in others} == {each.id: 1 for each in others}
        assert counts[after.id] == 0, "it waits for the one before it"
    assert [each.error for each in undelivered(tmp_path)] == ["HTTP 500", ""]


async def test_one_that_never_passes_is_tried_less_and_less_often_although_others_pass(
    outbox, receiver, tmp_path
):
    """Given a notice at which the receiver breaks; when others pass between its attempts; then its pauses double."""
    now, settings = [1000.0], AlertSettings(first_retry_s=1.0, longest_retry_s=8.0)
    poison, *others = notices("poison", "a", "b", "c", "d", "e")
    receiver.answer = lambda posted: web.Response(status=500 if posted.said["id"] == poison.id else 200)
    put(outbox, [poison])
    async with delivering(outbox, receiver.url, settings=settings, clock=lambda: now[0]) as [courier]:
        for attempt, longest_s in enumerate((1.0, 2.0, 4.0, 8.0, 8.0), 1):
            await until(lambda: undelivered(tmp_path)[0].attempts == attempt)  # noqa: B023
            waits = undelivered(tmp_path)[0]
            assert longest_s / 2 <= waits.due - now[0] <= longest_s
            if attempt > 1:  # after the first, the channel's own pause is as long as the notice's
                now[0] += 1.0
                put(outbox, [others[attempt - 1]], now=now[0])
                courier.wake.set()
                await receiver.until(lambda: others[attempt - 1].id in receiver.ids, "another")  # noqa: B023
                await until(lambda: len(undelivered(tmp_path)) == 1)
            now[0] = max(now[0] + 1.0, waits.due)  # both pauses are over
            courier.wake.set()


async def test_what_is_refused_fails_and_the_next_goes_on(outbox, receiver, tmp_path):
    first, second = notices("a", revisions=2)
    receiver.answer = lambda posted: web.Response(status=400 if posted.said["id"] == first.id else 200)
    put(outbox, [first, second])
    async with delivering(outbox, receiver.url, clock=Ticking()):
        await receiver.until(lambda: second.id in receiver.ids, "the second")
        await until(lambda: len(undelivered(tmp_path)) == 1)
    assert receiver.ids == [first.id, second.id]
    [failed] = undelivered(tmp_path)
    assert (failed.notice.id, failed.state) == (first.id, "failed")


async def test_a_dead_channel_holds_up_no_other(outbox, receiver, tmp_path):
    wanted = notices("a", revisions=3)
    put(outbox, wanted, "hook", "hook2")
    async with delivering(outbox, "http://127.0.0.1:9/dead", receiver.url, clock=Ticking()):
        await receiver.until(lambda: len(receiver.posted) == 3, "all three")
        await until(lambda: {each.channel for each in undelivered(tmp_path)} == {"hook"})
    assert len(undelivered(tmp_path)) == 3


async def test_a_receiver_that_asks_for_a_pause_is_left_alone(outbox, receiver, tmp_path):
    """Given a clock that stands still; when a pause is asked for; then nothing is sent until the clock is past it."""
    now = [1000.0]
    answers = [web.Response(status=429, headers={"Retry-After": "30"}), web.Response(), web.Response()]
    receiver.answer = lambda _: answers.pop(0)
    put(outbox, notices("a", "b"))
    async with delivering(outbox, receiver.url, clock=lambda: now[0]) as [courier]:
        await until(lambda: undelivered(tmp_path)[0].attempts == 1)
        assert undelivered(tmp_path)[0].due == 1030.0
        now[0] = 1029.9
        courier.wake.set()
        await until(lambda: not courier.wake.is_set())
        assert len(receiver.posted) == 1
        now[0] = 1030.0
        courier.wake.set()
        await receiver.until(lambda: len(receiver.posted) == 3, "all, after the pause")


async def test_what_waits_too_long_is_given_up_and_counted(outbox, receiver, tmp_path):
    await receiver.down()
    put(outbox, notices("a"), now=1000.0 - 3600.0 * HASTY.give_up_h - 1.0)
    async with delivering(outbox, receiver.url, clock=Ticking()):
        await until(lambda: undelivered(tmp_path)[0].state == "failed")


class KilledError(Exception):
    """The end of a process."""


class Dying(Outbox):
    """An outbox whose process dies just before it notes that something was delivered."""

    def delivered(self, number, now):
        raise KilledError


async def test_what_was_taken_but_not_noted_comes_again_under_the_same_id_with_the_same_body(
    receiver, tmp_path
):
    with Dying(tmp_path) as outbox:
        put(outbox, notices("a"))
        with pytest.raises(ExceptionGroup):
            async with delivering(outbox, receiver.url):
                await asyncio.Event().wait()
    with Outbox(tmp_path) as outbox:
        async with delivering(outbox, receiver.url):
            await until(lambda: not undelivered(tmp_path))
    first, second = receiver.posted
    assert first.said["id"] == second.said["id"]
    assert first.body == second.body


class Faulty:
    """A sender whose library breaks at its first notice."""

    def __init__(self):
        self.sent = []

    async def send(self, notice):
        self.sent.append(notice.id)
        if len(self.sent) == 1:
            raise LookupError("https://hooks.example/hush")
        return Answer(Outcome.TAKEN)


async def test_a_library_that_breaks_fails_that_attempt_alone_and_its_words_are_not_kept(outbox, tmp_path):
    first, second = notices("a", "b")
    put(outbox, [first, second])
    stop, sender = asyncio.Event(), Faulty()
    courier = Courier("hook", sender, outbox, HASTY, AlertMetrics(["hook"]), Ticking())
    async with asyncio.TaskGroup() as group:
        group.create_task(courier.run(stop))
        await until(lambda: not undelivered(tmp_path) or undelivered(tmp_path)[0].attempts == 1)
        assert "hush" not in "".join(each.error for each in undelivered(tmp_path))
        await until(lambda: not undelivered(tmp_path))
        stop.set()
        courier.wake.set()
    assert sorted(sender.sent) == sorted([first.id, first.id, second.id])
