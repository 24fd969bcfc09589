"""The contract for those outside: a JSON Schema per topic, and one AsyncAPI 3.0 document of all.

Both are built, purely, from the structs the engine decodes and encodes with, so they cannot say anything
else than what it does; their words are the structs' docstrings. `schemas.generate` writes them to files.
"""

from __future__ import annotations

import inspect
import re
from typing import Any, Final

import msgspec
from msgspec import Struct

from schemas.cloudevents import SOURCE, TYPE_OF
from schemas.codec import encode
from schemas.examples import EXAMPLE_OF
from schemas.topics import (
    COMPACTED,
    DEAD_LETTERS,
    EVENT_OF,
    INCIDENT_MERGES,
    INCIDENT_PROFILES,
    INDEX_SHARES,
    NOISE_INDEX,
    NOISE_SCORES,
    PEAK_CROSSINGS,
    SOURCE_ITEMS,
    STATE_CHANGES,
    TREND_UPDATES,
)

Json = dict[str, Any]

CONTRACT_VERSION: Final = "1.0.0"
"""Version of the whole contract: a new field raises the second number, a new event type the first."""

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
ASYNCAPI_VERSION: Final = "3.0.0"
KAFKA_BINDING_VERSION: Final = "0.5.0"
CONTENT_TYPE: Final = "application/json"

RECEIVED: Final = frozenset({SOURCE_ITEMS, INCIDENT_PROFILES})
"""Topics the engine reads; it writes all others."""

KEY_OF: Final[dict[str, str]] = {
    SOURCE_ITEMS: "The event's `incident_id`.",
    INCIDENT_PROFILES: "The event's `incident_id`.",
    NOISE_SCORES: "The event's `incident_id`.",
    TREND_UPDATES: "The event's `incident_id`.",
    STATE_CHANGES: "The event's `incident_id`.",
    PEAK_CROSSINGS: "The event's `incident_id`.",
    INCIDENT_MERGES: "The event's `from`.",
    NOISE_INDEX: "The event's `category`.",
    INDEX_SHARES: "The event's `partition` and `category`, as `partition/category`.",
    DEAD_LETTERS: "The key of the rejected record, as it was; absent where it had none.",
}
"""What the record key of each topic is."""

_ABOUT: Final = (
    "A streaming noise-scoring engine: it receives observations of items about incidents and sends, live, "
    "how loud each incident is, where it is heading, which state it is in and when it peaks. Fields are only "
    "ever added: ignore those you do not know. A deployment may put a prefix before the addresses."
)


def event_schema(topic: str) -> Json:
    """Return the JSON Schema (2020-12) of the event of `topic`, with everything it refers to inside it.

    >>> event_schema("state-changes")["$id"]
    'urn:decibel:schema:state-changes:v1'
    """
    event = EVENT_OF[topic]
    _, components = msgspec.json.schema_components([event], ref_template="#/$defs/{name}")
    components = _tidy(components)
    root = components.pop(event.__name__)
    major = TYPE_OF[topic].rpartition(".")[2]
    document = {"$schema": DIALECT, "$id": f"urn:decibel:schema:{topic}:{major}", **root}
    document["examples"] = [example(topic)]
    if components:
        document["$defs"] = components
    return document


def asyncapi() -> Json:
    """Return the AsyncAPI 3.0 document of all topics: what to send to the engine, what comes from it."""
    _, components = msgspec.json.schema_components(
        EVENT_OF.values(), ref_template="#/components/schemas/{name}"
    )
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "id": "urn:decibel",
        "info": {
            "title": "Decibel",
            "version": CONTRACT_VERSION,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {topic: _channel(topic) for topic in EVENT_OF},
        "operations": dict(_operation(topic) for topic in EVENT_OF),
        "components": {
            "messages": {event.__name__: _message(topic) for topic, event in EVENT_OF.items()},
            "schemas": _tidy(components),
        },
    }


def example(topic: str) -> Json:
    """Return the example of the event of `topic` as a consumer reads it: by the codec, then parsed."""
    read: Json = msgspec.json.decode(encode(EXAMPLE_OF[topic]))
    return read


def _channel(topic: str) -> Json:
    event = EVENT_OF[topic]
    return {
        "address": topic,
        "title": _title(event),
        "description": _words(event.__doc__)[0],
        "messages": {event.__name__: {"$ref": f"#/components/messages/{event.__name__}"}},
        "bindings": {
            "kafka": {
                "topicConfiguration": {"cleanup.policy": ["compact" if topic in COMPACTED else "delete"]},
                "bindingVersion": KAFKA_BINDING_VERSION,
            }
        },
    }


def _operation(topic: str) -> tuple[str, Json]:
    action = "receive" if topic in RECEIVED else "send"
    event = EVENT_OF[topic]
    return f"{action}-{topic}", {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic}"},
        "summary": f"The engine {action}s {topic}: {_words(event.__doc__)[0]}",
        "messages": [{"$ref": f"#/channels/{topic}/messages/{event.__name__}"}],
    }


def _message(topic: str) -> Json:
    event = EVENT_OF[topic]
    words = _words(event.__doc__)
    return {
        "name": TYPE_OF[topic],
        "title": _title(event),
        "summary": words[0],
        "description": "\n\n".join(words),
        "contentType": CONTENT_TYPE,
        "headers": _headers(topic),
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": KEY_OF[topic]},
                "bindingVersion": KAFKA_BINDING_VERSION,
            }
        },
        "examples": [{"name": topic, "summary": f"From the topic {topic}.", "payload": example(topic)}],
    }


def _headers(topic: str) -> Json:
    """The CloudEvents attributes as Kafka headers: the engine always sends them, and asks nobody else to."""
    attributes: Json = {
        "ce_specversion": {"type": "string", "const": "1.0", "description": "Version of CloudEvents."},
        "ce_id": {
            "type": "string",
            "minLength": 1,
            "description": "Deterministic id of the event: who has seen it may drop the repeat.",
        },
        "ce_source": {"type": "string", "minLength": 1, "description": "Who says it."},
        "ce_type": {
            "type": "string",
            "const": TYPE_OF[topic],
            "description": "What is said, and its version.",
        },
        "ce_time": {"type": "string", "format": "date-time", "description": "Event time of the change."},
        "ce_subject": {
            "type": "string",
            "minLength": 1,
            "description": "Whom it is about: the record key; absent where there is none.",
        },
        "content-type": {"type": "string", "const": CONTENT_TYPE, "description": "JSON in UTF-8."},
    }
    headers = {"type": "object", "description": "CloudEvents 1.0, binary mode.", "properties": attributes}
    if topic not in RECEIVED:
        attributes["ce_source"]["const"] = SOURCE
        headers["required"] = sorted(attributes.keys() - {"ce_subject"})
    return headers


def _title(event: type[Struct]) -> str:
    """The struct's name as words: `NoiseScore` gives `Noise score`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", event.__name__).capitalize()


def _words(docstring: str | None) -> list[str]:
    """The paragraphs of a docstring, each on one line."""
    paragraphs = inspect.cleandoc(docstring or "").split("\n\n")
    return [" ".join(paragraph.split()) for paragraph in paragraphs]


def _tidy(components: Json) -> Json:
    """Free the descriptions that msgspec takes from docstrings of their indentation in the source."""
    for component in components.values():
        component["description"] = "\n\n".join(_words(component.get("description")))
    return components
