"""The latest changes of all: what the live stream holds of them, the latest first, however many scores lie between."""

from schemas.topics import NOISE_SCORES
from stream.gateway import changes
from stream.gateway.changes import TOPICS, latest
from stream.view.reader import ViewReader
from tests.gateway import everything, served, streaming


async def test_the_latest_changes_come_first_and_no_score_among_them():
    async with served(streaming(), *everything()) as gateway:
        told = await gateway.json("/api/v1/changes?limit=200")
        stream = await ViewReader(gateway.client, gateway.settings.view.prefix, None).live(
            "0-0", most=100_000
        )
        wanted = [(each.topic, each.id) for each in reversed(stream) if each.topic in TOPICS]
        assert len(wanted) > 10
        assert [(each["topic"], each["id"]) for each in told["changes"]] == wanted[:200]
        fewer = await gateway.json("/api/v1/changes?limit=3")
        assert fewer["changes"] == told["changes"][:3]
        assert told["place"] == stream[-1].place
        await gateway.json("/api/v1/changes?limit=0", status=400)


async def test_changes_are_found_behind_many_scores_page_after_page(monkeypatch):
    monkeypatch.setattr(changes, "READ_AT_ONCE", 7)
    monkeypatch.setattr(changes, "MOST_READ", 7000)
    async with served(streaming(), *everything()) as gateway:
        reader = ViewReader(gateway.client, gateway.settings.view.prefix, None)
        stream = await reader.live("0-0", most=100_000)
        assert sum(each.topic == NOISE_SCORES for each in stream) > 14
        wanted = [each.id for each in reversed(stream) if each.topic in TOPICS]
        assert [each.id for each in await latest(reader, 200)] == wanted[:200]
