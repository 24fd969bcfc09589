"""`decibel topics`: make Kafka's topics what the settings say, and see how they stand."""

from __future__ import annotations

import click
from rich.table import Table

from stream.cli.context import Invocation, console, json_option, pass_invocation, print_json
from stream.provisioning import apply as provision
from stream.provisioning import list_topics


@click.group()
def topics() -> None:
    """Create Kafka's topics and keep them as set.

    Partitions, retention and record size come from the [topics] section of the settings.
    """


@topics.command()
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@json_option
@pass_invocation
def apply(invocation: Invocation, *, dry_run: bool, as_json: bool) -> None:
    """Create what is missing and set the configuration that differs.

    Run it as often as you like. Partition counts of existing topics are never changed: where one differs, the
    command fails before it touches anything and says what to do.

    \b
    Examples:
      decibel topics apply --dry-run
      DECIBEL_TOPICS_PARTITIONS=24 DECIBEL_TOPICS_REPLICATION=3 decibel topics apply
    """
    report = provision(invocation.settings, dry_run=dry_run)
    if as_json:
        print_json(report)
        return
    for topic in report.topics:
        click.echo(f"{topic.action:<10} {topic.name} ({topic.partitions} × {topic.replication})")
        for change in topic.changes:
            click.echo(f"{'':<10}   {change.key}: {change.old or 'default'} → {change.new}")
        if topic.note:
            click.secho(f"{'':<10}   {topic.note}", fg="yellow")
    if dry_run:
        click.echo("Dry run: nothing was changed.")


@topics.command("list")
@json_option
@pass_invocation
def list_(invocation: Invocation, *, as_json: bool) -> None:
    """Show the topics of this deployment as Kafka has them.

    \b
    Examples:
      decibel topics list
      decibel topics list --json | jq '.[] | select(.records > 0)'
    """
    found = list_topics(invocation.settings)
    if as_json:
        print_json(found)
        return
    table = Table("topic", "partitions", "replication", "cleanup", "records", box=None)
    for topic in found:
        if topic.partitions:
            row = (str(topic.partitions), str(topic.replication), topic.cleanup, f"{topic.records:,}")
        else:
            row = ("missing", "", "", "")
        table.add_row(topic.name, *row)
    console().print(table)
    if any(not topic.partitions for topic in found):
        click.echo("Some are missing: run `decibel topics apply`.", err=True)
