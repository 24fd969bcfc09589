"""The simulator's loudest incident, scored by the shipped policy, becomes what a demo is to show."""

from schemas.times import HOUR_S
from schemas.topics import STATE_CHANGES
from schemas.words import State
from stream.simulator import Simulation
from tests.driver import Driver

START = 1_780_000_000.0


def test_the_loudest_incident_becomes_a_major_controversy_within_twelve_hours() -> None:
    """Given six incidents; when the first's twelve hours are scored in stream time; then it is a major controversy."""
    simulation = Simulation(seed=7, incidents=6, start=START)
    loudest = simulation.incidents[0].id
    driver = Driver(clock="stream")
    for profile in simulation.profiles():
        if profile.incident_id == loudest:
            driver.profile(profile, at=START)
    for observation in simulation.observations(until=START + 12 * HOUR_S):
        if observation.incident_id == loudest:
            driver.pipe(observation)

    assert driver.state(loudest).state is State.MAJOR
    reached = [change.to for change in driver.events(STATE_CHANGES)]
    assert reached[0] is State.EMERGING
    assert reached[-1] is State.MAJOR
