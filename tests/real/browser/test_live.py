"""The pages follow what happens: without reload, by themselves, and through the loss of the server."""

import asyncio
import json
import math
import re
import subprocess

import pytest
from playwright.async_api import expect

from schemas.codec import encode
from schemas.incident_profile import Party
from schemas.words import Category, Side, State, Tier
from tests.builders import item, profile
from tests.real.browser.site import (
    DECIBEL,
    WAIT_MS,
    incident_path,
    is_live,
    page_of,
    row_of,
    shown_text,
)

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,  # a broker, a worker, a sink, a gateway, a Redis and a browser start
    pytest.mark.asyncio(loop_scope="module"),
]

CAST = (
    Party("Ada Quill", Side.CRITIC, Tier.A, "Wants the records."),
    Party("Corvane", Side.DEFENDER, Tier.B, "Says all is well."),
    Party("Onlooker", Side.NEUTRAL, Tier.C),
)


def told(incident, title, **fields):
    """A profile with a title."""
    return type(profile())(incident, title=title, category=Category.SAFETY, **fields)


async def number_of(page, incident):
    """The noise that the board shows of an incident."""
    return int(await page.locator(f"{row_of(incident)} .row-number").inner_text())


async def order_on(page):
    """The incidents on the board in their order."""
    return await page.locator(".row").evaluate_all("rows => rows.map((row) => row.dataset.incident)")


async def test_an_incident_rises_and_changes_its_state_before_the_readers_eyes(site, browser):
    """Given a board with two incidents; when the quieter one draws a crowd on two platforms; then, without reload, it
    takes the first place, is louder, shows its new state, and the change stands in the list."""
    await site.send(
        told("calm", "A calm affair"),
        told("leak", "A leak", parties=CAST),
        *(item(f"c{n}", "calm", h=n / 10, likes=900, audience=20_000) for n in range(3)),
        item("l0", "leak", h=0.4, likes=3),
    )
    async with page_of(browser) as page:
        await page.goto(site.address)
        await is_live(page)
        await shown_text(page, f"{row_of('leak')} .row-meta", State.EMERGING)
        assert await order_on(page) == ["calm", "leak"]
        before = await number_of(page, "leak")
        await page.evaluate("window.untouched = true")
        await site.send(
            *(
                item(
                    f"l{n}",
                    "leak",
                    h=1 + n / 40,
                    platform=("reddit", "news")[n % 2],
                    likes=4000,
                    audience=90_000,
                )
                for n in range(1, 40)
            )
        )
        await shown_text(page, f"{row_of('leak')} .row-meta", State.DEBATED)
        await expect(page.locator(".row").first).to_have_attribute("data-incident", "leak", timeout=WAIT_MS)
        assert await number_of(page, "leak") > before
        await expect(page.locator("#changes")).to_contain_text(f"{State.DEBATED}, was", timeout=WAIT_MS)
        assert await page.evaluate("window.untouched")


async def test_the_gauge_shows_what_explain_says(site, browser, tmp_path):
    """Given the incident's records in a file; when its page is opened from the board; then gauge, level and the seven
    factors are those that `decibel explain` tells, and the page has all that a reader is to be told."""
    records = [
        item(
            f"g{n}",
            "gauge",
            h=2 + n / 9,
            platform=("reddit", "news", "hackernews")[n % 3],
            likes=300 * n,
            stance=(-1) ** n * 0.5,
        )
        for n in range(1, 30)
    ]
    said = told(
        "gauge",
        "A measured matter",
        parties=CAST,
        summary="What happened.",
        why_it_matters="It may settle it.",
        key_points=("One.", "Two."),
        forecast="More will come.",
        industry_impact=70.0,
    )
    (tmp_path / "items.jsonl").write_bytes(b"\n".join(encode(each) for each in records))
    (tmp_path / "profiles.jsonl").write_bytes(encode(said))
    await site.send(said, *records)
    arguments = ("explain", "gauge", "--json", "--data", "items.jsonl", "--profiles", "profiles.jsonl")
    done = await asyncio.to_thread(
        subprocess.run, [DECIBEL, *arguments], cwd=tmp_path, capture_output=True, check=True, timeout=60
    )
    explained = json.loads(done.stdout)
    async with page_of(browser) as page:
        await page.goto(site.address)
        await page.get_by_role("link", name="A measured matter").first.click()
        meter = page.get_by_role("meter", name="Noise")
        await expect(meter).to_have_attribute(
            "aria-valuenow", str(math.floor(explained["noise"])), timeout=WAIT_MS
        )
        await expect(meter).to_have_attribute("aria-valuetext", re.compile(explained["level"]))
        for line, cells in zip(
            explained["factors"], await page.locator(".factors tbody tr").all(), strict=True
        ):
            value, _, points = await cells.locator("td").all_inner_texts()
            assert value == f"{line['value']:.0f}", line
            assert abs(float(points) - line["noise_points"]) < 0.06, line
        await shown_text(page, "#verdict", f"noise {math.floor(explained['noise'])}/100")
        for selector, words in (
            ("#kicker", "Safety"),
            ("#facts", "Incident gauge"),
            ("#vitals", "Decay"),
            ("#vitals", explained["trend"]["trend"]),
            ("#vitals", "Falls to"),
            ("#vitals", "Peak"),
            ("#vitals", "29 source items across 3 platforms"),
            ("#vitals", "Mainstream media had it first"),
            ("#explained", "carries more of the noise than any other factor"),
            ("#last-change", "points by an observation"),
            ("#words", "It may settle it."),
            ("#words", "Key points"),
            ("#words", "What happened."),
            ("#sides", "Critics"),
            ("#sides", "Wants the records."),
            ("#sides", "Neutral"),
            ("#shift", explained["polarity"]["shift"]),
            ("#forecast", "90 % of cases"),
            ("#forecast", "More will come."),
            ("#timeline", "First detected"),
            ("#timeline", "New peak at"),
            ("#citation", "Decibel incident gauge, noise"),
        ):
            await shown_text(page, selector, words)
        for chart in ("noise-chart", "polarity-chart"):
            assert await page.locator(f"#{chart} svg path.line").count() == 1
        assert await page.locator("#noise-chart .band-90").count() == 1
        await page.get_by_role("link", name="Ada Quill").click()
        await shown_text(page, "#incidents", "A measured matter")


async def test_between_events_the_page_counts_down_by_itself(site, browser):
    """Given an incident of which nothing new comes; when seconds pass; then the countdown of its decay has moved."""
    await site.send(told("still", "Nothing new"), item("s0", "still", h=5.0, likes=500, audience=9000))
    async with page_of(browser) as page:
        await page.goto(site.address + incident_path("still"))
        await shown_text(page, ".countdown", "Falls to")
        first = await page.locator(".countdown").inner_text()
        await expect(page.locator(".countdown")).not_to_have_text(first, timeout=WAIT_MS)


async def test_a_killed_gateway_is_missed_and_nothing_is_lost_when_it_is_back(site, browser):
    """Given an open page; when its gateway is killed, much happens, and it is started again; then the page says so,
    goes on by itself, and has heard every event of the incident, each once and in order."""
    await site.send(told("storm", "A storm"), item("w0", "storm", h=6.0, likes=5))
    async with page_of(browser) as page:
        await page.goto(site.address + incident_path("storm"))
        await is_live(page)
        opened_at = len([each for each in await site.live() if each.key == "storm"])
        await site.send(item("w1", "storm", h=6.1, likes=700))
        site.gateway.kill()
        await expect(page.locator("#connection")).to_have_attribute("data-state", "lost", timeout=WAIT_MS)
        await site.send(
            *(
                item(
                    f"w{n}",
                    "storm",
                    h=6.2 + n / 50,
                    platform=("news", "x")[n % 2],
                    likes=900 * n,
                    audience=50_000,
                )
                for n in range(2, 60)
            )
        )
        site.gateway.start()
        await asyncio.to_thread(site.gateway.until_ready)
        await is_live(page)
        noise = math.floor(site.answer("/api/v1/incidents/storm")["noise"])
        await expect(page.get_by_role("meter")).to_have_attribute(
            "aria-valuenow", str(noise), timeout=WAIT_MS
        )
        wanted = [each.place for each in await site.live() if each.key == "storm"][opened_at:]
        await page.wait_for_function("count => window.heard.length >= count", arg=len(wanted))
        assert len(wanted) > 20
        assert await page.evaluate("window.heard") == wanted
        await shown_text(page, "#timeline", State.DEBATED)
