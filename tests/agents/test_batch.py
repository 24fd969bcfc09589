"""A batch: what can be accepted is scored, what cannot becomes a dead letter with its reason and its bytes."""

import json

import pytest

from schemas.codec import encode
from schemas.times import to_epoch
from schemas.topics import DEAD_LETTERS, INCIDENT_PROFILES, NOISE_SCORES, SOURCE_ITEMS
from tests.builders import hours, item, profile
from tests.driver import Driver, Raw

GOOD = json.loads(encode(item("bad")))
NOW = hours(5.0)


def spoilt(**changes) -> bytes:
    return json.dumps(GOOD | changes).encode()


def without(field: str) -> bytes:
    return json.dumps({name: value for name, value in GOOD.items() if name != field}).encode()


BAD = {
    "not JSON": (b"hello", "not-json", "not JSON"),
    "cut off": (spoilt()[:-3], "not-json", "not JSON"),
    "not UTF-8": (b'{"item_id":"\xff"}', "not-json", "not JSON"),
    "half a character": (spoilt(item_id="\ud800"), "not-json", "not JSON"),
    "no value": (None, "empty", "no value"),
    "no bytes": (b"", "empty", "no value"),
    "a list": (b"[]", "invalid", "Expected `object`"),
    "no platform": (without("platform"), "invalid", "`platform`"),
    "no incident": (without("incident_id"), "invalid", "`incident_id`"),
    "wrong type": (spoilt(item_id=7), "invalid", "$.item_id"),
    "likes below nothing": (spoilt(engagement={"likes": -1}), "invalid", "$.engagement.likes"),
    "NaN": (spoilt(stance=float("nan")), "not-json", "not JSON"),
    "endless stance": (spoilt(stance=1.0).replace(b"1.0", b"1e400"), "invalid", "$.stance"),
    "no zone": (spoilt(published_at="2026-06-24T00:00:00"), "invalid", "$.published_at"),
    "1970": (spoilt(published_at="1970-01-01T00:00:00Z"), "absurd-time", "$.published_at"),
    "2999": (spoilt(observed_at="2999-01-01T00:00:00Z"), "absurd-time", "$.observed_at"),
    "the year 1": (spoilt(published_at="0001-01-01T00:00:00+14:00"), "absurd-time", "$.published_at"),
    "the year 9999": (spoilt(published_at="9999-12-31T23:59:59-14:00"), "absurd-time", "$.published_at"),
    "oversized": (spoilt(title="x" * 2 * 1024 * 1024), "oversized", "bytes; at most"),
    "NUL in the item": (spoilt(item_id="a\0b"), "invalid", "U+0000"),
    "deep": (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "invalid", "deeply"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("clock", ["stream", "wall"])
def test_a_bad_record_among_good_ones_is_a_dead_letter_and_the_others_are_scored(name, clock):
    # given
    value, reason, says = BAD[name]
    driver = Driver(clock=clock, stored=True)
    records = [
        driver.record(item("a", h=1.0), at=NOW),
        driver.record(value, at=NOW),
        driver.record(item("b", h=2.0), at=NOW),
    ]

    # when
    driver.batch(records)

    # then
    (letter,) = driver.outputs(DEAD_LETTERS)
    assert (letter.event.reason, letter.event.value, letter.event.key) == (reason, value, b"leak")
    assert says in letter.event.error
    origin = letter.event.origin
    assert (origin.topic, origin.partition, origin.offset, to_epoch(origin.at)) == (SOURCE_ITEMS, 0, 1, NOW)
    assert letter.id == "source-items/0/1"
    assert json.loads(encode(letter.event))["reason"] == reason
    assert driver.state().items == 2
    assert driver.events(NOISE_SCORES)[-1].items == 2


@pytest.mark.parametrize("key", [None, b"", b"fire", b"\xff\xfe", b"leak\0"])
def test_a_record_under_another_key_than_its_incident_is_a_dead_letter(key):
    # when
    driver = Driver()
    driver.pipe(item("a"), key=key)

    # then
    (letter,) = driver.outputs(DEAD_LETTERS)
    assert (letter.event.reason, letter.event.key) == ("key", key)
    assert driver.ledger.incident("leak") is None


def test_all_bad_kinds_in_one_batch_cost_none_of_the_good_ones():
    # given
    driver = Driver()
    records = []
    for number, (value, _, _) in enumerate(BAD.values()):
        records += [driver.record(value, at=NOW), driver.record(item(f"good {number}", h=1.0), at=NOW)]

    # when
    outputs = driver.batch(records)

    # then
    assert [each.event.reason for each in outputs if each.topic == DEAD_LETTERS] == [
        bad[1] for bad in BAD.values()
    ]
    assert driver.state().items == len(BAD)


@pytest.mark.parametrize(
    "value", [b"x", None, b'{"incident_id":"leak","industry_impact":101}', b'{"title":"none"}']
)
def test_a_bad_profile_is_a_dead_letter_too(value):
    # when
    driver = Driver()
    driver.pipe(item("a"))
    driver.profile(value)
    driver.profile(profile(impact=100.0))

    # then
    (letter,) = driver.outputs(DEAD_LETTERS)
    assert letter.event.origin.topic == INCIDENT_PROFILES
    assert letter.event.value == value
    assert driver.state().impact == 100.0


def test_a_profile_of_an_incident_with_a_nul_is_a_dead_letter():
    driver = Driver()
    driver.profile(profile("le\0ak"))
    assert [each.event.reason for each in driver.outputs(DEAD_LETTERS)] == ["invalid"]


def test_a_record_without_a_time_of_its_own_still_gives_a_dead_letter_that_can_be_written():
    # given: Kafka's "no timestamp", and one beyond the calendar
    driver = Driver()

    # when
    driver.batch([Raw(0, -1, None, b"x"), Raw(1, 2**62, b"k", b"x")])

    # then
    assert len([encode(each.event) for each in driver.outputs(DEAD_LETTERS)]) == 2
