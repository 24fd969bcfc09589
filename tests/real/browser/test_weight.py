"""The first view is light, and a board of a thousand incidents is as quick to read as one of ten."""

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.builders import item, profile
from tests.real.browser.site import WAIT_MS, is_live, page_of

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,  # a broker, a worker, a sink, a gateway, a Redis and a browser start
    pytest.mark.asyncio(loop_scope="module"),
]

BUDGET_KB = 150
"""HTML, CSS, scripts and the first answers, as they are transferred: two seconds on a slow phone line."""
INCIDENTS = 1000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def thousand(site):
    """A site of a thousand incidents, the first of them the loudest."""
    titles = [
        type(profile())(f"i{n:04d}", title=f"The matter of number {n}, told at some length")
        for n in range(INCIDENTS)
    ]
    items = [
        item(f"x{n}", f"i{n:04d}", h=n / 1000, likes=50_000 // (n + 1), audience=5_000_000 // (n + 1))
        for n in range(INCIDENTS)
    ]
    await site.send(*titles, *items)
    return site


@pytest.mark.parametrize(
    ("path", "ready"),
    [("/", ".row"), ("/incident/i0000", ".gauge-level"), ("/methodology", "#sections section")],
)
async def test_the_first_view_is_within_the_budget(thousand, browser, path, ready, record_property):
    """Given an empty cache; when a page is opened; then all that came until it is filled is below 150 kB."""
    async with page_of(browser) as page:
        line = await page.context.new_cdp_session(page)
        await line.send("Network.enable")
        came: dict[str, float] = {}
        names: dict[str, str] = {}
        line.on(
            "Network.requestWillBeSent",
            lambda said: names.update({said["requestId"]: said["request"]["url"]}),
        )
        line.on(
            "Network.loadingFinished",
            lambda said: came.update({said["requestId"]: said["encodedDataLength"]}),
        )
        await page.goto(thousand.address + path)
        await expect(page.locator(ready).first).to_be_visible(timeout=WAIT_MS)
        await page.wait_for_load_state("load")
        if path != "/methodology":
            await is_live(page)
        total = sum(came.values()) / 1000
        record_property("kB", round(total, 1))
        outside = [url for url in names.values() if not url.startswith(thousand.address)]
        assert outside == []
        assert 10 < total < BUDGET_KB, sorted((round(size), names[key]) for key, size in came.items())


async def test_a_long_board_stays_long_when_it_is_asked_for_anew(thousand, browser):
    """Given a board unfolded to more than one answer holds; when one of its first falls silent; then that one leaves,
    who was below comes up, and as many as before are shown."""
    async with page_of(browser) as page:
        await page.goto(thousand.address)
        await is_live(page)
        for count in range(50, 250, 25):
            await page.get_by_role("button", name="Show 25 more").click()
            await expect(page.locator(".row")).to_have_count(count, timeout=WAIT_MS)
        await thousand.send(item("x1", "i0001", h=0.001, seen=1.0, retracted=True))
        await expect(page.locator('[data-incident="i0001"]')).to_have_count(0, timeout=WAIT_MS)
        await expect(page.locator(".row")).to_have_count(225, timeout=WAIT_MS)
        await expect(page.locator("#failure")).to_be_hidden()


async def test_a_board_of_a_thousand_is_read_page_by_page(thousand, browser):
    """Given a thousand incidents; when the board is opened and more is asked for; then it shows 25, then 50, in
    order of noise; and one from far below that becomes loud takes its place."""
    async with page_of(browser) as page:
        await page.goto(thousand.address)
        await is_live(page)
        await expect(page.locator(".row")).to_have_count(25, timeout=WAIT_MS)
        await expect(page.locator("#count")).to_contain_text("25 of 1,000 incidents", timeout=WAIT_MS)
        await page.get_by_role("button", name="Show 25 more").click()
        await expect(page.locator(".row")).to_have_count(50, timeout=WAIT_MS)
        numbers = await page.locator(".row-number").evaluate_all(
            "all => all.map((each) => Number(each.textContent))"
        )
        assert numbers == sorted(numbers, reverse=True)
        assert await page.locator('[data-incident="i0900"]').count() == 0
        await thousand.send(
            *(
                item(
                    f"rise{n}",
                    "i0900",
                    h=1.0 + n / 60,
                    platform=("reddit", "x", "news")[n % 3],
                    likes=20_000,
                    audience=900_000,
                )
                for n in range(30)
            )
        )
        risen = page.locator('[data-incident="i0900"]')
        await expect(risen).to_be_visible(timeout=WAIT_MS)
        await expect(risen.locator("h2")).to_have_text(
            "The matter of number 900, told at some length", timeout=WAIT_MS
        )
        await expect(page.locator(".row").first).to_have_attribute("data-incident", "i0900", timeout=WAIT_MS)
        await expect(page.locator(".row")).to_have_count(50, timeout=WAIT_MS)
