"""What is written is read back as it was, for every event and whatever it holds."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import decode_item, decode_profile, encode
from schemas.examples import EXAMPLE_OF
from schemas.incident_profile import IncidentProfile
from schemas.source_item import SourceItem
from schemas.topics import EVENT_OF
from tests.schemas.strategies import events


@pytest.mark.parametrize("topic", EVENT_OF)
@given(choice=st.data())
@settings(max_examples=60, deadline=None)
def test_an_event_survives_the_wire_and_always_has_the_same_bytes(topic: str, choice: st.DataObject):
    # given
    event = choice.draw(events(EVENT_OF[topic]))

    # when
    line = encode(event)
    read = msgspec.json.decode(line, type=EVENT_OF[topic])

    # then
    assert read == event
    assert encode(event) == encode(read) == line
    assert b"\n" not in line


@given(event=events(SourceItem))
def test_the_decoder_of_observations_accepts_all_that_is_encoded(event: SourceItem):
    assert decode_item(encode(event)) == event


@given(event=events(IncidentProfile))
def test_the_decoder_of_profiles_accepts_all_that_is_encoded(event: IncidentProfile):
    assert decode_profile(encode(event)) == event


@pytest.mark.parametrize("topic", EVENT_OF)
def test_every_time_on_the_wire_is_rfc_3339_in_utc(topic: str):
    # when
    written = json.loads(encode(EXAMPLE_OF[topic]))

    # then
    for name in (
        "at",
        "as_of",
        "anchor",
        "first_seen",
        "last_seen",
        "published_at",
        "observed_at",
        "updated_at",
    ):
        assert written.get(name, "Z").endswith("Z")


def test_the_state_before_goes_by_the_name_from():
    # when
    written = json.loads(encode(EXAMPLE_OF["state-changes"]))

    # then
    assert (written["from"], written["to"]) == ("Emerging", "Growing")
    assert "previous" not in written
