"""The OpenAPI document is true: it has every address, and every answer is as it says."""

import re

import jsonschema
import msgspec
import pytest
from jsonschema.validators import Draft202012Validator

from stream.gateway.app import ROUTES as SERVED
from stream.gateway.openapi import DOCUMENT, ROUTES
from tests.gateway import everything, served, streaming

DOCUMENTED = msgspec.json.decode(DOCUMENT)


def validator(name):
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENTED["components"]}
    return Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def test_every_address_that_is_served_is_documented_and_no_other():
    assert {route.path for route in ROUTES} == {*SERVED, "/live", "/live/ws", "/openapi.json"}


def test_each_reference_leads_somewhere():
    for name in re.findall(r'"#/components/schemas/([^"]+)"', DOCUMENT.decode()):
        assert name in DOCUMENTED["components"]["schemas"]


def test_each_address_says_what_it_takes_and_each_name_is_used_once():
    names = [operation["get"]["operationId"] for operation in DOCUMENTED["paths"].values()]
    assert len(names) == len(set(names))
    for path, operation in DOCUMENTED["paths"].items():
        parameters = operation["get"]["parameters"]
        assert re.findall(r"{(\w+)}", path) == [each["name"] for each in parameters if each["in"] == "path"]
    listed = DOCUMENTED["paths"]["/api/v1/incidents"]["get"]["parameters"]
    by_name = {each["name"]: each["schema"] for each in listed}
    assert by_name["sort"]["enum"] == ["noise", "recent", "rising"]
    assert by_name["limit"] == {"type": "integer", "minimum": 1, "maximum": 200}
    assert by_name["cursor"]["type"] == "string"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/incidents", "Incidents"),
        ("/api/v1/incidents/leak", "IncidentPage"),
        ("/api/v1/incidents/leak/history", "History"),
        ("/api/v1/incidents/leak/explain", "Explanation"),
        ("/api/v1/figures", "Figures"),
        ("/api/v1/index", "Index"),
        ("/api/v1/pulse", "Pulse"),
        ("/api/v1/recap/2026-06", "Recap"),
        ("/api/v1/methodology", "Methodology"),
        ("/api/v1/operations", "Operations"),
    ],
)
async def test_each_answer_is_as_documented(path, name):
    async with served(streaming(), *everything()) as gateway:
        validator(name).validate(await gateway.json(path))
        problem = await gateway.json(f"{path}?nonsense=1", 400)
        validator("Problem").validate(problem)


async def test_the_document_is_served():
    async with served(streaming()) as gateway:
        assert await gateway.json("/openapi.json") == DOCUMENTED
