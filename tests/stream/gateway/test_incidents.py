"""What the gateway answers of incidents: as the view says it, at the moment of the answer, in pages, and to any id."""

import gzip
import time

import msgspec
import pytest
from msgspec.structs import replace

from schemas.cloudevents import Output
from schemas.noise_score import NoiseScore
from schemas.times import from_epoch, parse_time
from schemas.topics import INCIDENT_PROFILES, NOISE_SCORES
from scoring.levels import level_of
from scoring.policy import load_policy
from stream.gateway.incidents import quoted
from stream.settings import Settings
from tests.builders import hours
from tests.gateway import everything, scored, served, streaming
from tests.view import world


@pytest.fixture
async def gateway():
    async with served(streaming(), *everything()) as running:
        yield running


async def test_the_board_is_the_views_with_noise_level_and_verdict_of_now(gateway):
    policy, board = load_policy(), await gateway.json("/api/v1/incidents")
    assert board["at"] == "2026-06-29T01:00:00Z"
    noise = [each["noise"] for each in board["incidents"]]
    assert noise == sorted(noise, reverse=True)
    assert len(noise) == 5
    for rank, each in enumerate(board["incidents"], 1):
        score = each["score"]
        age_s = parse_time(board["at"]) - parse_time(score["anchor"])
        assert each["noise"] == pytest.approx(score["composite"] * 2 ** -(age_s / score["half_life"]))
        assert each["level"] == level_of(each["noise"], policy)
        assert f"noise {int(each['noise'])}/100" in each["verdict"]
        assert each["rank"] == rank
        assert each["title"] == each["incident_id"], "its profile gives none"


async def test_on_the_wall_clock_noise_is_that_of_the_present_second():
    async with served(Settings(), *everything()) as running:
        board = await running.json("/api/v1/incidents?limit=1")
        assert abs(parse_time(board["at"]) - time.time()) < 20
        score = board["incidents"][0]["score"]
        age_s = parse_time(board["at"]) - parse_time(score["anchor"])
        assert board["incidents"][0]["noise"] == pytest.approx(score["composite"] * 2 ** -(age_s / 604800.0))


async def test_pages_follow_one_another(gateway):
    whole = [
        each["incident_id"] for each in (await gateway.json("/api/v1/incidents?sort=rising"))["incidents"]
    ]
    paged, cursor = [], ""
    while cursor is not None:
        page = await gateway.json(f"/api/v1/incidents?sort=rising&limit=2{cursor and '&cursor='}{cursor}")
        paged += [each["incident_id"] for each in page["incidents"]]
        cursor = page["cursor"]
    assert paged == whole


async def test_filters_may_be_repeated_and_are_joined(gateway):
    board = await gateway.json("/api/v1/incidents")
    for each in board["incidents"]:
        state, platforms = each["score"]["state"], each["score"]["platform_names"]
        found = await gateway.json(
            "/api/v1/incidents",
            params=[("state", state), ("state", "Resolved"), ("platform", platforms[0]), ("min_noise", "1")],
        )
        assert each["incident_id"] in {one["incident_id"] for one in found["incidents"]}
        assert {one["score"]["state"] for one in found["incidents"]} <= {state, "Resolved"}


@pytest.mark.parametrize(
    ("asked", "parameter", "part"),
    [
        ("colour=red", "colour", "allowed: state, category"),
        ("limit=0", "limit", "a whole number from 1 to 200"),
        ("limit=1&limit=2", "limit", "give it once"),
        ("min_noise=nan", "min_noise", "a number from 0 to 100"),
        ("min_noise=-0.1", "min_noise", "a number from 0 to 100"),
        ("state=Loud", "state", "Emerging, Growing"),
        ("category=", "category", "Safety"),
        ("sort=up", "sort", "noise, recent or rising"),
        ("platform=" + "x" * 65, "platform", "64 characters at most"),
        ("cursor=nonsense", "cursor", "none that was given"),
        ("cursor=WzEwLCJcdWQ4MDAiLCIiXQ", "cursor", "none that was given"),
        ("cursor=WzFlOTk5LCJhIiwiIl0", "cursor", "none that was given"),
        ("cursor=WzEsImEiLCJzdGF0ZTpHcm93aW5nIl0", "cursor", "another order"),
    ],
)
async def test_a_wrong_parameter_is_told_by_its_name(gateway, asked, parameter, part):
    problem = await gateway.json(f"/api/v1/incidents?{asked}", 400)
    assert problem["parameter"] == parameter
    assert problem["status"] == 400
    assert part in problem["detail"]


async def test_an_incident_has_its_changes_its_rank_and_its_explanation(gateway):
    page = await gateway.json("/api/v1/incidents/leak")
    of_leak = [o.id for o in world() if o.key == "leak" and o.topic not in {NOISE_SCORES, INCIDENT_PROFILES}]
    assert {each["id"] for each in page["changes"]} == set(of_leak)
    revisions = [each["event"]["revision"] for each in page["changes"]]
    assert revisions == sorted(revisions, reverse=True)
    explained = await gateway.json("/api/v1/incidents/leak/explain")
    assert page["explain"] == explained
    points = sum(factor["noise_points"] for factor in explained["factors"])
    assert points == pytest.approx(explained["noise"]) == pytest.approx(page["noise"])
    assert sum(each["composite_points"] for each in explained["factors"]) == pytest.approx(
        explained["composite"]
    )
    assert explained["shown"] == int(page["noise"])
    assert any("carries more of the noise" in sentence for sentence in explained["story"])


async def test_a_merged_incident_sends_to_where_its_items_count(gateway):
    async with gateway.http.get("/api/v1/incidents/wheel", allow_redirects=False) as answer:
        assert answer.status == 308
        assert answer.headers["Location"] == "/api/v1/incidents/vote"
    assert (await gateway.json("/api/v1/incidents/wheel"))["incident_id"] == "vote"


async def test_the_history_is_the_views(gateway):
    told = await gateway.json("/api/v1/incidents/leak/history")
    scores = [o.event for o in world() if o.key == "leak" and o.topic == NOISE_SCORES]
    assert told["points"][-1]["noise"] == scores[-1].noise
    assert [p["at"] for p in told["points"]] == sorted(p["at"] for p in told["points"])


async def test_an_unknown_incident_is_none_whatever_is_asked_of_it(gateway):
    for path in ("", "/history", "/explain"):
        problem = await gateway.json(f"/api/v1/incidents/nobody{path}", 404)
        assert "nobody" in problem["detail"]
    await gateway.json(f"/api/v1/incidents/{'x' * 257}", 404)


@pytest.mark.parametrize(
    "incident",
    [
        "a/b",
        "a b+c",
        "100%",
        "%2F",
        "?x=1#y",
        "ü–漢😀",
        'quote"<script>alert(1)</script>',
        "line\nbreak\r\n\t",
        "\u202eright to left",
        "{braces}",
        "..a",
        "a;b=c,d&e",
        "back\\slash",
    ],
)
async def test_an_id_may_be_anything(incident):
    async with served(streaming(), *scored(incident, title=f"Title of {incident}")) as running:
        [listed] = (await running.json("/api/v1/incidents"))["incidents"]
        assert (listed["incident_id"], listed["title"]) == (incident, f"Title of {incident}")
        page = await running.json(f"/api/v1/incidents/{quoted(incident)}")
        assert page["incident_id"] == incident
        assert (await running.json(f"/api/v1/incidents/{quoted(incident)}/history"))["points"]
        async with running.http.get(f"/badge/{quoted(incident)}.svg") as badge:
            assert badge.status == 200
            assert "unknown" not in await badge.text()


async def test_the_export_is_every_incident_on_the_board_a_line(gateway, monkeypatch):
    monkeypatch.setattr("stream.gateway.incidents.EXPORTED_AT_ONCE", 2)
    async with gateway.http.get("/api/v1/export") as answer:
        lines = [msgspec.json.decode(line) for line in (await answer.read()).splitlines()]
    assert lines == (await gateway.json("/api/v1/incidents"))["incidents"]


async def test_the_same_answer_is_not_sent_again(gateway):
    async with gateway.http.get("/api/v1/incidents") as first:
        tag = first.headers["ETag"]
        assert first.headers["Cache-Control"] == "no-cache"
        assert "Accept-Encoding" in first.headers["Vary"]
    for known in (tag, f'"other", {tag}', "*"):
        async with gateway.http.get("/api/v1/incidents", headers={"If-None-Match": known}) as again:
            assert (again.status, await again.read()) == (304, b"")
            assert again.headers["ETag"] == tag
    later = next(o for o in reversed(world()) if o.key == "leak" and o.topic == NOISE_SCORES).event
    assert isinstance(later, NoiseScore)
    newer = replace(later, revision=later.revision + 1, as_of=from_epoch(hours(140.0)))
    await gateway.tell(Output(NOISE_SCORES, "leak", "leak/newer", hours(140.0), newer))
    async with gateway.http.get("/api/v1/incidents", headers={"If-None-Match": tag}) as changed:
        assert changed.status == 200
        assert changed.headers["ETag"] != tag


async def test_answers_are_compressed_for_who_takes_it(gateway):
    async with gateway.http.get("/api/v1/methodology", headers={"Accept-Encoding": "identity"}) as answer:
        plain = await answer.read()
        assert "Content-Encoding" not in answer.headers
    for accepted, coded in (("gzip, br", True), ("gzip;q=0", False), ("br", False), ("*", False)):
        async with gateway.raw.get("/api/v1/methodology", headers={"Accept-Encoding": accepted}) as answer:
            body = await answer.read()
            assert (answer.headers.get("Content-Encoding") == "gzip") is coded
            assert (gzip.decompress(body) if coded else body) == plain


async def test_head_says_what_get_would(gateway):
    async with gateway.http.head("/api/v1/incidents") as answer:
        assert answer.status == 200
        assert int(answer.headers["Content-Length"]) > 0
        assert await answer.read() == b""


async def test_an_empty_view_has_empty_answers():
    async with served(streaming()) as running:
        await running.client.delete(running.writer.keys.current)
        assert (await running.json("/api/v1/incidents"))["incidents"] == []
        assert (await running.json("/api/v1/figures"))["figures"] == []
        assert (await running.json("/api/v1/index"))["categories"] == []
        pulse = await running.json("/api/v1/pulse")
        assert (pulse["incidents"], pulse["loudest"], pulse["index"]) == (0, None, None)
        async with running.http.get("/api/v1/export") as answer:
            assert await answer.read() == b""
        for path in ("/feed.atom", "/badge/leak.svg"):
            async with running.http.get(path) as answer:
                assert answer.status == 200


async def test_the_longest_address_that_is_allowed_is_answered(gateway):
    asked = [("platform", f"{number:02}" + "😀" * 62) for number in range(50)] + [("cursor", "é" * 2048)]
    problem = await gateway.json("/api/v1/incidents", 400, params=asked)
    assert problem["parameter"] == "cursor"
    assert (await gateway.json("/api/v1/incidents", params=asked[:-1]))["incidents"] == []
