"""`incident-profiles`: what editors say of an incident: its title, sides, consequence, words of its page."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from schemas.source_item import Id, Name
from schemas.times import Moment
from schemas.words import Category, Side, Tier

Text = Annotated[str, Meta(max_length=16384)]


class Party(Struct, frozen=True):
    """A person, company or body that takes part; `tier` is its influence, `position` what it holds."""

    name: Name
    side: Side = Side.NEUTRAL
    tier: Tier = Tier.C
    position: Text = ""


class IncidentProfile(Struct, frozen=True):
    """The editors' profile of an incident; keyed by `incident_id`, compacted: the latest stands.

    An incident without one scores with the defaults of the policy. `industry_impact` is 0 to 100. `merged_into`
    merges the incident into another, for good: all its items move there, and those yet to come follow.
    """

    incident_id: Id
    title: Text = ""
    category: Category = Category.OTHER
    parties: Annotated[tuple[Party, ...], Meta(max_length=64)] = ()
    industry_impact: Annotated[float, Meta(ge=0.0, le=100.0)] | None = None
    summary: Text = ""
    why_it_matters: Text = ""
    key_points: Annotated[tuple[Text, ...], Meta(max_length=32)] = ()
    forecast: Text = ""
    updated_at: Moment | None = None
    merged_into: Id | None = None
