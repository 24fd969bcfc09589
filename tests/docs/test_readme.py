"""Every command in the README is run, by CI or by tests/real/test_readme_commands.py; every link leads somewhere.

A `console` block holds commands (`$ …`) and, below them, lines of their output.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def fenced(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def steps():
    """The commands in the order in which they stand, each with the lines of output shown below it."""
    found: list[tuple[str, list[str]]] = []
    for block in fenced(README, "console"):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            else:
                found[-1][1].append(line)
    return found


def test_each_make_target_in_the_readme_is_run_by_ci():
    ci = (ROOT / ".ci" / "run").read_text()
    targets = [command for command, _ in steps() if command.startswith("make ")]
    assert targets
    for command in targets:
        assert re.search(rf"^step .*\b{re.escape(command)}\b", ci, flags=re.MULTILINE), command


def test_each_command_outside_of_a_console_block_exists():
    from stream.cli import COMMANDS

    for name in re.findall(r"`decibel ([a-z][a-z-]+)", README):
        assert name in COMMANDS, name


def test_each_link_in_the_pages_leads_somewhere():
    pages = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "samples/README.md",
    ]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_each_path_in_contributing_exists():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for path in re.findall(r"`((?:schemas|scoring|agents|stream|deploy|tests|docs)/[\w./]*)`", text):
        assert (ROOT / path).exists(), path
