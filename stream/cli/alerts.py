"""`decibel alerts`: tell what the rules ask for, try the channels, look at what is undelivered, simulate rules."""

from __future__ import annotations

import asyncio
import time

import click
from msgspec import Struct
from rich.table import Table

from scoring.policy import load_policy
from stream.alerts.answers import Outcome
from stream.alerts.channels import shown
from stream.alerts.heard import TOPICS
from stream.alerts.outbox import Delivery, Outbox, datadir_of, undelivered
from stream.alerts.rules import Rule, When
from stream.alerts.run import rules_of, run_alerts, try_channels
from stream.alerts.simulate import Sent, simulate
from stream.cli.context import (
    Invocation,
    console,
    json_option,
    log_to_stderr,
    pass_invocation,
    plain,
    print_json,
)
from stream.cli.interrupts import until_told
from stream.cli.scoring_options import columns_option, policy_option
from stream.files import RecordFile
from stream.profile_files import read_profiles
from stream.replay.run import Replay
from stream.view.topics import partitions_of

rules_option = click.option(
    "--rules",
    "rules_file",
    type=click.Path(dir_okay=False),
    default="",
    metavar="FILE",
    help="Rules and channels (TOML). Default: alerts.rules of the settings.",
)


class Tried(Struct, frozen=True):
    """What a channel answered to a test."""

    channel: str
    kind: str
    to: str
    outcome: Outcome
    detail: str


class Shown(Struct, frozen=True):
    """A rule as `list --json` prints it."""

    rule: Rule
    when: str


@click.group()
def alerts() -> None:
    """Tell people and programs what rules ask for (run, test, list, retry, simulate).

    Rules and channels are in the file that `alerts.rules` names; samples/alerts.toml is an example of all of it.
    """


@alerts.command()
@pass_invocation
def run(invocation: Invocation) -> None:
    """Follow the score topics and deliver what the rules ask for, until SIGTERM or Ctrl-C.

    It begins with what comes from now on (or, by `alerts.first`, with all there is), and then goes on where it was.
    One at a time may run on an outbox (`alerts.datadir`). Metrics at alerts.http_port.

    \b
    Example:
      DECIBEL_ALERTS_RULES=alerts.toml DECIBEL_ALERTS_DATADIR=/var/lib/decibel decibel alerts run
    """
    settings = invocation.settings
    rules_of(settings)
    datadir_of(settings.alerts.datadir)
    log_to_stderr()
    partitions = partitions_of(settings, TOPICS, "the alerts")
    asyncio.run(until_told(lambda stop: run_alerts(settings, partitions, stop)))


@alerts.command()
@rules_option
@json_option
@pass_invocation
def test(invocation: Invocation, rules_file: str, *, as_json: bool) -> None:
    """Send a test to every channel, once, and say what each answered. Exit code 1 where one did not take it.

    \b
    Example:
      decibel alerts test --rules samples/alerts.toml
    """
    told = rules_of(invocation.settings, rules_file)
    answered = asyncio.run(try_channels(told.channels, invocation.settings))
    table = Table("channel", "kind", "to", "", "answer", box=None)
    for channel, answer in answered:
        tried = Tried(
            channel.name, str(channel.__struct_config__.tag), shown(channel), answer.outcome, answer.detail
        )
        if as_json:
            print_json(tried)
        word = "delivered" if answer.outcome is Outcome.TAKEN else "FAILED"
        table.add_row(tried.channel, tried.kind, tried.to, word, plain(tried.detail))
    if not as_json:
        console().print(table if answered else "There are no channels.")
    if any(answer.outcome is not Outcome.TAKEN for _, answer in answered):
        click.get_current_context().exit(1)


@alerts.command("list")
@click.option(
    "--pending", is_flag=True, help="What waits for its delivery, and what has failed, instead of the rules."
)
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="With --pending.")
@rules_option
@json_option
@pass_invocation
def list_(invocation: Invocation, rules_file: str, limit: int, *, pending: bool, as_json: bool) -> None:
    """List the rules; with --pending, what is undelivered: also while `decibel alerts run` works.

    \b
    Examples:
      decibel alerts list --rules samples/alerts.toml
      decibel alerts list --pending --json | jq -r .error
    """
    if pending:
        datadir = datadir_of(invocation.settings.alerts.datadir)
        _show_deliveries(undelivered(datadir, limit), as_json=as_json)
        return
    rules = rules_of(invocation.settings, rules_file).rules
    table = Table("rule", "severity", "when", "of", "channels", "group", "digest", box=None)
    for rule in rules:
        when = _when(rule.when)
        if as_json:
            print_json(Shown(rule, when))
        table.add_row(
            rule.name, rule.severity, when, _of(rule), ", ".join(rule.channels), rule.group, rule.digest
        )
    if not as_json:
        console().print(table if rules else "There are no rules.")


@alerts.command()
@pass_invocation
def retry(invocation: Invocation) -> None:
    """Try everything again that failed. Stop `decibel alerts run` first: it alone writes its outbox.

    \b
    Example:
      decibel alerts retry
    """
    with Outbox(datadir_of(invocation.settings.alerts.datadir)) as outbox:
        click.echo(f"{outbox.retry_failed(time.time())} to be tried again by `decibel alerts run`")


@alerts.command("simulate")
@click.option(
    "--data", "files", multiple=True, required=True, metavar="FILE", help="Items, as for `replay`; repeat."
)
@click.option("--profiles", metavar="FILE", help="Incident profiles, applied before the items.")
@rules_option
@policy_option
@click.option(
    "--partitions", type=click.IntRange(1, 4096), default=8, show_default=True, help="Of the live topic."
)
@columns_option
@json_option
@pass_invocation
def simulate_(
    invocation: Invocation,
    files: tuple[str, ...],
    profiles: str | None,
    rules_file: str,
    policy_file: str | None,
    partitions: int,
    columns: dict[str, str] | None,
    *,
    as_json: bool,
) -> None:
    """Show what rules would have told of a recording: when, to whom, and bundled how. Nothing is sent.

    Time is that of the recording; quiet hours and digests go by it. Ends that lie behind its last record are not told.

    \b
    Examples:
      decibel alerts simulate --data items.jsonl.gz --profiles profiles.jsonl --rules mine.toml
      decibel alerts simulate --data items.jsonl --json | jq -r .notice.rule | sort | uniq -c
    """
    told = rules_of(invocation.settings, rules_file)
    policy = load_policy(policy_file or invocation.settings.policy or None)
    count = 0
    for sent in simulate(
        told.rules,
        policy,
        Replay(policy, partitions=partitions, received_at=round(time.time(), 3), conflate=True),
        read_profiles(profiles) if profiles else (),
        (record for file in files for record in RecordFile(file, columns)),
        invocation.settings.alerts.page_url,
    ):
        count += 1
        if as_json:
            print_json({"channels": sent.channels, "notice": sent.notice})
        else:
            _print(sent)
    click.echo(f"{count:,} notices of {len(told.rules)} rules", err=True)


def _print(sent: Sent) -> None:
    notice = sent.notice
    to = ", ".join(sent.channels)
    click.echo(
        f"{notice.at:%Y-%m-%d %H:%M:%S}  {notice.kind:<8}  {notice.rule} → {to}: {plain(notice.title)}"
    )
    if notice.kind == "digest":
        for line in notice.summary.splitlines():
            click.echo(f"    {plain(line)}")


def _show_deliveries(deliveries: list[Delivery], *, as_json: bool) -> None:
    table = Table("notice", "channel", "state", "since", "attempts", "next", "what", "last answer", box=None)
    now = time.time()
    for each in deliveries:
        if as_json:
            print_json(each)
        wait = f"in {max(0.0, each.due - now):.0f} s" if each.state == "pending" else "never"
        table.add_row(
            plain(each.notice.id),
            each.channel,
            each.state,
            f"{now - each.created:.0f} s",
            str(each.attempts),
            wait,
            plain(each.notice.title[:60]),
            plain(each.error),
        )
    if not as_json:
        console().print(table if deliveries else "Everything is delivered.")


def _when(when: When) -> str:
    """Return in words which events a rule tells of."""
    said = []
    if when.states:
        to = ", ".join(when.states.to) or "any state"
        said.append(f"{', '.join(when.states.before)} → {to}" if when.states.before else f"→ {to}")
    if when.peaks:
        levels = f" of {', '.join(when.peaks.levels)}" if when.peaks.levels else ""
        said.append((", ".join(when.peaks.kinds) or "any crossing") + levels)
    if when.trends:
        said.append("trend " + ", ".join(when.trends))
    if when.spike:
        said.append(f"spike ({when.spike})")
    if when.activity:
        said.append("activity " + ", ".join(when.activity))
    return "; ".join(said)


def _of(rule: Rule) -> str:
    """Return in words of which incidents a rule tells."""
    said = [*rule.categories, *rule.incidents, *rule.figures]
    if rule.min_noise:
        said.append(f"noise ≥ {rule.min_noise:g}")
    if rule.min_level:
        said.append(f"from {rule.min_level}")
    return ", ".join(said) or "all"
