"""What comes by itself is known in advance: the next deadline of each score, and all that follows it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.times import to_epoch
from schemas.topics import NOISE_SCORES, PEAK_CROSSINGS, STATE_CHANGES, TREND_UPDATES
from schemas.words import Activity, PeakKind
from scoring.assessment import next_deadline
from scoring.decay import NEVER
from scoring.rows import decode_incident, encode_row
from scoring.upcoming import upcoming
from tests.builders import hours, item, profile
from tests.driver import SHIPPED_POLICY as POLICY
from tests.driver import Driver
from tests.scoring.histories import END_H, histories, play, policies
from tests.scoring.strategies import CROWD

TOLD = (PEAK_CROSSINGS, TREND_UPDATES, STATE_CHANGES)
_MOVED = {Activity.SUBSIDED: "the spike subsides", Activity.SILENT: "it falls silent"}


def loud(driver: Driver) -> None:
    """79 points at hour 0, and nothing after."""
    driver.profile(profile(impact=100.0))
    for number in range(3):
        driver.pipe(item(f"i{number}", platform=f"p{number}", likes=10**9, audience=10**10, figures=CROWD))


def test_a_score_says_when_the_incident_next_changes_by_itself():
    # given: three platforms are Debated, and 75 must hold for four hours
    driver = Driver()
    loud(driver)

    # when
    score = driver.events(NOISE_SCORES)[-1]
    driver.outputs()
    driver.advance(to_epoch(score.next_deadline) - 0.001)

    # then
    assert driver.outputs() == []
    assert driver.advance(hours(4.0)) != []


def test_a_score_of_an_incident_that_has_come_to_rest_has_no_deadline():
    driver = Driver()
    loud(driver)
    driver.advance(hours(24.0 * 365))
    assert driver.events(NOISE_SCORES)[-1].next_deadline is None


@settings(max_examples=60)
@given(policies(), histories(), st.booleans())
def test_nothing_is_told_before_the_next_deadline_and_something_is_looked_at_then(policy, history, conflate):
    # given
    driver = Driver(policy, conflate=conflate)
    play(driver, history)
    if not driver.events(NOISE_SCORES):
        return

    while (due := driver.events(NOISE_SCORES)[-1].next_deadline) is not None:
        # when
        driver.outputs()
        at, revision = to_epoch(due), driver.state().revision
        if at > driver.ledger.time:
            driver.advance(at - 0.001)

            # then: nothing before
            assert driver.outputs() == []
            assert driver.state().revision == revision

        # when: that time comes
        fired = driver.ledger.tally.deadlines
        driver.advance(max(at, driver.ledger.time))

        # then: it was looked at; where nothing came of it, the deadlines after it are looked at until something does
        assert driver.ledger.tally.deadlines > fired or driver.state().revision > revision
        later = next_deadline(driver.state(), policy, at)
        while driver.state().revision == revision and later < NEVER:
            driver.advance(later)
            later = next_deadline(driver.state(), policy, later)
        if driver.state().revision == revision:
            return


@given(policies(), histories())
def test_the_next_deadline_is_a_function_of_the_row_alone(policy, history):
    # given
    driver = Driver(policy)
    play(driver, history)
    if not driver.events(NOISE_SCORES):
        return

    # when
    row = decode_incident(encode_row(driver.state()))
    due, told = next_deadline(row, policy, row.as_of), driver.events(NOISE_SCORES)[-1].next_deadline

    # then
    assert told is None if due == NEVER else to_epoch(told) == due


@settings(max_examples=60)
@given(policies(), histories())
def test_all_that_is_upcoming_is_what_happens_when_the_clock_is_moved(policy, history):
    # given
    driver = Driver(policy)
    play(driver, history)
    if not driver.ledger.incident("leak") or not driver.state().detected:
        return
    row, after = encode_row(driver.state()), driver.state().as_of
    ahead = upcoming(driver.state(), policy, after)
    assert encode_row(driver.state()) == row

    # when
    driver.outputs()
    driver.advance(hours(END_H + 24.0 * 365))

    # then
    happened = [(to_epoch(out.event.at), out) for out in driver.outputs() if out.topic in TOLD]
    told = [(at, word) for at, out in happened for word in _named(out)]
    assert [to_epoch(each.at) for each in ahead] == [at for at, _ in told]
    for each, (_, word) in zip(ahead, told, strict=True):
        assert word in each.what


def _named(out) -> list[str]:
    """Words that must stand in what was foretold of an event: one for each thing that it tells."""
    if out.topic == STATE_CHANGES:
        return [f"{out.event.to.value} ({out.event.reason})"]
    if out.topic == TREND_UPDATES:
        turned = [out.event.trend.value] if out.event.trend is not out.event.previous else []
        moved = out.event.activity is not out.event.previous_activity
        return turned + ([_MOVED[out.event.activity]] if moved else [])
    word = {
        PeakKind.PEAKED: "counts as final",
        PeakKind.NEW_PEAK: "a new peak of",
        PeakKind.FELL_BELOW: f"leaves {out.event.level}",
    }[out.event.kind]
    return [word]


def test_levels_are_left_downwards_one_by_one():
    # given
    driver = Driver()
    loud(driver)

    # when
    ahead = upcoming(driver.state(), POLICY, driver.state().as_of)

    # then
    left = [each.what.rpartition(" ")[2] for each in ahead if "leaves" in each.what]
    assert left == ["Uproar", "Clamor", "Chatter", "Murmur", "Whisper"]


def test_the_deadline_after_a_deadline_is_a_later_one():
    # given: a row that is not brought up to any of them
    driver = Driver()
    loud(driver)
    row, at, found = driver.state(), driver.state().as_of, []

    # when
    while (at := next_deadline(row, POLICY, at)) < NEVER and len(found) < 50:
        found.append(at)

    # then
    assert 5 < len(found) < 50
    assert found == sorted(set(found))


def test_a_level_is_told_to_be_left_below_its_edge_less_the_hysteresis():
    driver = Driver()
    loud(driver)
    told = [each.what for each in upcoming(driver.state(), POLICY, driver.ledger.time)]

    assert [each for each in told if each.startswith("the noise falls")] == [
        f"the noise falls below {edge} and leaves {level}"
        for edge, level in ((73, "Uproar"), (58, "Clamor"), (43, "Chatter"), (23, "Murmur"), (8, "Whisper"))
    ]
