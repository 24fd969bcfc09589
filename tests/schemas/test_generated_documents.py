"""The documents for readers from outside: fresh, self-contained, and of one mind with the decoders."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import generate
from schemas.cloudevents import TYPE_OF, Output, headers
from schemas.codec import decode_item, encode
from schemas.dead_letter import DeadLetter
from schemas.documents import KEY_OF, RECEIVED, asyncapi, event_schema, example
from schemas.errors import RecordError
from schemas.examples import EXAMPLE_OF
from schemas.noise_score import NoiseScore
from schemas.topics import COMPACTED, DEAD_LETTERS, EVENT_OF, INCIDENT_PROFILES, NOISE_SCORES, SOURCE_ITEMS
from tests.schemas.records import BAD_ITEMS, BAD_PROFILES, Bad, item
from tests.schemas.strategies import events

FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_rfc_3339(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def validator(topic: str) -> jsonschema.Draft202012Validator:
    schema = event_schema(topic)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=FORMATS)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


def resolve(document: dict[str, Any], reference: str) -> Any:
    node: Any = document
    assert reference.startswith("#/")
    for step in reference[2:].split("/"):
        node = node[step]
    return node


# -- the files -------------------------------------------------------------------------------------


def test_the_committed_documents_are_fresh():
    assert generate.stale(generate.FOLDER) == [], "run `python -m schemas.generate` and commit the result"


def test_check_names_each_stale_file_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    # given one changed, one missing and one that belongs to no topic
    generate.write(tmp_path)
    (tmp_path / "asyncapi.json").write_text("{}")
    (tmp_path / "noise-scores.schema.json").unlink()
    (tmp_path / "gossip.schema.json").write_text("{}")

    # when
    code = generate.main(["--check"], tmp_path)

    # then
    said = capsys.readouterr().err
    assert code == 1
    assert re.findall(r"([a-z.-]+\.json): stale", said) == [
        "asyncapi.json",
        "gossip.schema.json",
        "noise-scores.schema.json",
    ]
    assert (tmp_path / "asyncapi.json").read_text() == "{}"


def test_writing_makes_the_folder_fresh_and_writing_again_changes_nothing(tmp_path: Path):
    # given
    folder = tmp_path / "generated"
    folder.mkdir()
    (folder / "gossip.schema.json").write_text("{}")

    # when
    assert generate.main([], folder) == 0

    # then
    assert generate.main(["--check"], folder) == 0
    assert generate.write(folder) == []
    assert {path.name for path in folder.iterdir()} == {f"{t}.schema.json" for t in EVENT_OF} | {
        "asyncapi.json"
    }


def test_files_are_sorted_and_end_with_a_newline():
    for name, content in generate.documents().items():
        text = content.decode()
        assert text.endswith("}\n"), name
        assert text == json.dumps(json.loads(text), sort_keys=True, indent=2, ensure_ascii=False) + "\n"


# -- JSON Schemas ----------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", EVENT_OF)
def test_a_schema_is_self_contained_and_says_what_it_describes(topic: str):
    # when
    schema = event_schema(topic)

    # then
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:decibel:schema:{topic}:v1"
    assert schema["title"] == EVENT_OF[topic].__name__
    assert len(schema["description"]) > 30
    assert not re.search(r"\n {2,}", json.dumps(schema).encode().decode("unicode_escape"))
    assert all(resolve(schema, reference) for reference in references(schema))


@pytest.mark.parametrize("topic", EVENT_OF)
def test_a_schema_accepts_its_example(topic: str):
    validator(topic).validate(json.loads(encode(EXAMPLE_OF[topic])))


@pytest.mark.parametrize("topic", EVENT_OF)
@given(choice=st.data())
@settings(max_examples=20, deadline=None)
def test_a_schema_accepts_whatever_the_codec_writes(topic: str, choice: st.DataObject):
    # given
    event = choice.draw(events(EVENT_OF[topic]))

    # then
    validator(topic).validate(json.loads(encode(event)))


@pytest.mark.parametrize("bad", BAD_ITEMS)
def test_the_schema_of_observations_refuses_what_the_decoder_refuses(bad: Bad):
    assert bad.value is not None
    assert not validator(SOURCE_ITEMS).is_valid(json.loads(bad.value))


@pytest.mark.parametrize("bad", BAD_PROFILES)
def test_the_schema_of_profiles_refuses_what_the_decoder_refuses(bad: Bad):
    assert bad.value is not None
    assert not validator(INCIDENT_PROFILES).is_valid(json.loads(bad.value))


@pytest.mark.parametrize("topic", EVENT_OF)
def test_a_schema_lets_unknown_fields_pass(topic: str):
    validator(topic).validate(example(topic) | {"added_later": {"deep": [1]}})


def test_the_schema_accepts_an_observation_with_the_required_fields_alone():
    validator(SOURCE_ITEMS).validate(json.loads(item()))


# -- examples --------------------------------------------------------------------------------------


def test_the_numbers_of_the_example_score_can_be_redone_by_hand():
    # given
    score = EXAMPLE_OF[NOISE_SCORES]
    assert isinstance(score, NoiseScore)
    age_s = (score.as_of - score.anchor).total_seconds()
    weights = (0.20, 0.20, 0.15, 0.10, 0.15, 0.10, 0.10)  # published
    values = [getattr(score.factors, name) for name in score.factors.__struct_fields__]
    points = [getattr(score.contributions, name) for name in score.contributions.__struct_fields__]

    # then
    assert score.decay == pytest.approx(2.0 ** -(age_s / score.half_life), abs=1e-6)
    assert score.noise == pytest.approx(score.composite * score.decay, abs=1e-4)
    assert score.composite == pytest.approx(sum(w * v for w, v in zip(weights, values, strict=True)))
    assert sum(points) == pytest.approx(score.noise, abs=1e-5)
    assert f"noise {int(score.noise)}/100" in score.verdict


def test_the_example_dead_letter_tells_what_the_decoder_said():
    # given
    letter = EXAMPLE_OF[DEAD_LETTERS]
    assert isinstance(letter, DeadLetter)

    # when
    with pytest.raises(RecordError) as refused:
        decode_item(letter.value)

    # then
    assert (letter.reason, letter.error) == (refused.value.reason, str(refused.value))


# -- AsyncAPI --------------------------------------------------------------------------------------


def test_the_asyncapi_document_has_its_required_parts():
    # when
    document = asyncapi()

    # then
    assert document["asyncapi"] == "3.0.0"
    assert document["info"].keys() >= {"title", "version", "description"}
    assert document["defaultContentType"] == "application/json"
    assert all(resolve(document, reference) is not None for reference in references(document))


@pytest.mark.parametrize("topic", EVENT_OF)
def test_every_topic_is_a_channel_with_its_message_and_one_operation(topic: str):
    # given
    document, event = asyncapi(), EVENT_OF[topic].__name__

    # when
    channel = document["channels"][topic]
    operations = [o for o in document["operations"].values() if o["channel"]["$ref"] == f"#/channels/{topic}"]
    message = resolve(document, channel["messages"][event]["$ref"])

    # then
    assert channel["address"] == topic
    assert channel["bindings"]["kafka"]["topicConfiguration"] == {
        "cleanup.policy": ["compact" if topic in COMPACTED else "delete"]
    }
    assert [o["action"] for o in operations] == ["receive" if topic in RECEIVED else "send"]
    assert operations[0]["messages"] == [{"$ref": f"#/channels/{topic}/messages/{event}"}]
    assert message["payload"] == {"$ref": f"#/components/schemas/{event}"}
    assert message["bindings"]["kafka"]["key"]["description"] == KEY_OF[topic]
    assert message["summary"]


@pytest.mark.parametrize("topic", EVENT_OF)
def test_every_example_message_is_one_the_engine_could_read_or_write(topic: str):
    # given
    document = asyncapi()
    message = document["components"]["messages"][EVENT_OF[topic].__name__]
    payload = {"$ref": message["payload"]["$ref"], "components": document["components"]}

    # then
    for shown in message["examples"]:
        assert shown["payload"] == json.loads(encode(EXAMPLE_OF[topic]))
        jsonschema.Draft7Validator(payload, format_checker=FORMATS).validate(shown["payload"])


@pytest.mark.parametrize("topic", sorted(EVENT_OF.keys() - RECEIVED))
@pytest.mark.parametrize("key", ["log4shell", ""])
def test_the_headers_the_engine_writes_are_those_the_document_promises(topic: str, key: str):
    # given
    promised = asyncapi()["components"]["messages"][EVENT_OF[topic].__name__]["headers"]
    written = headers(Output(topic, key, "log4shell/17/noise", 1639120020.0, EXAMPLE_OF[topic]))

    # when
    read = {name: value.decode() for name, value in written}

    # then
    jsonschema.Draft7Validator(promised, format_checker=FORMATS).validate(read)
    assert read.keys() <= promised["properties"].keys()
    assert promised["properties"]["ce_type"]["const"] == TYPE_OF[topic]


def test_nobody_has_to_send_headers_to_the_engine():
    for topic in RECEIVED:
        assert "required" not in asyncapi()["components"]["messages"][EVENT_OF[topic].__name__]["headers"]
