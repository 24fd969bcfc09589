"""docs/recordings.md says what the recordings come to under the shipped policy."""

from pathlib import Path

import pytest

from bench.alerts import alerts
from bench.pictures import RECORDINGS
from bench.recordings_page import row
from bench.story import stories
from scoring.policy import load_policy
from tests.recordings import SHARED, recording

PAGE = Path(__file__).parents[2] / "docs" / "recordings.md"


@pytest.mark.slow  # two whole recordings are replayed
@pytest.mark.parametrize("name", RECORDINGS)
def test_the_page_has_the_figures_of_each_incident_and_its_picture(name):
    # given
    recording(name)  # skips where it is missing
    page = PAGE.read_text(encoding="utf-8")

    # when
    told = stories(SHARED / name, load_policy())

    # then
    for story in told:
        assert "| " + " | ".join(row(story, alerts(story))) + " |" in page, "run `python -m bench.pictures`"
        assert f"img/{name}-{story.incident_id}.svg" in page
