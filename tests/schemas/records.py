"""Records as crawlers and editors send them: good ones to spoil, and a table of spoilt ones."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

ITEM = {
    "item_id": "hackernews:29504755",
    "incident_id": "log4shell",
    "platform": "hackernews",
    "published_at": "2021-12-10T01:05:00Z",
}
PROFILE = {"incident_id": "log4shell"}

DEEP = 100_000  # far beyond any recursion limit, and still a small record


class Bad(NamedTuple):
    """A record that cannot be accepted: its bytes, the stable reason, and what the message must say."""

    value: bytes | None
    reason: str
    says: str


def item(**changes: Any) -> bytes:
    """The bytes of a good observation, with some fields changed or added."""
    return json.dumps(ITEM | changes).encode()


def profile(**changes: Any) -> bytes:
    """The bytes of a good profile, with some fields changed or added."""
    return json.dumps(PROFILE | changes).encode()


def without(field: str) -> bytes:
    """The bytes of an observation that lacks a field."""
    return json.dumps({name: value for name, value in ITEM.items() if name != field}).encode()


def spliced(fragment: bytes) -> bytes:
    """The bytes of a good observation with raw bytes as one more member: what no JSON library would write."""
    return item()[:-1] + b"," + fragment + b"}"


def _table(**rows: Bad) -> list[Any]:
    return [pytest.param(row, id=name.replace("_", " ")) for name, row in rows.items()]


NOT_JSON = _table(
    no_value=Bad(None, "empty", "no value"),
    no_bytes=Bad(b"", "empty", "no value"),
    only_blanks=Bad(b" \n", "not-json", "not JSON"),
    plain_words=Bad(b"hello", "not-json", "not JSON"),
    cut_off=Bad(item()[:-5], "not-json", "not JSON"),
    two_objects=Bad(item() + item(), "not-json", "trailing characters"),
    not_a_number=Bad(item(stance=float("nan")), "not-json", "not JSON"),
    infinity=Bad(item(stance=float("inf")), "not-json", "not JSON"),
    not_utf_8=Bad(spliced(b'"title":"\xff\xfe"'), "not-json", "utf-8"),
    half_a_character=Bad(spliced(b'"title":"\xe2\x82"'), "not-json", "utf-8"),
    lone_surrogate=Bad(spliced(b'"title":"\\ud800"'), "not-json", "not JSON"),
    control_character=Bad(spliced(b'"title":"a\x01b"'), "not-json", "not JSON"),
    deep_arrays=Bad(spliced(b'"more":' + b"[" * DEEP + b"]" * DEEP), "invalid", "too deeply"),
    deep_objects=Bad(spliced(b'"more":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP), "invalid", "too deeply"),
)
"""Observations that a JSON parser stumbles over, so that no field can be named."""

BAD_ITEMS = _table(
    an_array=Bad(b"[]", "invalid", "Expected `object`, got `array`"),
    null=Bad(b"null", "invalid", "Expected `object`, got `null`"),
    no_item_id=Bad(without("item_id"), "invalid", "`item_id`"),
    no_incident_id=Bad(without("incident_id"), "invalid", "`incident_id`"),
    no_platform=Bad(without("platform"), "invalid", "`platform`"),
    no_published_at=Bad(without("published_at"), "invalid", "`published_at`"),
    number_as_id=Bad(item(item_id=7), "invalid", "`$.item_id`"),
    empty_id=Bad(item(incident_id=""), "invalid", "`$.incident_id`"),
    id_too_long=Bad(item(item_id="x" * 257), "invalid", "`$.item_id`"),
    platform_too_long=Bad(item(platform="x" * 65), "invalid", "`$.platform`"),
    naive_time=Bad(
        item(published_at="2021-12-10T01:05:00"), "invalid", "timezone component - at `$.published_at`"
    ),
    date_only=Bad(item(published_at="2021-12-10"), "invalid", "`$.published_at`"),
    epoch_as_time=Bad(item(observed_at=1639098300), "invalid", "`$.observed_at`"),
    negative_audience=Bad(item(audience=-1), "invalid", "`$.audience`"),
    huge_audience=Bad(item(audience=10**30), "invalid", "`$.audience`"),
    audience_with_a_fraction=Bad(item(audience=12.5), "invalid", "`$.audience`"),
    audience_as_text=Bad(item(audience="12"), "invalid", "`$.audience`"),
    negative_count=Bad(item(engagement={"likes": -1}), "invalid", "`$.engagement.likes`"),
    null_count=Bad(item(engagement={"views": None}), "invalid", "`$.engagement.views`"),
    null_engagement=Bad(item(engagement=None), "invalid", "`$.engagement`"),
    stance_too_low=Bad(item(stance=-1.01), "invalid", "`$.stance`"),
    stance_too_high=Bad(item(stance=1.5), "invalid", "`$.stance`"),
    stance_beyond_float=Bad(spliced(b'"stance":1e400'), "invalid", "`$.stance`"),
    nameless_figure=Bad(item(figures=["apache", ""]), "invalid", "`$.figures[1]`"),
    too_many_figures=Bad(item(figures=["f"] * 65), "invalid", "`$.figures`"),
    number_as_flag=Bad(item(retracted=1), "invalid", "`$.retracted`"),
    title_too_long=Bad(item(title="x" * 4097), "invalid", "`$.title`"),
)
"""Observations that are JSON and wrong in one place, which the message must name."""

BAD_PROFILES = _table(
    no_incident_id=Bad(b"{}", "invalid", "`incident_id`"),
    unknown_category=Bad(profile(category="Gossip"), "invalid", "`$.category`"),
    unknown_side=Bad(profile(parties=[{"name": "a", "side": "both"}]), "invalid", "`$.parties[0].side`"),
    unknown_tier=Bad(profile(parties=[{"name": "a", "tier": "D"}]), "invalid", "`$.parties[0].tier`"),
    nameless_party=Bad(profile(parties=[{"name": "a"}, {}]), "invalid", "`$.parties[1]`"),
    impact_too_high=Bad(profile(industry_impact=100.5), "invalid", "`$.industry_impact`"),
    impact_too_low=Bad(profile(industry_impact=-1), "invalid", "`$.industry_impact`"),
    naive_time=Bad(profile(updated_at="2021-12-10T01:05:00"), "invalid", "`$.updated_at`"),
    too_many_points=Bad(profile(key_points=["p"] * 33), "invalid", "`$.key_points`"),
)
"""Profiles that are JSON and wrong in one place."""
