"""docs/operations.md names every setting with its default, every topic and every reason for a dead letter."""

import re
from pathlib import Path

import pytest

from schemas.topics import EVENT_OF
from stream.settings import Secret, Settings
from stream.settings_source import _keys
from stream.worker.metrics import _REASONS

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
DEFAULTS = _keys(Settings)[1]


def section(title):
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(title):
    """The rows of a section's first table, by what stands in their first cell."""
    found = {}
    for line in section(title).splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `"):
            found[cells[0].strip("`")] = cells[1:]
    return found


def test_the_page_names_every_setting_and_no_other():
    assert list(rows("Settings")) == list(DEFAULTS)


@pytest.mark.parametrize("key", [key for key, value in DEFAULTS.items() if not isinstance(value, Secret)])
def test_the_page_tells_the_default(key):
    default, shown = DEFAULTS[key], rows("Settings")[key][0].strip("`")
    if default == "":
        assert shown in {"", "(shipped)", "(system's)"}
    elif isinstance(default, bool):
        assert shown == str(default).lower()
    elif isinstance(default, int | float):
        assert float(shown) == default
    else:
        assert shown == default


def test_the_page_names_every_topic():
    for topic in EVENT_OF:
        assert f"`{topic}`" in section("Topics"), topic


def test_the_page_names_every_reason():
    for reason in _REASONS:
        assert f"`{reason}`" in section("Runbooks"), reason


def test_the_events_page_names_the_same_reasons():
    events = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
    for reason in _REASONS:
        assert f"`{reason}`" in events, reason


def test_each_runbook_that_is_linked_is_there():
    headings = {
        re.sub(r"[^\w -]", "", line[4:]).lower().replace(" ", "-")
        for line in PAGE.splitlines()
        if line[:4] == "### "
    }
    for anchor in re.findall(r"\]\(#([^)]+)\)", PAGE):
        assert anchor in headings, anchor
