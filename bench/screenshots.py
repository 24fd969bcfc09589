"""Pictures of the pages for docs/img/, from the demo's own story: `python -m bench.screenshots` (`make screenshots`).

A demo is started at a port of its own and played for a while; the machine's Chromium then opens the board and the
loudest incident that is not the first, on a desk in light and dark and on a phone. PNG with 128 colours: text stays
sharp, and each is a fraction of its size.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "img"
DECIBEL = str(Path(sys.executable).with_name("decibel"))
TOLD_S = 100.0
"""How long the story is told before the pictures are taken: two days and a half of it."""
SPEED = 2200.0
READY_S = 120.0
COLOURS = 128
MOST_BYTES = 200_000
DESK, PHONE = {"width": 1280, "height": 960}, {"width": 390, "height": 1600}
INCIDENT = "choir-009"
"""Its course has a rise, a peak and a fall in the first three days."""
SHOTS = (
    ("board", "/", DESK, "light"),
    ("incident-light", "/incident/{incident}", {**DESK, "height": 1500}, "light"),
    ("incident-dark", "/incident/{incident}", {**DESK, "height": 1500}, "dark"),
    ("incident-phone", "/incident/{incident}", PHONE, "light"),
)


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", help="a site that runs already, as http://127.0.0.1:8765")
    parser.add_argument("--incident", default=INCIDENT, help="which one to show")
    parser.add_argument("--folder", type=Path, default=IMAGES, help="where to put them")
    asked = parser.parse_args()
    browser_path = shutil.which("chromium")
    if browser_path is None:
        sys.exit("chromium is needed to take pictures: apt-get install chromium")
    with demo() if asked.address is None else given(asked.address) as address, sync_playwright() as player:
        browser = player.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for name, path, viewport, scheme in SHOTS:
            picture = taken(browser, address + path.format(incident=asked.incident), viewport, scheme)
            (asked.folder / f"{name}.png").write_bytes(picture)
            print(f"{name}.png: {len(picture) / 1000:.0f} kB")
            if len(picture) > MOST_BYTES:
                sys.exit(f"{name}.png is larger than {MOST_BYTES / 1000:.0f} kB")
        browser.close()


@contextmanager
def given(address: str) -> Iterator[str]:
    """A site that somebody else runs."""
    yield address


@contextmanager
def demo() -> Iterator[str]:
    """Run a demo until its story has been told for a while, and on until the pictures are taken."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [DECIBEL, "demo", "--headless", "--seconds", "3600", "--speed", str(SPEED), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline, began = time.monotonic() + READY_S + TOLD_S, None
        while began is None or time.monotonic() < began + TOLD_S:
            if time.monotonic() > deadline or process.poll() is not None:
                sys.exit("the demo does not run")
            if began is None and incidents(address):
                began = time.monotonic()
            time.sleep(0.2)  # the condition is another process's
        yield address
    finally:
        process.terminate()
        process.wait()


def incidents(address: str) -> int:
    """How many incidents the site knows; none while it does not answer."""
    try:
        with urllib.request.urlopen(f"{address}/api/v1/pulse", timeout=5) as answer:
            return int(json.load(answer)["incidents"])
    except OSError:
        return 0


def taken(browser: Browser, address: str, viewport: dict[str, int], scheme: str) -> bytes:
    """Take one picture, when the page has been filled and nothing on it moves."""
    context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(address)
    page.locator("#connection[data-state=live]").wait_for()
    page.locator(".row, .gauge-level").first.wait_for()
    page.evaluate("document.fonts.ready")
    page.wait_for_function("document.querySelector('.spark-line, .chart .line') !== null")
    raw = page.screenshot()
    context.close()
    few = Image.open(BytesIO(raw)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    packed = BytesIO()
    few.save(packed, "PNG", optimize=True)
    return packed.getvalue()


if __name__ == "__main__":
    main()
