"""Errors: each keeps its kind and its reason while those who know the place put it in front."""

from __future__ import annotations

import pytest

from schemas.codec import decode_item
from schemas.errors import (
    BrokerError,
    DecibelError,
    PolicyError,
    RecordError,
    RequestError,
    SettingsError,
    StateError,
    ViewError,
)


@pytest.mark.parametrize(
    "kind", [RecordError, SettingsError, PolicyError, BrokerError, ViewError, RequestError, StateError]
)
def test_every_error_keeps_its_kind_and_gets_the_place_in_front(kind: type[DecibelError]):
    # when
    placed = kind("no such topic").at("line 3").at("items.jsonl")

    # then
    assert type(placed) is kind
    assert str(placed) == "items.jsonl: line 3: no such topic"


def test_a_record_error_keeps_its_reason_where_the_place_is_added():
    # given
    error: DecibelError = RecordError("before the year 2000", "absurd-time")

    # when
    placed = error.at("source-items[3]@17")

    # then
    assert isinstance(placed, RecordError)
    assert placed.reason == "absurd-time"
    assert str(placed) == "source-items[3]@17: before the year 2000"


def test_a_record_error_without_a_reason_is_invalid():
    assert RecordError("something is wrong").reason == "invalid"


def test_what_the_parser_said_stays_the_cause():
    # when
    with pytest.raises(RecordError) as refused:
        decode_item(b"{")

    # then
    assert refused.value.__cause__ is not None
