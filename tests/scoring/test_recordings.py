"""Real recordings: delivered in order, and again twice over and shuffled, they come to the same."""

import gzip
import random
from pathlib import Path

import pytest

from schemas.codec import decode_item
from schemas.noise_score import Factors
from schemas.topics import DEAD_LETTERS, NOISE_SCORES
from scoring import factors
from tests import oracle
from tests.driver import SHIPPED_POLICY as POLICY
from tests.driver import Driver, wire
from tests.requirements import unmet

DATA = Path(__file__).parents[3] / "shared" / "data"
RECORDINGS = ("tech-2021", "world-2016")
HOUR_S = 3600.0
BATCH = 500


def recording(name: str) -> list[bytes]:
    path = DATA / name / "items.jsonl.gz"
    if not path.exists():
        unmet(f"the recording {name} is needed at {path}: it is not part of the repository")
    return gzip.decompress(path.read_bytes()).splitlines()


def delivered(lines: list[bytes], *, stored: bool = False, conflate: bool = False) -> Driver:
    driver = Driver(stored=stored, conflate=conflate)
    items = [decode_item(line) for line in lines]
    records = [driver.record(each) for each in items]
    for start in range(0, len(records), BATCH):
        driver.batch(records[start : start + BATCH])
    assert driver.outputs(DEAD_LETTERS) == []
    return driver


def twice_and_shuffled(lines: list[bytes], seed: int) -> list[bytes]:
    """Every line two times, each anywhere within the hour after it was observed."""
    chance = random.Random(seed)
    arrivals = [
        (decode_item(line).observed_at.timestamp() + chance.uniform(0.0, HOUR_S), line)
        for line in lines
        for _ in range(2)
    ]
    return [line for _, line in sorted(arrivals)]


def final_factors(driver: Driver) -> dict[str, list[float]]:
    return {
        incident_id: [
            getattr(factors.factors(held.incident, POLICY), name) for name in Factors.__struct_fields__
        ]
        for incident_id, held in driver.ledger._held.items()
    }


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_delivered_twice_and_shuffled_within_an_hour_gives_the_same_factors(name):
    # given
    lines = recording(name)
    plain = final_factors(delivered(lines))

    # when
    jumbled = final_factors(delivered(twice_and_shuffled(lines, seed=2021)))

    # then
    assert plain.keys() == jumbled.keys()
    for incident_id, values in plain.items():
        assert jumbled[incident_id] == pytest.approx(values, abs=1e-9), incident_id


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_evidence_of_a_recording_is_that_of_the_oracle(name):
    # given
    lines = recording(name)
    by_incident: dict[str, list] = {}
    for line in lines:
        each = decode_item(line)
        by_incident.setdefault(each.incident_id, []).append(each)

    # when
    driver = delivered(lines)

    # then
    found = final_factors(driver)
    for incident_id, stream in by_incident.items():
        standing = oracle.standing(stream, POLICY)
        expected, recent = oracle.evidence(standing), oracle.recent(standing, POLICY)
        values = oracle.factors(expected, POLICY, recent=recent)
        assert found[incident_id] == pytest.approx(values, abs=1e-9), incident_id
        assert driver.state(incident_id).items == expected.items


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_through_stored_rows_tells_the_same_to_the_byte(name):
    # given
    lines = recording(name)

    # when
    plain, storing = delivered(lines), delivered(lines, stored=True)

    # then
    assert wire(storing.log) == wire(plain.log)
    assert len(plain.outputs(NOISE_SCORES)) == len({each.id for each in plain.outputs(NOISE_SCORES)})
