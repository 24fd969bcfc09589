"""docs/events.md is written by hand; that it leaves nothing out, and shows what is true, is checked here."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct, inspect

from schemas import words
from schemas.cloudevents import Output, headers
from schemas.documents import example
from schemas.examples import EXAMPLE_OF
from schemas.times import parse_time
from schemas.topics import COMPACTED, EVENT_OF, NOISE_SCORES

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
VOCABULARIES = [kind for kind in vars(words).values() if isinstance(kind, enum.EnumType) and list(kind)]


def section(topic: str) -> str:
    found = re.search(rf"^## `{topic}`$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/events.md has no section for {topic}"
    return found[1]


def fields(kind: inspect.Type) -> Iterator[str]:
    """The names on the wire of all fields of a struct, and of the structs inside it."""
    if isinstance(kind, inspect.StructType):
        for field in kind.fields:
            yield field.encode_name
            yield from fields(field.type)
    elif isinstance(kind, inspect.Metadata):
        yield from fields(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for choice in kind.types:
            yield from fields(choice)
    elif isinstance(kind, inspect.VarTupleType):
        yield from fields(kind.item_type)


@pytest.mark.parametrize("topic", EVENT_OF)
def test_every_field_of_an_event_is_explained_in_its_section(topic: str):
    # given
    event: type[Struct] = EVENT_OF[topic]
    named = set(re.findall(r"`(?:[a-z_]+(?:\[\])?\.)?([a-z0-9_]+)`", section(topic)))

    # when
    missing = set(fields(inspect.type_info(event))) - named

    # then
    assert not missing, f"docs/events.md, section {topic}: say what {sorted(missing)} mean"


@pytest.mark.parametrize("topic", EVENT_OF)
def test_the_example_of_a_section_is_the_one_the_codec_writes(topic: str):
    # given
    shown = re.findall(r"```json\n(.*?)```", section(topic), re.DOTALL)

    # then
    assert [json.loads(each) for each in shown] == [example(topic)]


@pytest.mark.parametrize("topic", EVENT_OF)
def test_the_table_of_topics_says_what_is_kept(topic: str):
    # given
    row = re.search(rf"^\| \[`{topic}`\].*$", PAGE, re.MULTILINE)

    # then
    assert row, f"docs/events.md: the table of topics lacks {topic}"
    assert ("latest per key" in row[0]) == (topic in COMPACTED)


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda kind: kind.__name__)
def test_every_word_of_a_closed_vocabulary_is_given(vocabulary: type[enum.Enum]):
    assert [word.value for word in vocabulary if f"`{word.value}`" not in PAGE] == []


def test_every_header_is_explained():
    # given
    written = headers(Output(NOISE_SCORES, "log4shell", "log4shell/17/noise", 0.0, EXAMPLE_OF[NOISE_SCORES]))

    # then
    assert [name for name, _ in written if f"| `{name}` |" not in PAGE] == []


def test_the_shown_function_gives_the_noise_at_any_later_time():
    # given
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code
    page: dict[str, Any] = {"datetime": datetime}
    exec(code[1], page)
    score = example(NOISE_SCORES)
    as_of, anchor = parse_time(score["as_of"]), parse_time(score["anchor"])

    # then
    assert page["noise_at"](score, as_of) == pytest.approx(score["noise"], abs=1e-5)
    assert page["noise_at"](score, anchor + score["half_life"]) == score["composite"] / 2
    assert page["noise_at"](score, anchor - 60) == score["composite"]
    assert page["noise_at"](score, anchor + 14 * 3600) == pytest.approx(37.896, abs=1e-3)
