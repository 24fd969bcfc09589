"""Pictures of the pages for docs/img/, from the demo's own story: `python -m bench.screenshots` (`make screenshots`).

The story is replayed for two days, so that the pictures show the same hour on every machine; a gateway serves what came
of it, and the machine's Chromium opens the board and the page of one incident, on a desk (light, dark) and on a phone.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from itertools import chain
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, async_playwright

from schemas.cloudevents import Output
from schemas.codec import encode
from schemas.times import HOUR_S
from schemas.topics import INCIDENT_PROFILES, NOISE_INDEX
from scoring.index import IndexBoard
from scoring.policy import load_policy
from stream.cli.demo import DEFAULT_INCIDENTS
from stream.demo.story import START
from stream.replay.run import Replay
from stream.simulator import Simulation
from tests.gateway import served, streaming

IMAGES = Path(__file__).parents[1] / "docs" / "img"
SEED = 7
"""The demo's, where it is given none."""
HOURS = 46.0
"""How long the story is told: the second wave of the incident that is shown has just begun to fall."""
INCIDENT = "benchmark-003"
"""It has two waves, a day apart."""
INDEX_EVERY_S = HOUR_S
MOST_BYTES = 200_000
COLOURS = 256
DESK, PAPER, PHONE = (
    {"width": 1280, "height": 960},
    {"width": 1280, "height": 1440},
    {"width": 390, "height": 1560},
)
SHOTS = (
    ("board", "/", DESK, "light"),
    ("incident-light", "/incident/{incident}", PAPER, "light"),
    ("incident-dark", "/incident/{incident}", PAPER, "dark"),
    ("incident-phone", "/incident/{incident}", PHONE, "light"),
)


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incident", default=INCIDENT, help="which one to show")
    parser.add_argument("--hours", type=float, default=HOURS, help="how long the story is told")
    parser.add_argument("--folder", type=Path, default=IMAGES, help="where to put them")
    asked = parser.parse_args()
    if shutil.which("chromium") is None:
        sys.exit("chromium is needed to take pictures: apt-get install chromium")
    for name, picture in asyncio.run(pictures(asked.incident, asked.hours)).items():
        print(f"{name}.png: {len(picture) / 1000:.0f} kB")
        if len(picture) > MOST_BYTES:
            sys.exit(f"{name}.png is larger than {MOST_BYTES / 1000:.0f} kB")
        (asked.folder / f"{name}.png").write_bytes(picture)


async def pictures(incident: str, hours: float) -> dict[str, bytes]:
    """Serve the story, and return each picture of it by its name."""
    async with served(streaming(), *story(hours)) as gateway, async_playwright() as player:
        browser = await player.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        address = f"http://127.0.0.1:{gateway.port}"
        found = {
            name: await taken(browser, address + path.format(incident=incident), viewport, scheme)
            for name, path, viewport, scheme in SHOTS
        }
        await browser.close()
        return found


def story(hours: float) -> Iterator[Output]:
    """Yield profiles and events of the demo's first hours, in order, the index every hour."""
    simulation, policy = Simulation(SEED, DEFAULT_INCIDENTS, START), load_policy(None)
    replay = Replay(policy, received_at=time.time(), until=START + hours * HOUR_S)
    index, told_at = IndexBoard(policy), START
    for profile in simulation.profiles():
        yield Output(INCIDENT_PROFILES, profile.incident_id, f"profile {profile.incident_id}", START, profile)
        replay.profile(encode(profile), ("profiles", 1))
    for observation in simulation.observations(START + hours * HOUR_S):
        yield from replay.item(encode(observation), ("items", 1)) or ()
        if replay.time - told_at >= INDEX_EVERY_S:
            told_at = replay.time
            for share in chain.from_iterable(ledger.index_shares() for ledger in replay.ledgers):
                index.apply(share)
            yield from index.index(told_at)
    # Its index is of the last hour's shares alone.
    yield from (output for output in replay.finish() if output.topic != NOISE_INDEX)


async def taken(browser: Browser, address: str, viewport: dict[str, int], scheme: str) -> bytes:
    """Take one picture, when the page has been filled; nothing moves on it."""
    context = await browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(address)
    await page.locator("#connection[data-state=live]").wait_for()
    await page.locator(".index-movers li, .gauge-level").first.wait_for()
    await page.wait_for_function("document.querySelector('.spark-line, .chart .line') !== null")
    raw = await page.screenshot()
    await context.close()
    return packed(raw)


def packed(raw: bytes) -> bytes:
    """Return a picture as small as its own colours allow: where it has few, by a table of them."""
    whole = Image.open(BytesIO(raw)).convert("RGB")
    smallest = b""
    for picture in (
        whole,
        whole.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE),
    ):
        out = BytesIO()
        picture.save(out, "PNG", optimize=True)
        smallest = out.getvalue()
        if len(smallest) <= MOST_BYTES:
            break
    return smallest


if __name__ == "__main__":
    main()
