"""What is read: good records with their defaults, bad ones with a reason and the field that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import decode_item, decode_profile
from schemas.errors import RecordError
from schemas.incident_profile import IncidentProfile
from schemas.source_item import Engagement, SourceItem
from schemas.words import Category, Side, Tier
from tests.schemas.records import BAD_ITEMS, BAD_PROFILES, NOT_JSON, Bad, item, profile


def refusal(decode: Callable[[bytes], object], value: bytes) -> RecordError | None:
    try:
        decode(value)
    except RecordError as error:
        return error
    return None


@pytest.mark.parametrize("bad", [*NOT_JSON, *BAD_ITEMS])
def test_a_bad_observation_is_refused_with_its_reason_and_the_field(bad: Bad):
    # when
    with pytest.raises(RecordError) as refused:
        decode_item(bad.value)

    # then
    assert refused.value.reason == bad.reason
    assert bad.says in str(refused.value)


@pytest.mark.parametrize("bad", BAD_PROFILES)
def test_a_bad_profile_is_refused_with_its_reason_and_the_field(bad: Bad):
    # when
    with pytest.raises(RecordError) as refused:
        decode_profile(bad.value)

    # then
    assert refused.value.reason == bad.reason
    assert bad.says in str(refused.value)


@pytest.mark.parametrize("decode", [decode_item, decode_profile])
@given(value=st.binary(max_size=200))
@settings(max_examples=300)
def test_no_bytes_raise_anything_but_a_record_error(decode: Callable[[bytes], object], value: bytes):
    # when
    refused = refusal(decode, value)

    # then
    assert refused is None or refused.reason in {"empty", "not-json", "invalid"}


@given(
    spoilt=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    ),
    field=st.sampled_from(SourceItem.__struct_encode_fields__),
)
def test_whatever_stands_in_a_field_it_is_read_or_refused_by_name(spoilt: object, field: str):
    # given
    value = msgspec.json.encode(msgspec.json.decode(item()) | {field: spoilt})

    # when
    refused = refusal(decode_item, value)

    # then
    assert refused is None or (refused.reason == "invalid" and field in str(refused))


def test_an_observation_needs_four_fields_and_the_rest_has_defaults():
    # when
    read = decode_item(item())

    # then
    assert read == SourceItem(
        item_id="hackernews:29504755",
        incident_id="log4shell",
        platform="hackernews",
        published_at=datetime(2021, 12, 10, 1, 5, tzinfo=UTC),
        observed_at=None,
        audience=None,
        engagement=Engagement(0, 0, 0, 0),
        stance=None,
        figures=(),
        retracted=False,
    )


def test_a_profile_needs_its_incident_alone():
    # when
    read = decode_profile(profile(parties=[{"name": "Apache"}]))

    # then
    assert read.category is Category.OTHER
    assert read.industry_impact is None
    assert (read.parties[0].side, read.parties[0].tier) == (Side.NEUTRAL, Tier.C)
    assert decode_profile(profile()) == IncidentProfile(incident_id="log4shell")


def test_unknown_fields_are_ignored_at_every_depth():
    # given
    plain = decode_item(item(engagement={"likes": 3}))

    # when
    read = decode_item(
        item(engagement={"likes": 3, "claps": 9}, language="en", nested={"deep": [1, {"x": None}]})
    )

    # then
    assert read == plain


def test_a_time_in_another_zone_is_the_same_moment():
    # when
    there = decode_item(item(published_at="2021-12-10T06:35:00+05:30"))

    # then
    assert there.published_at == decode_item(item()).published_at


def test_the_longest_id_and_the_outermost_numbers_are_accepted():
    # given
    longest = "\N{FACE WITH TEARS OF JOY}" * 256

    # when
    read = decode_item(item(item_id=longest, stance=-1, audience=10**15, figures=["f"] * 64))

    # then
    assert (read.item_id, read.stance, read.audience, len(read.figures)) == (longest, -1.0, 10**15, 64)
