"""`decibel ingest`: send items from a file to Kafka."""

from __future__ import annotations

import click

from schemas.codec import decode_item
from schemas.errors import DecibelError
from schemas.topics import SOURCE_ITEMS
from stream.cli.context import Invocation, json_option, pass_invocation
from stream.cli.loading import finish, load_file
from stream.columns import parse_columns
from stream.files import RecordFile


def _columns(_ctx: click.Context, _param: click.Parameter, value: str | None) -> dict[str, str] | None:
    if value is None:
        return None
    try:
        return parse_columns(value)
    except DecibelError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("file")
@click.option(
    "--map", "columns", callback=_columns, metavar="FIELD=COLUMN,…", help="For CSV: which column fills what."
)
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="At most N items a second."
)
@click.option("--raw", is_flag=True, help="Send every line untouched, unchecked: the worker will judge it.")
@json_option
@pass_invocation
def ingest(
    invocation: Invocation,
    file: str,
    columns: dict[str, str] | None,
    rate: float | None,
    *,
    raw: bool,
    as_json: bool,
) -> None:
    """Send items from FILE to Kafka: JSON lines, .gz, CSV, or - for standard input.

    Each line is one observation of one item (fields: see the contract of source-items). A line that is no
    such thing is named on stderr and goes to the dead letters with its bytes; the others are sent. Sending a
    file twice does no harm: an observation counts once.

    \b
    Columns of a CSV file: FIELD=COLUMN, where likes, comments, shares and views are short for
    engagement.likes and so on; FIELD==TEXT gives the same text to all. Columns that are named like
    fields need no entry.

    \b
    Exit codes: 0 all sent; 1 an error; 2 wrong usage; 3 some lines were rejected.

    \b
    Examples:
      decibel ingest items.jsonl.gz
      crawl | decibel ingest -
      decibel ingest posts.csv --map item_id=id,published_at=created,likes=score,platform==reddit
      decibel ingest items.jsonl --rate 500
    """
    records = RecordFile(file, columns)
    summary = load_file(
        invocation.settings,
        SOURCE_ITEMS,
        records.name,
        records,
        check=None if raw else lambda value: decode_item(value).incident_id,
        rate=rate,
        size=records.size,
        position=lambda: records.position,
    )
    finish(summary, as_json=as_json)
