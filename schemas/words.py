"""The closed vocabularies of the wire: one word for one thing, alike in events, policy, pages and alerts."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """The display state of an incident; what the rules call it inside stands in the methodology."""

    EMERGING = "Emerging"
    GROWING = "Growing"
    DEBATED = "Debated"
    MAJOR = "Major Controversy"
    RESOLVED = "Resolved"


class Trend(StrEnum):
    """Where an incident is heading, from loudest rise to deepest fall."""

    SURGING = "Surging"
    RISING = "Rising"
    STEADY = "Holding steady"
    COOLING = "Cooling"
    FADING = "Fading"


class Activity(StrEnum):
    """What an incident's volume does against its own usual level."""

    NORMAL = "normal"
    SPIKING = "spiking"
    SUBSIDED = "subsided"
    SILENT = "silent"


class Sensitivity(StrEnum):
    """How readily a spike is announced: fewer alerts, or more of them."""

    FEWER = "fewer"
    BALANCED = "balanced"
    MORE = "more"


class Shift(StrEnum):
    """How the split between critics and defenders has moved of late."""

    NARROWED = "the split has narrowed"
    HELD = "the split has held"
    WIDENED = "the split has widened"


class PeakKind(StrEnum):
    """What crossed: the running peak itself, its confirmation, or the lower edge of a noise level."""

    NEW_PEAK = "new_peak"
    PEAKED = "peaked"
    ROSE_ABOVE = "rose_above"
    FELL_BELOW = "fell_below"


class Cause(StrEnum):
    """By what an incident has changed."""

    OBSERVATION = "observation"
    PROFILE = "profile"
    DEADLINE = "deadline"
    MERGE = "merge"


class Side(StrEnum):
    """The side a party takes."""

    CRITIC = "critic"
    DEFENDER = "defender"
    NEUTRAL = "neutral"


class Tier(StrEnum):
    """Influence of a party or figure; the policy says how many points of star power each is worth."""

    S = "S"
    A = "A"
    B = "B"
    C = "C"


class Category(StrEnum):
    """The eight categories an incident can be filed under."""

    SAFETY = "Safety"
    ETHICS = "Ethics"
    IP = "IP / Copyright"
    LABOR = "Labor"
    REGULATION = "Regulation"
    CORPORATE = "Corporate"
    MILITARY = "Military"
    OTHER = "Other"
