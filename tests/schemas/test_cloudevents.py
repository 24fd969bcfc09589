"""Headers: CloudEvents 1.0 in binary mode, the same for the same event."""

from __future__ import annotations

import re

import pytest

from schemas.cloudevents import TYPE_OF, Output, headers
from schemas.examples import EXAMPLE_OF
from schemas.topics import DEAD_LETTERS, EVENT_OF, NOISE_SCORES


def output(topic: str = NOISE_SCORES, key: str = "log4shell") -> Output:
    return Output(topic, key, f"{key}/17/noise", 1639120020.25, EXAMPLE_OF[topic])


def test_an_event_carries_every_attribute_in_a_fixed_order():
    assert headers(output()) == [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"log4shell/17/noise"),
        ("ce_source", b"/decibel"),
        ("ce_type", b"decibel.noise-score.updated.v1"),
        ("ce_time", b"2021-12-10T07:07:00.250Z"),
        ("ce_subject", b"log4shell"),
        ("content-type", b"application/json"),
    ]


def test_the_same_event_has_the_same_headers():
    assert headers(output()) == headers(output())


def test_an_id_beyond_ascii_is_written_in_utf_8():
    # when
    written = dict(headers(output(key="Übernahme")))

    # then
    assert written["ce_subject"] == "Übernahme".encode()
    assert written["ce_id"] == "Übernahme/17/noise".encode()


def test_the_dead_letter_of_a_record_without_key_has_no_subject():
    # given a record without key
    rejected = output(DEAD_LETTERS, key="")

    # when
    written = dict(headers(rejected))

    # then no attribute is empty, as CloudEvents demands
    assert "ce_subject" not in written
    assert all(written.values())


@pytest.mark.parametrize("topic", EVENT_OF)
def test_every_topic_has_a_versioned_type_of_its_own(topic: str):
    assert re.fullmatch(r"decibel\.[a-z-]+\.[a-z]+\.v[1-9][0-9]*", TYPE_OF[topic])
    assert list(TYPE_OF.values()).count(TYPE_OF[topic]) == 1


def test_types_examples_and_events_are_given_for_the_same_topics():
    assert TYPE_OF.keys() == EVENT_OF.keys() == EXAMPLE_OF.keys()
    assert all(type(EXAMPLE_OF[topic]) is event for topic, event in EVENT_OF.items())
