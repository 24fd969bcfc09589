"""The outbox keeps what is to be delivered until it is, in order, whatever happens to the process."""

import sqlite3

import msgspec
import pytest

from schemas.errors import SettingsError, StateError
from stream.alerts.outbox import FILE, Backlog, Outbox, datadir_of, undelivered
from tests.alerting import changed, desk, rule, scored
from tests.builders import hours


def notice(incident="leak", revision=1):
    """A notice of a group of its own for each incident."""
    at = desk(rule())
    at.hear(scored(incident, revision), hours(0))
    [found] = at.hear(changed(incident, revision), hours(0))
    return found


@pytest.fixture
def outbox(tmp_path):
    with Outbox(tmp_path) as opened:
        yield opened


def put(outbox, *notices, channels=("hook",), now=100.0):
    outbox.commit({}, (), [(each, channels) for each in notices], now)


def numbers(outbox, now=200.0, channel="hook"):
    """Take everything that can be delivered now, in order."""
    found = []
    while (delivery := outbox.next_for(channel, now)) is not None:
        found.append(delivery.notice.id)
        outbox.delivered(delivery.number, now)
    return found


def test_what_was_written_is_there_after_a_restart(tmp_path):
    with Outbox(tmp_path) as outbox:
        changes = [("seen", "a", b"1"), ("seen", "b", b"2"), ("known", "leak", b"{}")]
        outbox.commit({("state-changes", 3): 17}, changes, [(notice(), ("hook", "duty"))], 100.0)
        outbox.commit({("state-changes", 3): 18, ("noise-scores", 0): 1}, [("seen", "a", None)], (), 101.0)
    with Outbox(tmp_path) as outbox:
        assert outbox.offsets() == {("state-changes", 3): 18, ("noise-scores", 0): 1}
        assert list(outbox.kept()) == [("known", "leak", b"{}"), ("seen", "b", b"2")]
        assert outbox.next_for("hook", 100.0).notice == notice()
        assert outbox.backlogs() == {"duty": Backlog(1, 100.0, 0), "hook": Backlog(1, 100.0, 0)}


def test_a_batch_is_written_whole_or_not_at_all(outbox):
    put(outbox, notice())
    broken = msgspec.structs.replace(notice(revision=2), labels=None)
    with pytest.raises(sqlite3.Error):
        outbox.commit({("state-changes", 0): 9}, [("seen", "a", object())], [(broken, ("hook",))], 100.0)
    assert outbox.offsets() == {}
    assert list(outbox.kept()) == []
    assert numbers(outbox) == [notice().id]


def test_a_notice_that_was_written_is_not_written_again(outbox):
    put(outbox, notice())
    assert numbers(outbox) == [notice().id]
    put(outbox, notice())
    assert numbers(outbox) == []


def test_deliveries_go_out_in_the_order_in_which_they_came(outbox):
    wanted = [notice("b"), notice("a"), notice("c")]
    put(outbox, *wanted)
    assert numbers(outbox) == [each.id for each in wanted]


def test_one_that_is_postponed_holds_up_its_group_and_nobody_else(outbox):
    """Given two notices of one incident and one of another; when the first is postponed; then only the other is due."""
    first, second, other = notice("leak", 1), notice("leak", 2), notice("vote", 1)
    put(outbox, first, second, other)
    outbox.postponed(outbox.next_for("hook", 200.0).number, 300.0, "HTTP 500")
    assert numbers(outbox, 200.0) == [other.id]
    assert outbox.next_due("hook") == 300.0
    assert numbers(outbox, 300.0) == [first.id, second.id]
    assert outbox.next_due("hook") is None


def test_channels_do_not_wait_for_each_other(outbox):
    put(outbox, notice(), channels=("hook", "duty"))
    outbox.postponed(outbox.next_for("hook", 200.0).number, 300.0, "away")
    assert numbers(outbox, 200.0, "duty") == [notice().id]


def test_what_waits_too_long_fails_and_stays_listed_until_it_is_retried(tmp_path, outbox):
    put(outbox, notice("leak"), now=100.0)
    put(outbox, notice("vote"), now=200.0)
    assert outbox.give_up("duty", 150.0, 300.0) == 0
    assert outbox.give_up("hook", 150.0, 300.0) == 1
    assert [(each.notice.group, each.state) for each in undelivered(tmp_path)] == [
        ("leak", "failed"),
        ("vote", "pending"),
    ]
    assert outbox.backlogs() == {"hook": Backlog(1, 200.0, 1)}
    assert outbox.retry_failed(400.0) == 1
    assert numbers(outbox, 400.0) == [notice("leak").id, notice("vote").id]
    assert undelivered(tmp_path) == []


def test_what_was_refused_says_what_was_answered(tmp_path, outbox):
    put(outbox, notice())
    outbox.failed(outbox.next_for("hook", 200.0).number, 200.0, "HTTP 400: no")
    [listed] = undelivered(tmp_path)
    assert (listed.state, listed.attempts, listed.error) == ("failed", 1, "HTTP 400: no")


def test_what_is_over_is_removed_after_its_time(outbox):
    put(outbox, notice("a"), notice("b"))
    first = outbox.next_for("hook", 200.0)
    outbox.delivered(first.number, 200.0)
    outbox.prune(200.0)
    outbox.prune(201.0)
    assert numbers(outbox) == [notice("b").id]
    put(outbox, notice("a"))  # it is not known any more
    assert numbers(outbox) == [notice("a").id]


def test_one_process_at_a_time_works_on_an_outbox_and_others_may_look(tmp_path, outbox):
    put(outbox, notice())
    with pytest.raises(StateError, match="another `decibel alerts run` works there"):
        Outbox(tmp_path)
    assert len(undelivered(tmp_path)) == 1


def test_a_file_of_another_layout_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StateError, match="its layout is 99"):
        Outbox(tmp_path)


def test_what_is_no_outbox_is_refused(tmp_path):
    (tmp_path / FILE).write_bytes(b"no database at all" * 100)
    with pytest.raises(StateError, match="cannot be used as the alerts' outbox"):
        Outbox(tmp_path)


def test_a_folder_without_an_outbox_has_nothing_undelivered(tmp_path):
    assert undelivered(tmp_path / "none") == []
    with pytest.raises(SettingsError, match=r"alerts\.datadir"):
        datadir_of("")
