"""What strangers write (titles, names, ids, addresses) is text on every page: it runs nothing, breaks nothing."""

import pytest
import pytest_asyncio
from playwright.async_api import expect

from schemas.incident_profile import Party
from schemas.words import Category, Side, Tier
from tests.builders import item, profile
from tests.real.browser.site import DESKTOP, PHONE, WAIT_MS, incident_path, is_live, page_of

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,  # a broker, a worker, a sink, a gateway, a Redis and a browser start
    pytest.mark.asyncio(loop_scope="module"),
]

RUNS = "window.ran.push(1)"
CORPUS = {
    "script": f"<script>{RUNS}</script>",
    "closes": f"</title></script><script>{RUNS}</script>",
    "image": f'<img src=x onerror="{RUNS}">',
    "vector": f"<svg/onload={RUNS}><animate onbegin={RUNS} attributeName=x>",
    "frame": f'<iframe srcdoc="<script>parent.{RUNS}</script>"></iframe>',
    "quotes": f"\"' onmouseover='{RUNS}' x=\"",
    "javascript": f"javascript:{RUNS}",
    "spaced": f"  java\tscript:{RUNS}//",
    "vbscript": f"vbscript:{RUNS}",
    "page": f"data:text/html,<script>{RUNS}</script>",
    "secure": f'https://example.org/"><script>{RUNS}</script>',
    "userinfo": "https://127.0.0.1@evil.example/\\..\\x",
    "template": "{{constructor.constructor('window.ran.push(1)')()}} ${window.ran.push(1)} <%= 1 %>",
    "style": "<style>*{display:none}</style><link rel=stylesheet href=//evil.example/x.css>",
    "base": "<base href=https://evil.example/><meta http-equiv=refresh content='0;url=//evil.example'>",
    "comment": "<!-- --!> ]]> <![CDATA[",
    "right-to-left": "\u202egnol\u202c \u2067\u05e9\u05dc\u05d5\u05dd\u2069 \u0645\u0631\u062d\u0628\u0627",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈 Z͑͆̈ͫ͛̍̃a̸lg̵o̷ 🚀" * 3,
    "long": "W" * 180,
    "path": "../../../etc/passwd?#%2e%2e%2f%00",
    "breaks": "one\ntwo\r\nthree\u2028four\u2029five\u0085six\x0bseven",
    "nulls": "\ufeff\ufffe\u0000\u0007\u001b[31mred",
    "numbers": "-1e309 NaN 'null' undefined __proto__ constructor",
}
"""By what each attempts."""


def incident_of(name):
    """An id that holds the attempt too: ids stand in addresses, attributes and texts. NUL is refused in them."""
    return f"{name} {CORPUS[name]}"[:240].replace("\0", "")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hostile(site):
    """A site on which every text is an attempt."""
    events = []
    for number, (name, text) in enumerate(CORPUS.items()):
        incident = incident_of(name)
        cast = tuple(
            Party(f"{side.value} {text}"[:128], side, Tier.S, text)
            for side in (Side.CRITIC, Side.DEFENDER, Side.NEUTRAL)
        )
        said = type(profile())(
            incident,
            title=text,
            category=Category.ETHICS,
            parties=cast,
            summary=text,
            why_it_matters=text,
            key_points=(text, text),
            forecast=text,
        )
        items = [
            item(
                text[:200].replace("\0", ""),
                incident,
                h=number / 4,
                platform=f"p{text}"[:64],
                likes=500,
                audience=10_000,
                title=text,
                url=text,
            ),
            item(f"https://evil.example/{name}", incident, h=number / 4 + 0.1, platform="news", likes=500),
        ]
        events += [said, *(items if number % 2 else reversed(items))]
    await site.send(*events)
    return site


async def is_harmless(page):
    """Nothing ran, no dialog came up, every address of a link is of the web, and the page is as wide as the screen."""
    assert await page.evaluate("window.ran") == []
    links = await page.locator("a").evaluate_all("all => all.map((each) => each.protocol)")
    assert set(links) <= {"http:", "https:"}
    for evil in await page.locator("a[href*='evil.example']:not([href^='/'])").all():
        assert "noopener" in str(await evil.get_attribute("rel"))
    assert (
        await page.locator("main script, main iframe, main img, main style, main base, main link").count()
        == 0
    )
    width, screen = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= screen


def without_dialogs(page):
    """Collect the dialogs that a page opens."""
    opened = []

    async def dismissed(dialog):
        opened.append(dialog.message)
        await dialog.dismiss()

    page.on("dialog", dismissed)
    return opened


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_the_board_shows_every_attempt_as_text(hostile, browser, viewport):
    """Given a board of attempts; when it is shown; then each stands there as written, and nothing comes of it."""
    async with page_of(browser, viewport=viewport) as page:
        dialogs = without_dialogs(page)
        await page.goto(hostile.address)
        await is_live(page)
        await expect(page.locator(".row")).to_have_count(len(CORPUS), timeout=WAIT_MS)
        shown = await page.locator(".row h2 a").evaluate_all("all => all.map((each) => each.textContent)")
        assert sorted(shown) == sorted(CORPUS.values())
        for link in await page.locator(".row h2 a").all():
            await link.hover()
        await is_harmless(page)
        assert dialogs == []


@pytest.mark.parametrize("name", list(CORPUS))
async def test_an_incident_and_its_figures_show_an_attempt_as_text(hostile, browser, name):
    """Given an incident whose every text is an attempt; when its page and a figure's are opened on a phone; then they
    show what was written, and nothing has come of it."""
    async with page_of(browser, viewport=PHONE) as page:
        dialogs = without_dialogs(page)
        await page.goto(hostile.address + incident_path(incident_of(name)))
        await is_live(page)
        await expect(page.locator("#title")).to_have_text(CORPUS[name], timeout=WAIT_MS, use_inner_text=False)
        await expect(page.locator(".gauge-number")).not_to_be_empty(timeout=WAIT_MS)
        await is_harmless(page)
        await page.locator("#sides a").first.click()
        await expect(page.locator("#name")).not_to_be_empty(timeout=WAIT_MS)
        await expect(page.locator(".part")).to_have_count(1, timeout=WAIT_MS)
        await is_harmless(page)
        assert dialogs == []
