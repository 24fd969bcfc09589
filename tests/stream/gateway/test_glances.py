"""Index, pulse, recap, figures, methodology, operations; the feed and the badge."""

from xml.etree import ElementTree as ET

import msgspec
import pytest
from msgspec.structs import replace

from schemas.cloudevents import Output
from schemas.incident_profile import Party
from schemas.state_change import StateChange
from schemas.times import from_epoch, parse_time
from schemas.topics import NOISE_INDEX, NOISE_SCORES, STATE_CHANGES
from schemas.words import Category, State
from scoring.policy import load_policy
from stream.gateway.badge import COLOURS, picture
from stream.gateway.feed import ATOM
from stream.gateway.incidents import quoted
from tests.builders import hours
from tests.gateway import everything, scored, served, streaming
from tests.view import world


@pytest.fixture
async def gateway():
    async with served(streaming(), *everything()) as running:
        yield running


async def test_the_index_is_that_of_now_with_its_past(gateway):
    told = await gateway.json("/api/v1/index")
    [overall] = told["categories"]
    last = next(o.event for o in reversed(world()) if o.topic == NOISE_INDEX)
    age_s = parse_time(told["at"]) - last.at.timestamp()
    assert overall["value"] == pytest.approx(last.value * 2 ** -(age_s / last.half_life))
    assert overall["history"][-1] == {
        "at": overall["event"]["at"],
        "value": last.value,
        "average": last.average,
        "relative": None,
    }


async def test_overall_comes_first_and_relative_decays_too():
    event = next(o.event for o in reversed(world()) if o.topic == NOISE_INDEX)
    told = [
        Output(NOISE_INDEX, category, f"{category}/1", hours(h), replace(event, category=category, **more))
        for category, h, more in (
            ("Ethics", 0.0, {}),
            ("overall", 0.0, {"relative": 2.0, "at": from_epoch(hours(0.0))}),
            ("Safety", 168.0, {"at": from_epoch(hours(168.0))}),
        )
    ]
    async with served(streaming(), *told) as gateway:
        index = await gateway.json("/api/v1/index")
        assert [each["category"] for each in index["categories"]] == ["overall", "Ethics", "Safety"]
        pulse = await gateway.json("/api/v1/pulse")
        assert pulse["index"]["relative"] == pytest.approx(1.0), "half of it is left after a week"


async def test_the_pulse_says_how_it_is(gateway):
    pulse = await gateway.json("/api/v1/pulse")
    board = await gateway.json("/api/v1/incidents")
    assert pulse["loudest"] == board["incidents"][0]
    assert pulse["incidents"] == len({o.key for o in world() if o.topic == NOISE_SCORES})
    assert (pulse["clock"], pulse["latest_event_at"]) == ("stream", pulse["at"])


async def test_a_recap_has_the_months_loudest_and_what_happened(gateway):
    recap = await gateway.json("/api/v1/recap/2026-06")
    noise = [each["noise"] for each in recap["loudest"]]
    assert noise == sorted(noise, reverse=True)
    assert {each["topic"] for each in recap["events"]} == {STATE_CHANGES, "peak-crossings"}
    empty = await gateway.json("/api/v1/recap/1999-12")
    assert (empty["loudest"], empty["events"]) == ([], [])
    for month in ("2026-13", "2026-6", "06-2026", "2026-06%0A", "٢٠٢٦-06"):
        assert (await gateway.json(f"/api/v1/recap/{month}", 400))["parameter"] == "month"


async def test_figures_are_found_however_they_are_written(gateway):
    listed = (await gateway.json("/api/v1/figures?limit=1"))["figures"]
    assert len(listed) == 1
    name = listed[0]["name"]
    assert (await gateway.json(f"/api/v1/figures/{quoted(name.upper())}"))["parts"] == listed[0]["parts"]
    await gateway.json("/api/v1/figures/nobody", 404)
    await gateway.json("/api/v1/figures/a%00b", 404)


async def test_a_figure_may_be_called_anything():
    name = 'Ann "<b>" O\'Neil / AC/DC & Söhne 😀'
    async with served(streaming(), *scored("leak", title="T", parties=(Party(name),))) as gateway:
        figure = await gateway.json(f"/api/v1/figures/{quoted(name)}")
        assert figure["name"] == name
        assert (figure["parts"][0]["title"], figure["parts"][0]["incident_id"]) == ("T", "leak")


async def test_the_methodology_is_that_of_the_policy_that_runs(gateway):
    told = await gateway.json("/api/v1/methodology")
    assert told["policy"]["curve"]["half_life_h"] == load_policy().curve.half_life_h
    assert {"Factors", "Levels", "Index"} <= {section["title"] for section in told["sections"]}


async def test_operations_say_what_is_known_and_null_what_is_not(gateway):
    told = await gateway.json("/api/v1/operations")
    assert told["view"]["generation"] == 1
    assert told["view"]["live_entries"] > 100
    assert told["gateway"]["clients"] == {"sse": 0, "websocket": 0}
    kafka = told["kafka"]
    assert (kafka["lag_records"], kafka["dead_letters"], kafka["partitions"]) == (None, None, [])
    assert "not asked" in kafka["error"]


# -- the feed -----------------------------------------------------------------------------------------------


async def feed(gateway, query=""):
    async with gateway.http.get(f"/feed.atom{query}") as answer:
        assert answer.content_type == "application/atom+xml"
        return ET.fromstring(await answer.read())


def texts(root, name):
    return [element.text for element in root.iter(f"{{{ATOM}}}{name}")]


async def test_the_feed_is_atom_with_the_latest_change_first(gateway):
    """Given state changes; then each is an entry with what RFC 4287 wants, the latest first, under an id that stays."""
    root = await feed(gateway)
    changes = [o for o in world() if o.topic == STATE_CHANGES]
    entries = root.findall(f"{{{ATOM}}}entry")
    assert len(entries) == min(50, len(changes))
    for name in ("id", "title", "updated"):
        assert len(root.findall(f"{{{ATOM}}}{name}")) == 1
        assert all(len(entry.findall(f"{{{ATOM}}}{name}")) == 1 for entry in entries)
    assert root.find(f"{{{ATOM}}}author/{{{ATOM}}}name") is not None
    updated = [parse_time(text) for text in texts(root, "updated")]
    assert updated[1:] == sorted(updated[1:], reverse=True)
    assert updated[0] == updated[1]
    ids = texts(root, "id")[1:]
    assert set(ids) == {f"urn:decibel:state-changes:{quoted(o.id)}" for o in changes}


async def test_the_feed_of_a_category_has_its_incidents_alone():
    told = [*scored("leak", category=Category.SAFETY), *scored("strike", category=Category.LABOR)]
    async with served(streaming(), *told) as gateway:
        links = [
            each.get("href") for each in (await feed(gateway, "?category=Labor")).iter(f"{{{ATOM}}}link")
        ]
        assert any(link.endswith("/incident/strike") for link in links)
        assert not any(link.endswith("/incident/leak") for link in links)


async def test_what_strangers_wrote_stays_text_in_the_feed():
    """Given titles and ids with markup and what XML cannot hold; then the feed parses and says them as text."""
    title, incident = "<script>alert(1)</script> & ]]> \ud7ff￾\x0b\x1b", "a\"><x>&'/../"
    async with served(
        streaming(), *scored(incident, title=title), base_url="https://decibel.example/at"
    ) as gateway:
        root = await feed(gateway)
        assert any("<script>alert(1)</script> & ]]>" in text for text in texts(root, "title"))
        assert not list(root.iter("script"))
        assert f"https://decibel.example/at/incident/{quoted(incident)}" in {
            link.get("href") for link in root.iter(f"{{{ATOM}}}link")
        }


async def test_a_change_of_a_later_version_is_told_all_the_same():
    change = StateChange("leak", 900, from_epoch(hours(2.0)), None, State.GROWING, "a rule", {}, 51.0)
    async with served(
        streaming(), *scored("leak"), Output(STATE_CHANGES, "leak", "x", hours(2.0), change)
    ) as gateway:
        summaries = texts(await feed(gateway), "summary")
        assert "first seen as Growing: a rule. Noise 51/100." in summaries


# -- the badge ----------------------------------------------------------------------------------------------


async def test_a_badge_says_the_noise_of_now(gateway):
    [loudest] = (await gateway.json("/api/v1/incidents?limit=1"))["incidents"]
    async with gateway.http.get(f"/badge/{quoted(loudest['incident_id'])}.svg") as answer:
        assert answer.content_type == "image/svg+xml"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        root = ET.fromstring(await answer.read())
    assert root.get("aria-label") == f"noise: {int(loudest['noise'])} {loudest['level']}"


async def test_the_badge_of_nobody_says_that_it_is_unknown(gateway):
    async with gateway.http.get("/badge/nobody.svg") as answer:
        assert answer.status == 200
        assert b"noise: unknown" in await answer.read()


def test_what_a_badge_says_is_escaped():
    root = ET.fromstring(picture("<a>", '"/><script>\x00', "#000000"))
    assert "script" not in {element.tag.rpartition("}")[2] for element in root.iter()}
    assert root.get("aria-label") == '<a>: "/><script>\ufffd'


@pytest.mark.parametrize("colour", [colour for _, colour in COLOURS])
def test_white_on_each_colour_can_be_read(colour):
    """WCAG 2.2, 1.4.3: a contrast of 4.5 to 1."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert 1.05 / (luminance + 0.05) >= 4.5


async def test_json_is_the_only_thing_that_json_answers_are(gateway):
    async with gateway.http.get("/api/v1/incidents") as answer:
        assert answer.headers["Content-Type"] == "application/json"
        assert msgspec.json.decode(await answer.read())
