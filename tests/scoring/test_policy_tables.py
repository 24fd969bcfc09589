"""The tables of the policy: every key is checked against the type that its field has, and says what a file would."""

import dataclasses
from typing import Annotated, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

from schemas.noise_score import Factors
from scoring import policy_tables
from scoring.policy import SHIPPED, Policy, load_policy
from scoring.policy_tables import struct_of


def tables(kind=Policy):
    """Every dataclass that the policy is made of."""
    yield kind
    for hint in get_type_hints(kind).values():
        for each in (hint, *get_args(hint)):
            if dataclasses.is_dataclass(each):
                yield from tables(each)


def plain(kind):
    """The type without its bounds, as a class says it."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return plain(arguments[0])
    if origin is Literal:
        return type(arguments[0])
    return origin[tuple(map(plain, arguments))] if origin in (dict, tuple) else kind


@pytest.mark.annotations
@pytest.mark.parametrize("table", sorted(set(tables()), key=lambda each: each.__name__))
def test_a_key_is_checked_against_the_type_of_its_field(table):
    hints = get_type_hints(table)
    for each in dataclasses.fields(table):
        told = each.metadata.get("kind", hints[each.name])
        assert plain(told) == hints[each.name], each.name
        assert each.metadata or isinstance(told, type), f"a compiler leaves no trace of {each.name}"


def test_what_the_policy_says_is_what_its_file_says():
    says = msgspec.toml.decode(SHIPPED.read_bytes())
    policy = load_policy()
    assert msgspec.json.decode(policy_tables.encode(policy)) == says
    assert msgspec.json.decode(msgspec.json.encode(policy_tables.to_builtins(policy))) == says


def test_a_table_has_one_struct():
    assert struct_of(Policy) is struct_of(Policy)
    assert msgspec.structs.fields(struct_of(Policy))[1].type is Factors
