"""What holds of every view, whichever Redis keeps it: these tests run on the embedded stand-in and on a real server.

A module that runs them has a fixture `base`, of its own scope, with the settings of its Redis.
"""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from schemas.codec import encode
from schemas.errors import RequestError, StateError
from schemas.noise_score import NoiseScore
from schemas.times import from_epoch, to_epoch
from schemas.topics import (
    COMPACTED,
    INCIDENT_MERGES,
    INCIDENT_PROFILES,
    NOISE_INDEX,
    NOISE_SCORES,
    PEAK_CROSSINGS,
    STATE_CHANGES,
    TREND_UPDATES,
)
from schemas.words import PeakKind, State, Trend
from stream.settings import Settings
from stream.view.answers import Cursor, decode_cursor
from stream.view.connection import connect
from stream.view.listing import Query
from stream.view.reader import ViewReader
from stream.view.writer import Slice, ViewWriter
from tests.builders import hours
from tests.view import (
    Record,
    contents,
    entries_of,
    fresh,
    heard,
    laid_out,
    piece,
    seen,
    slices,
    with_repeats,
    world,
)

LATER = hours(24 * 6)
"""After everything that happens in the world of tests.view."""

# A seed cannot be made simpler: shrinking would only take long.
few = settings(max_examples=12, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))


@asynccontextmanager
async def a_view(base: Settings):
    """A view of its own: its settings, a client, a writer with a first generation, and a reader at LATER."""
    mine = fresh(base)
    client = connect(mine)
    try:
        writer = ViewWriter(client, mine.view)
        await writer.begin(entries_of(mine).half_life_s)
        yield mine, client, writer, ViewReader(client, mine.view.prefix, lambda: LATER)
    finally:
        async for key in client.scan_iter(match=f"{mine.view.prefix}:*", count=1000):
            await client.delete(key)
        await client.aclose()


def at_once(base: Settings, steps: Callable[..., Awaitable[None]]) -> None:
    """Run steps on a view of their own, in a loop of their own."""

    async def run():
        async with a_view(base) as parts:
            await steps(*parts)

    asyncio.run(run())


async def filled(mine, writer, outputs=None, chance=None):
    """Write a world's events in pieces; return the log."""
    log = laid_out(world() if outputs is None else outputs)
    for each in slices(log, entries_of(mine), chance or random.Random(1)):
        written = await writer.write(1, [each])
        assert not written.displaced
    return log


@few
@given(seed=st.integers(0, 2**32))
def test_any_cut_order_and_repetition_gives_the_same_view(base, seed):
    """Given the same events, some sent twice; when they come in any pieces, some again; then view and stream are the
    same."""

    async def in_order(mine, client, writer, reader):
        await filled(mine, writer)
        want.append((await seen(client, writer.keys), await heard(reader)))

    async def cut(mine, client, writer, reader):
        entries, log = entries_of(mine), laid_out(with_repeats(world(), chance))
        for each in slices(log, entries, chance):
            pieces = [each]
            if chance.random() < 0.3:  # after a crash it is read again, from an earlier record on
                begin = chance.randrange(each.begin + 1)
                pieces.append(piece(log, entries, (each.topic, each.partition), begin, each.end))
            if chance.random() < 0.3:
                end = chance.randrange(each.begin + 1)
                pieces.insert(0, piece(log, entries, (each.topic, each.partition), 0, end))
            assert not (await writer.write(1, pieces)).displaced
        assert await seen(client, writer.keys) == want[0][0]
        assert await heard(reader) == want[0][1]
        assert await writer.offsets(1) == {f"{t}/{p}": len(records) for (t, p), records in log.items()}

    chance, want = random.Random(seed), []
    # Small enough that histories and changes are cut off: what was let go of must not come back with a repeat.
    view = msgspec.structs.replace(base.view, history_step_s=43_200, history_most=5, changes_most=10)
    bounded = msgspec.structs.replace(base, view=view)
    at_once(bounded, in_order)
    at_once(bounded, cut)


@few
@given(now=st.floats(min_value=hours(125), max_value=hours(24 * 400)))
def test_the_board_is_in_the_order_of_noise_at_any_time(base, now):
    async def steps(mine, client, writer, _):
        await filled(mine, writer)
        board = await ViewReader(client, mine.view.prefix, lambda: now).board(limit=100)
        noise = [standing.noise for standing in board.standings]
        assert noise == sorted(noise, reverse=True)
        assert {standing.incident_id for standing in board.standings} == set(latest()) - {"hoax", "wheel"}
        for standing in board.standings:
            score = latest()[standing.incident_id]
            want = score.composite * 2.0 ** -((now - to_epoch(score.anchor)) / score.half_life)
            assert math.isclose(standing.noise, want, rel_tol=1e-12)

    at_once(base, steps)


def latest() -> dict[str, NoiseScore]:
    return {output.key: output.event for output in world() if output.topic == NOISE_SCORES}  # type: ignore[misc]


def test_each_incident_stands_on_the_board_of_its_present_category_alone(base):
    """Given incidents that changed category, and one taken back; then each is on one board, and that one on none."""
    moved = {
        output.key: {o.event.category for o in world() if o.topic == NOISE_SCORES and o.key == output.key}
        for output in world()
        if output.topic == NOISE_SCORES
    }
    assert any(len(categories) > 1 for categories in moved.values())
    assert latest()["hoax"].composite == 0.0

    async def steps(mine, client, writer, reader):
        await filled(mine, writer)
        found = {}
        for category in {score.category for score in latest().values()} | set().union(*moved.values()):
            for standing in (await reader.board(category=category, limit=100)).standings:
                assert standing.incident_id not in found
                found[standing.incident_id] = category
        assert found == {ident: score.category for ident, score in latest().items() if score.composite > 0.0}
        hoax = await reader.incident("hoax")
        assert (hoax.rank, hoax.standing.noise) == (None, 0.0)

    at_once(base, steps)


def test_the_latest_score_and_profile_are_the_events_own_bytes(base):
    async def steps(mine, client, writer, reader):
        log = await filled(mine, writer)
        written = {}
        for (topic, _), records in log.items():
            for record in records:
                written[topic, record.key.decode()] = record.value
        for incident_id in latest():
            found = await reader.incident(incident_id)
            assert bytes(found.standing.score) == written[NOISE_SCORES, incident_id]
            assert bytes(found.standing.profile or b"") == written.get(
                ("incident-profiles", incident_id), b""
            )
        assert await reader.incident("nobody") is None
        [index] = await reader.index()
        assert bytes(index.event) == written[NOISE_INDEX, "overall"]
        assert await reader.incidents() == len(latest())

    at_once(base, steps)


def test_pages_of_the_board_hold_each_incident_once(base):
    async def steps(mine, client, writer, reader):
        await filled(mine, writer)
        whole = [each.incident_id for each in (await reader.board(limit=100)).standings]
        for limit in (1, 2, 3):
            paged, cursor = [], None
            while True:
                page = await reader.board(limit=limit, cursor=cursor)
                paged += [each.incident_id for each in page.standings]
                cursor = page.cursor
                if cursor is None:
                    break
            assert paged == whole
        ranks = [(await reader.incident(incident_id)).rank for incident_id in whole]
        assert ranks == list(range(1, len(whole) + 1))
        with pytest.raises(RequestError, match="cursor"):
            await reader.board(cursor="nonsense")

    at_once(base, steps)


def test_incidents_of_the_very_same_noise_are_paged_through(base):
    """Given thirty incidents with one key; when they are read by pages; then each is there once."""

    async def steps(mine, client, writer, reader):
        board = writer.keys.of(1).board()
        await client.zadd(board, {f"i{number:02}": 2900.5 for number in range(30)})
        await client.zadd(board, {"louder": 2901.0, "softer": 2900.0})
        last, found = Cursor(2902.0, ""), []
        while places := await reader._places(board, last, -math.inf, 4):
            found += [place.decode() for place, _ in places]
            last = Cursor(places[-1][1], places[-1][0].decode())
        assert found == ["louder", *(f"i{number:02}" for number in reversed(range(30))), "softer"]

    at_once(base, steps)


def test_a_minimum_leaves_out_what_is_softer_at_the_moment_of_the_answer(base):
    async def steps(mine, client, writer, reader):
        await filled(mine, writer)
        noise = [each.noise for each in (await reader.board(limit=100)).standings]
        for least in (noise[2], noise[2] * 1.0001, noise[-1]):
            found = await reader.board(limit=100, minimum=least)
            assert [each.noise for each in found.standings] == [each for each in noise if each >= least]

    at_once(base, steps)


def test_the_history_keeps_the_last_point_of_each_cell_and_no_more_cells_than_set(base):
    scores = [output.event for output in world() if output.topic == NOISE_SCORES and output.key == "leak"]

    async def steps(mine, client, writer, reader):
        await filled(mine, writer)
        last = {int(to_epoch(score.as_of) // 7200): score for score in scores}
        want = [(score.revision, score.noise, score.polarity.value) for score in list(last.values())[-5:]]
        found = [(point.revision, point.noise, point.polarity) for point in await reader.history("leak")]
        assert found == want

    view = msgspec.structs.replace(base.view, history_step_s=7200, history_most=5)
    at_once(msgspec.structs.replace(base, view=view), steps)


def test_the_changes_of_an_incident_are_kept_by_revision_and_bounded(base):
    kinds = {STATE_CHANGES, TREND_UPDATES, PEAK_CROSSINGS, INCIDENT_MERGES}
    ids = sorted((o.event.revision, o.id) for o in world() if o.topic in kinds and o.key == "leak")
    assert len(ids) > 10

    async def steps(mine, client, writer, reader):
        await filled(mine, writer, with_repeats(world(), random.Random(3)))
        want = [ident for _, ident in reversed(ids)][:10]
        assert [change.id for change in await reader.changes("leak")] == want
        assert [change.id for change in await reader.changes("leak", 3)] == want[:3]

    view = msgspec.structs.replace(base.view, changes_most=10)
    at_once(msgspec.structs.replace(base, view=view), steps)


def test_a_merged_incident_has_left_the_boards_and_says_where_its_items_went(base):
    async def steps(mine, client, writer, reader):
        await filled(mine, writer)
        (merge,) = [change for change in await reader.changes("wheel") if change.topic == INCIDENT_MERGES]
        assert msgspec.json.decode(merge.event)["into"] == "vote"
        assert (await reader.incident("wheel")).standing.noise == 0.0
        board = await reader.board()
        assert "wheel" not in {row.incident_id for row in board.standings}
        assert "vote" in {row.incident_id for row in board.standings}

    at_once(base, steps)


def test_a_figure_has_the_incidents_whose_profiles_name_it_now(base):
    """Given profiles that name figures and then others; then each figure has those that name it at the end."""
    named: dict = {}
    for output in world():
        if output.topic == "incident-profiles":
            named[output.key] = {party.name: party.tier for party in output.event.parties}

    async def steps(mine, client, writer, reader):
        await filled(mine, writer)
        want = {}
        for incident_id, parties in named.items():
            for name, tier in parties.items():
                want.setdefault(name, set()).add((incident_id, tier))
        found = {
            figure.name: {(part.incident_id, part.tier) for part in figure.parts}
            for figure in await reader.figures()
        }
        assert found == want
        name = next(iter(want))
        figure = await reader.figure(name.upper())
        assert figure.name == name
        noise = [part.noise or 0.0 for part in figure.parts]
        assert noise == sorted(noise, reverse=True)
        assert await reader.figure("nobody") is None

    at_once(base, steps)


def test_an_older_score_an_older_index_and_a_known_change_are_no_news(base):
    """Given a view; when what it knows is sent again under new offsets; then nothing changes but the offsets."""

    async def steps(mine, client, writer, reader):
        await filled(mine, writer)
        before, told = await seen(client, writer.keys), await heard(reader)
        entries, log = entries_of(mine), laid_out([*world(), *world()])
        for place, records in log.items():
            half = len(records) // 2
            if place[0] != "incident-profiles":  # the same profile once more is the editors' last word
                written = await writer.write(1, [piece(log, entries, place, half, len(records))])
                assert written.new == {place[0]: 0}
        assert await seen(client, writer.keys) == before
        assert await heard(reader) == told

    at_once(base, steps)


def test_a_gap_is_refused_and_writes_nothing(base):
    """Given a Redis that has lost its latest writes; when reading goes on after them; then it is sent back."""

    async def steps(mine, client, writer, reader):
        entries, log = entries_of(mine), laid_out(world())
        place = next(place for place, records in log.items() if len(records) > 9)
        await writer.write(1, [piece(log, entries, place, 0, 4)])
        before = await contents(client, f"{mine.view.prefix}:")
        assert (await writer.write(1, [piece(log, entries, place, 6, 9)])).displaced
        assert await contents(client, f"{mine.view.prefix}:") == before
        assert not (await writer.write(1, [piece(log, entries, place, 4, 9)])).displaced

    at_once(base, steps)


def test_another_generation_is_not_written_to(base):
    async def steps(mine, client, writer, reader):
        entries, log = entries_of(mine), laid_out(world())
        await client.set(writer.keys.current, 2)
        place = next(iter(log))
        assert (await writer.write(1, [piece(log, entries, place, 0, 1)])).displaced
        assert await writer.offsets(1) == {}

    at_once(base, steps)


def test_another_half_life_asks_for_a_rebuild(base):
    async def steps(mine, client, writer, reader):
        half_life_s = entries_of(mine).half_life_s
        assert await writer.begin(half_life_s) == 1
        with pytest.raises(StateError, match="decibel view rebuild"):
            await writer.begin(half_life_s / 2)

    at_once(base, steps)


def test_an_empty_view_answers_with_nothing(base):
    async def steps(mine, client, writer, reader):
        await client.delete(writer.keys.current)
        assert (await reader.board()).standings == ()
        assert await reader.incident("leak") is None
        assert await reader.profile("leak") is None
        assert await reader.history("leak") == ()
        assert await reader.changes("leak") == ()
        assert await reader.index() == ()
        assert await reader.figures() == ()
        assert await reader.figure("Ada") is None
        assert await reader.live("0") == []
        assert await reader.live_edges() is None

    at_once(base, steps)


def test_the_live_stream_is_bounded_and_its_places_can_be_gone_on_from(base):
    async def steps(mine, client, writer, reader):
        log = await filled(mine, writer)
        first, last = await reader.live_edges()
        kept = await reader.live("0", most=10_000)
        assert (kept[0].place, kept[-1].place) == (first, last)
        assert 100 <= len(kept) < 100 + 150  # `~` lets Redis drop whole nodes only, of a hundred entries
        assert len(kept) < sum(len(records) for records in log.values())
        half = len(kept) // 2
        assert await reader.live(kept[half].place, most=10_000) == kept[half + 1 :]
        assert await reader.live(last) == []

    view = msgspec.structs.replace(base.view, live_most=100)
    at_once(msgspec.structs.replace(base, view=view), steps)


def test_who_waits_for_news_is_woken_by_them(base):
    async def steps(mine, client, writer, _):
        blocking = connect(mine, blocking=True)
        try:
            reader = ViewReader(client, mine.view.prefix, lambda: LATER, blocking)
            waiting = asyncio.create_task(reader.live("$", wait_s=20.0))
            while not waiting.done():  # it must be waiting before the news come, and gives no sign that it is
                await asyncio.sleep(0.2)
                await filled(mine, writer)
                break
            assert (await waiting)[0].topic in {topic for topic, _ in laid_out(world())}
        finally:
            await blocking.aclose()

    at_once(base, steps)


def test_a_recordings_present_is_its_latest_event(base):
    async def steps(mine, client, writer, _):
        await filled(mine, writer)
        board = await ViewReader(client, mine.view.prefix, None).board()
        assert board.at == max(o.at for o in world() if o.topic != "incident-profiles")

    at_once(base, steps)


def test_fields_of_a_later_version_pass_through(base):
    """Given a score with fields that nobody knows yet; then it is kept with them."""

    async def steps(mine, client, writer, reader):
        entries, log = entries_of(mine), laid_out(world())
        place = next(place for place in log if place[0] == NOISE_SCORES)
        record = log[place][0]
        value = record.value.removesuffix(b"}") + b',"merged_into":"other","more":{"a":[1]}}'
        log[place] = [record._replace(value=value)]
        await writer.write(1, [piece(log, entries, place, 0, 1)])
        found = await reader.incident(record.key.decode())
        assert bytes(found.standing.score) == value

    at_once(base, steps)


def test_the_compacted_topics_alone_give_the_same_scores_boards_profiles_figures_and_index(base):
    """Given topics of which Kafka has kept the last record of each key; when they are read; then all that stands is the
    same, and only what happened on the way is not there."""
    stands = {"scores", "marks", "profiles", "parties", "figures", "index", "about"}

    def standing(found):
        kinds = ("board", "figure:")
        return {key: value for key, value in found.items() if key in stands or key.startswith(kinds)}

    async def whole(mine, client, writer, reader):
        await filled(mine, writer)
        want.append(standing(await seen(client, writer.keys)))

    async def compacted(mine, client, writer, reader):
        log, entries = laid_out(world()), entries_of(mine)
        for place, records in log.items():
            if place[0] in COMPACTED:
                last = {record.key: record for record in records}
                log[place] = sorted(last.values())
                read = [entries.entry(place[0], record) for record in log[place]]
                assert len(read) < len(records) or place[0] == INCIDENT_MERGES  # of which there is one
                for half in (
                    slice(0, len(read) // 2),
                    slice(len(read) // 2, None),
                ):  # with gaps between and within
                    end = len(records) if half.stop is None else log[place][half.stop].offset
                    begin = 0 if half.start == 0 else log[place][half.start].offset
                    written = await writer.write(1, [Slice(*place, begin, end, read[half])])
                    assert not written.displaced
        assert standing(await seen(client, writer.keys)) == want[0]

    want: list = []
    at_once(base, whole)
    at_once(base, compacted)


def test_a_curve_of_an_older_policy_is_placed_by_its_noise_when_it_was_scored(base):
    """Given a board of one half-life; when a score of another comes; then it stands by the noise it had then."""

    async def steps(mine, client, writer, reader):
        entries, half_life_s = entries_of(mine), entries_of(mine).half_life_s
        at = hours(100)
        scores = [
            ("today's, softer", 39.9, half_life_s),
            ("older policy's", 80.0, half_life_s / 4),  # has halved once in 42 h: 40 at the time of the score
            ("today's, louder", 40.1, half_life_s),
        ]
        records = []
        for offset, (incident_id, composite, own_half_life_s) in enumerate(scores):
            anchor = at - own_half_life_s if own_half_life_s != half_life_s else at
            score = msgspec.structs.replace(
                latest()["leak"],
                incident_id=incident_id,
                as_of=from_epoch(at),
                anchor=from_epoch(anchor),
                composite=composite,
                half_life=own_half_life_s,
            )
            records.append(Record(offset, 0, incident_id.encode(), encode(score)))
        log = {(NOISE_SCORES, 0): records}
        await writer.write(1, [piece(log, entries, (NOISE_SCORES, 0), 0, 3)])
        board = await ViewReader(client, mine.view.prefix, lambda: at).board()
        assert [each.incident_id for each in board.standings] == [
            "today's, louder",
            "older policy's",
            "today's, softer",
        ]
        assert [round(each.noise, 6) for each in board.standings] == [40.1, 40.0, 39.9]

    at_once(base, steps)


def test_a_profile_that_says_nothing_new_is_no_news(base):
    async def steps(mine, client, writer, reader):
        said = [output for output in world() if output.topic == INCIDENT_PROFILES][:1]
        await filled(mine, writer, [said[0], said[0]])
        assert len(await reader.live("0")) == 1

    at_once(base, steps)


def test_a_profile_that_is_read_again_does_not_come_back(base):
    """Given two profiles of one incident; when the first is read again; then the second still stands."""

    async def steps(mine, client, writer, reader):
        said = [output for output in world() if output.topic == INCIDENT_PROFILES]
        later = msgspec.structs.replace(said[0], event=msgspec.structs.replace(said[0].event, title="later"))
        log = await filled(mine, writer, [said[0], later])
        [place] = log
        written = await writer.write(1, [piece(log, entries_of(mine), place, 0, 1)])
        assert written.repeated == {INCIDENT_PROFILES: 1}
        assert await reader.profile(later.key) == encode(later.event)

    at_once(base, steps)


def test_what_is_read_again_into_another_generation_is_not_told_again(base):
    """Given a live stream; when a new generation is filled from an earlier record on; then the stream
    goes on behind it."""

    async def steps(mine, client, writer, reader):
        entries, log = entries_of(mine), laid_out(world())
        place = next(
            place for place, records in log.items() if place[0] == STATE_CHANGES and len(records) > 3
        )
        last = len(log[place]) - 1
        await writer.write(1, [piece(log, entries, place, 0, last)])
        told = await reader.live("0")
        await writer.describe(2, entries.half_life_s)
        await client.set(writer.keys.current, 2)
        await writer.write(2, [piece(log, entries, place, 0, 2)])
        await writer.write(2, [piece(log, entries, place, 2, last + 1)])
        assert (await reader.live("0"))[:-1] == told
        assert await heard(reader) == _ids(log[place])

    at_once(base, steps)


def _ids(records):
    found: dict = {}
    for record in records:
        found.setdefault((STATE_CHANGES, record.key.decode()), []).append(
            dict(record.headers)["ce_id"].decode()
        )
    return found


# -- pages of incidents -------------------------------------------------------------------------------------


async def paged(reader, query):
    """All incidents that a query gives, page by page; and of how many pages they were."""
    found, pages = [], 0
    while True:
        page = await reader.page(query)
        found += page.standings
        pages += 1
        if page.cursor is None:
            return found, pages
        query = msgspec.structs.replace(query, cursor=decode_cursor(page.cursor))


def sought(query):
    """What a query must give, worked out from the scores alone, in its order but for equals."""
    scores = [score for score in latest().values() if score.composite > 0.0]
    noise = {
        s.incident_id: s.composite * 2.0 ** -((LATER - to_epoch(s.anchor)) / s.half_life) for s in scores
    }
    trends = list(Trend)
    order = {
        "noise": lambda s: -noise[s.incident_id],
        "recent": lambda s: -to_epoch(s.last_seen),
        "rising": lambda s: (trends.index(s.trend), -noise[s.incident_id]),
    }[query.order]
    return [
        score.incident_id
        for score in sorted(scores, key=order)
        if (not query.categories or score.category in query.categories)
        and (not query.states or score.state in query.states)
        and (not query.platforms or set(query.platforms) & set(score.platform_names))
        and noise[score.incident_id] >= query.minimum
    ]


def test_every_filter_in_every_order_gives_what_the_scores_say_on_pages_of_any_size(base):
    """Given the world; when it is asked for by any filters, in any order, in small pages; then each that matches is
    there once, in order."""
    scores = latest().values()
    queries = [
        Query(categories, states, platforms, minimum, order, limit)
        for categories in ((), (next(iter(scores)).category,), tuple({s.category for s in scores}))
        for states in ((), (State.DEBATED,), (State.EMERGING, State.DEBATED))
        for platforms in ((), ("news",), ("reddit", "nowhere"))
        for minimum in (0.0, 60.0)
        for order in ("noise", "recent", "rising")
        for limit in (1, 3)
    ]
    assert any(0 < len(sought(query)) < 5 for query in queries)

    async def steps(mine, client, writer, reader):
        await filled(mine, writer)
        for query in queries:
            found, _ = await paged(reader, query)
            assert [each.incident_id for each in found] == sought(query), query
            whole = [each.incident_id for each in (await reader.board(limit=100)).standings]
            assert all(each.rank == whole.index(each.incident_id) + 1 for each in found)

    at_once(base, steps)


def test_a_rare_kind_is_found_behind_thousands_of_others(base, monkeypatch):
    """Given a bound on how many are looked at for one page; when only the softest matches; then pages before it may be
    empty, and it is found."""
    monkeypatch.setattr("stream.view.reader.LOOKED_AT_ONCE", 2)
    monkeypatch.setattr("stream.view.reader.MOST_LOOKED_AT", 2)

    async def steps(mine, client, writer, reader):
        await filled(mine, writer)
        softest = (await reader.board(limit=100)).standings[-1].incident_id
        category = latest()[softest].category
        for order in ("noise", "recent"):
            query = Query(
                (category, "another"), platforms=("news", "reddit", "hackernews"), order=order, limit=1
            )
            found, pages = await paged(reader, query)
            assert [each.incident_id for each in found] == sought(query)
            assert softest in {each.incident_id for each in found}
            assert pages > len(found)

    at_once(base, steps)


def test_a_cursor_of_another_order_is_refused(base):
    async def steps(mine, client, writer, reader):
        await filled(mine, writer)
        cursor = decode_cursor((await reader.page(Query(limit=1))).cursor)
        for other in (Query(order="recent"), Query(order="rising"), Query(categories=("Safety",))):
            with pytest.raises(RequestError, match="cursor: it was given for another order"):
                await reader.page(msgspec.structs.replace(other, cursor=cursor))

    at_once(base, steps)


def test_what_has_changed_since_its_board_was_read_is_shown_as_it_is_or_not_at_all(base):
    """Given a board that still lists an incident under a state that it has left; then a page of that state is without
    it."""

    async def steps(mine, client, writer, reader):
        await filled(mine, writer)
        gone = next(s for s in latest().values() if s.state is State.DEBATED and s.composite > 0.0)
        await client.zadd(writer.keys.of(1).board("state:Growing"), {gone.incident_id: 3000.0})
        found, _ = await paged(reader, Query(states=("Growing",)))
        assert gone.incident_id not in {each.incident_id for each in found}

    at_once(base, steps)


# -- months, and the index over time ------------------------------------------------------------------------


def test_a_months_recap_has_its_loudest_and_what_was_told(base):
    told = [
        (output.at, output.topic, output.id)
        for output in world()
        if output.topic == STATE_CHANGES
        or (output.topic == PEAK_CROSSINGS and output.event.kind is PeakKind.PEAKED)
    ]
    loudest: dict[str, float] = {}
    for output in world():
        if output.topic == NOISE_SCORES:
            for noise in (output.event.noise, output.event.peak.noise):
                loudest[output.key] = max(loudest.get(output.key, 0.0), noise)

    async def steps(mine, client, writer, reader):
        await filled(mine, writer, with_repeats(world(), random.Random(5)))
        recap = await reader.recap("2026-06")
        assert sorted((each.topic, each.id) for each in recap.told) == sorted(each[1:] for each in told)
        at = [msgspec.json.decode(each.event)["at"] for each in recap.told]
        assert at == sorted(at)
        want = sorted(loudest.items(), key=lambda pair: -pair[1])
        assert [(each.incident_id, each.noise) for each in recap.loudest] == want
        assert (await reader.recap("2026-05")).told == ()

    at_once(base, steps)


def test_the_index_over_time_is_the_last_of_each_cell(base):
    events = [output for output in world() if output.topic == NOISE_INDEX]

    async def steps(mine, client, writer, reader):
        await filled(mine, writer)
        last = {int(output.at // 43_200): output.event for output in events}
        [past] = await reader.index_past()
        assert past.category == "overall"
        assert [(point.at_ms, point.value) for point in past.points] == [
            (round(to_epoch(event.at) * 1000), event.value) for event in last.values()
        ]

    view = msgspec.structs.replace(base.view, history_step_s=43_200)
    at_once(msgspec.structs.replace(base, view=view), steps)
