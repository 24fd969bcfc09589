"""Every page can be used by those who do not see it, and by those who have no mouse; light, dark, wide, narrow."""

import json

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from schemas.incident_profile import Party
from schemas.words import Category, Side, State, Tier
from tests.builders import item, profile
from tests.real.browser.site import DESKTOP, PHONE, WAIT_MS, is_live, page_of, shown_text

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,  # a broker, a worker, a sink, a gateway, a Redis and a browser start
    pytest.mark.asyncio(loop_scope="module"),
]

PAGES = {
    "board": ("/", ".row"),
    "incident": ("/incident/leak", ".gauge-level"),
    "figure": ("/figure/Ada%20Quill", ".part"),
    "methodology": ("/methodology", "#sections section"),
    "operations": ("/operations", ".tile"),
    "nowhere": ("/incident/nowhere", "#failure"),
}
"""Each page, and what is on it when it has been filled."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filled(site):
    """A site with a few incidents of every kind."""
    cast = (
        Party("Ada Quill", Side.CRITIC, Tier.A, "Wants the records."),
        Party("Corvane", Side.DEFENDER, Tier.S, "Says all is well."),
        Party("Onlooker", Side.NEUTRAL, Tier.C, "Waits."),
    )
    said = type(profile())(
        "leak",
        title="A leak",
        category=Category.SAFETY,
        parties=cast,
        summary="What happened.",
        why_it_matters="It may settle it.",
        key_points=("One.", "Two."),
        forecast="More will come.",
    )
    loud = [
        item(
            f"l{n}",
            "leak",
            h=n / 12,
            platform=("reddit", "news")[n % 2],
            likes=3000,
            audience=90_000,
            stance=(-1) ** n * 0.7,
        )
        for n in range(40)
    ]
    await site.send(said, *loud, item("b", "bare", h=3.0, likes=40), item("q", "quiet", h=3.5))
    return site


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", list(PAGES))
async def test_axe_finds_nothing_on_a_page(filled, browser, name, scheme, viewport):
    """Given a page in a scheme and width; when axe-core looks at it; then it finds no issue of weight, and nothing runs
    out of the page at the side."""
    path, ready = PAGES[name]
    async with page_of(browser, viewport=viewport, color_scheme=scheme) as page:
        await page.goto(filled.address + path)
        await expect(page.locator(ready).first).to_be_visible(timeout=WAIT_MS)
        for closed in await page.locator("details").all():
            await closed.locator("summary").click()
        # What is just coming into sight has less contrast than what is there.
        await page.wait_for_function("document.getAnimations().length === 0")
        found = await Axe().run(page)
        issues = [
            (each["impact"], each["id"], [node["html"][:160] for node in each["nodes"]])
            for each in found.response["violations"]
        ]
        assert issues == [], json.dumps(issues, indent=1)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def focused(page):
    """What has the focus, as its text."""
    return await page.evaluate(
        "(document.activeElement.textContent || document.activeElement.name || '').trim()"
    )


async def tab_to(page, wanted, most=60):
    """Press Tab until an element with this text has the focus; it must be seen to have it."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        if wanted in await focused(page):
            style = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert style != "none", f"{wanted} does not show that it has the focus"
            return
    raise AssertionError(f"{wanted} is not reached by {most} presses of Tab")


async def test_all_can_be_reached_and_done_with_the_keyboard_alone(filled, browser):
    """Given the board; when nothing but keys is pressed; then the content is skipped to, the board filtered, an
    incident opened, its figures unfolded, its citation copied, and a figure's page opened."""
    async with page_of(browser) as page:
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.goto(filled.address)
        await is_live(page)
        await tab_to(page, "Skip to the content", most=1)
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "main"
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.name") == "category"
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.name") == "state"
        await page.keyboard.type(State.DEBATED)
        await expect(page.locator(".row")).to_have_count(1, timeout=WAIT_MS)
        assert "state=Debated" in page.url
        await tab_to(page, "A leak")
        await page.keyboard.press("Enter")
        await shown_text(page, "#title", "A leak")
        await is_live(page)
        await tab_to(page, "The figures as a table")
        await page.keyboard.press("Enter")
        await expect(page.locator("#noise-chart table")).to_be_visible(timeout=WAIT_MS)
        await tab_to(page, "Copy citation")
        await page.keyboard.press("Enter")
        await shown_text(page, "#citation", "Copied.")
        assert "Decibel incident leak, noise" in await page.evaluate("navigator.clipboard.readText()")
        await page.reload()
        await shown_text(page, "#title", "A leak")
        await tab_to(page, "Ada Quill")
        await page.keyboard.press("Enter")
        await shown_text(page, "#name", "Ada Quill")


async def test_who_minds_motion_sees_none(filled, browser):
    """Given a reader who asked for less motion; when the board is shown; then nothing on it moves."""
    async with page_of(browser, reduced_motion="reduce") as page:
        await page.goto(filled.address)
        await is_live(page)
        await expect(page.locator(".row").first).to_be_visible(timeout=WAIT_MS)
        assert await page.evaluate("document.getAnimations().length") == 0
