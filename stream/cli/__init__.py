"""The command line: `decibel COMMAND`. Each command's module is imported when it is run, so `--help` is there
at once.

Exit codes: 0 done; 1 an error, told in one line on stderr; 2 wrong usage; 3 some records were rejected and
are dead letters now (`ingest`, `profiles put`, `dead-letters requeue`); 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import difflib
import importlib
import logging
import os
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from schemas.errors import DecibelError
from scoring import decay
from stream.cli.context import Invocation


class Entry(NamedTuple):
    """Where a command is, as `module:function`, and what the list of commands says of it."""

    target: str
    summary: str


COMMANDS: Final[dict[str, Entry]] = {
    "demo": Entry(
        "stream.cli.demo:demo",
        "Run the whole engine on this machine, on an invented story, without a broker.",
    ),
    "worker": Entry(
        "stream.cli.worker:worker", "Score items as they come: one member of the consumer group."
    ),
    "top": Entry("stream.cli.top:top", "Show the loudest incidents, live."),
    "topics": Entry("stream.cli.topics:topics", "Create Kafka's topics and keep them as set (apply, list)."),
    "ingest": Entry("stream.cli.ingest:ingest", "Send items from a file to Kafka."),
    "profiles": Entry("stream.cli.profiles:profiles", "Send the editors' incident profiles to Kafka (put)."),
    "merge": Entry("stream.cli.merge:merge", "Merge an incident into another: its items count there."),
    "tail": Entry("stream.cli.tail:tail", "Print a topic's events as they come."),
    "view": Entry("stream.cli.view:view", "Keep the view in Redis and look into it (run, rebuild, show)."),
    "gateway": Entry("stream.cli.gateway:gateway", "Serve REST, live events and pages from the view (run)."),
    "alerts": Entry(
        "stream.cli.alerts:alerts",
        "Tell people and programs what rules ask for (run, test, list, retry, simulate).",
    ),
    "dead-letters": Entry(
        "stream.cli.dead_letters:dead_letters",
        "Look at rejected records and send them again (list, show, requeue).",
    ),
    "doctor": Entry("stream.cli.doctor:doctor", "Check settings, policy, Kafka and Redis; say what to do."),
    "replay": Entry("stream.cli.replay:replay", "Score a file of items as the worker would, without Kafka."),
    "explain": Entry("stream.cli.explain:explain", "Show how a score came about."),
    "backtest": Entry(
        "stream.cli.backtest:backtest", "Measure on a recording how good the forecasts would have been."
    ),
    "what-if": Entry(
        "stream.cli.what_if:what_if", "Score an incident under other figures or another policy."
    ),
    "lifecycle": Entry(
        "stream.cli.lifecycle:lifecycle",
        "Print or draw the states and the rules that lead from one to the next.",
    ),
    "spikes": Entry("stream.cli.spikes:spikes", "Find spikes in any series of counts (CSV)."),
    "methodology": Entry(
        "stream.cli.methodology:methodology", "Print the scoring rules with the policy's numbers."
    ),
}


class LazyGroup(click.Group):
    """A group that imports a command when it is run, and ends on our errors with one line and a code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command by name, in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of this name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, name = entry.target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name where there is none such."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; DecibelError is one red line and code 1, Ctrl-C 130, a closed pipe a quiet end."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except DecibelError as error:
            click.secho(f"decibel: {error}", fg="red", err=True)
            ctx.exit(1)
        except KeyboardInterrupt:
            click.echo("decibel: stopped", err=True)
            ctx.exit(130)
        except BrokenPipeError:
            # Whoever read our output has seen enough. Python would complain once more when it flushes at
            # exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        return result


def _tell_version(ctx: click.Context, _option: click.Parameter, asked: bool) -> None:  # noqa: FBT001 - click's way
    if not asked:
        return
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - no other command need wait for it

    core = "interpreted" if decay.__file__.endswith(".py") else "compiled"
    try:
        click.echo(f"decibel, version {version('decibel')} (core {core})")
    except PackageNotFoundError:
        click.echo(f"decibel (not installed; core {core})")
    ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Settings: a TOML file (--settings, or DECIBEL_SETTINGS) and DECIBEL_<SECTION>_<KEY> variables. "
    "`decibel COMMAND --help` shows examples.",
)
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Settings file (TOML). Default: the one DECIBEL_SETTINGS names, else built-in values.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log what the Kafka client does, to stderr.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_tell_version,
    help="Show the version and exit.",
)
@click.pass_context
def main(ctx: click.Context, settings_file: Path | None, *, verbose: bool) -> None:
    """Decibel: how loud each incident is, where it is heading, and when it peaks.

    \b
    A first look, with nothing but this machine:
      decibel demo
    \b
    With Kafka:
      export DECIBEL_KAFKA_BOOTSTRAP=127.0.0.1:9092
      decibel topics apply
      decibel worker &
      decibel ingest items.jsonl.gz
      decibel tail noise-scores --from beginning
    """
    ctx.obj = Invocation(settings_file, verbose=verbose)
    _set_up_logging(verbose=verbose)


def _set_up_logging(*, verbose: bool) -> None:
    """Quiet kafka-python, whose warnings repeat what our errors say, unless they are asked for."""
    kafka = logging.getLogger("kafka")
    if verbose:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    elif not kafka.handlers:
        kafka.addHandler(logging.NullHandler())
        kafka.propagate = False
