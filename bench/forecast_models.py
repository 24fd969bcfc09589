"""The moments at which forecasts are fitted and judged, and the models that are compared, on arrays."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from schemas.codec import decode_item, decode_profile
from schemas.times import HOUR_S
from scoring.clock import Clock
from scoring.decay import decay
from scoring.incident import Incident
from scoring.ledger import Ledger
from scoring.policy import Policy
from scoring.rows import NoRows
from stream.files import read_records

HOURS: Final = (1, 6, 24)
LEVELS: Final = (0.05, 0.25, 0.50, 0.75, 0.90)
"""Quantiles of the growth. The lowest is none at all: one of ten moments is the last at which a story is observed."""

WAITS: Final = tuple(1.0 / level - 1.0 for level in (0.05, 0.25, 0.50, 0.75, 0.95))
COLUMNS: Final = ("at", "noise", "composite", "age", "momentum", "items", "rate", "room")
"""What a row says at a moment: epoch seconds, points, points, hours, points, count, items per hour, hours."""

LATER: Final = 4_102_444_800.0
"""The year 2100: every recording has arrived by then."""

Moments = dict[str, np.ndarray]
Constants = dict[str, float]
Quantiles = dict[int, np.ndarray]


# -- the moments ----------------------------------------------------------------------------------------------


def moments(folder: Path, policy: Policy) -> Moments:
    """Replay a recording; of each incident take the first moment in every hour that moves its curve.

    Each comes with what the row then said, and with the noise as it was at each horizon (not a number: not yet known).
    """
    ledger = Ledger(policy, NoRows(), clock=Clock.STREAM, conflate=True)
    if (folder / "profiles.jsonl").exists():
        for number, record in enumerate(read_records(str(folder / "profiles.jsonl"))):
            ledger.apply_profile(decode_profile(record.value), number, LATER)
    curves: dict[str, tuple[list[float], list[tuple[float, float]]]] = {}
    slots: dict[str, int] = {}
    rows: list[tuple[float, ...]] = []
    names: list[str] = []
    for number, record in enumerate(read_records(str(folder / "items.jsonl.gz"))):
        item = decode_item(record.value)
        ledger.apply_item(item, number, LATER)
        ledger.collect()
        row = ledger.incident(item.incident_id)
        assert row is not None
        times, curve = curves.setdefault(item.incident_id, ([], []))
        if curve and curve[-1] == (row.composite, row.last_seen):
            continue
        times.append(row.as_of)
        curve.append((row.composite, row.last_seen))
        slot = int(row.as_of // HOUR_S)
        if slots.get(item.incident_id) != slot:
            slots[item.incident_id] = slot
            names.append(item.incident_id)
            rows.append(said_by(row, policy))
    found = dict(zip(COLUMNS, np.array(rows).T, strict=True))
    for hours in HOURS:
        found[f"noise_{hours}"] = np.array(
            [
                _then(curves[name], at + hours * HOUR_S, ledger.time, policy.curve.half_life_s)
                for name, at in zip(names, found["at"], strict=True)
            ]
        )
        found[f"decayed_{hours}"] = decayed(found, hours, policy)
    return found


def said_by(row: Incident, policy: Policy) -> tuple[float, ...]:
    """Return what an incident's row says at its latest revision, in the order of COLUMNS."""
    at, horizons_h = row.as_of, policy.rates.horizons_h
    noise = row.noise_at(at, policy.curve.half_life_s)
    rates = [
        max(0.0, row.counts[horizons_h.index(horizon_h)] - 1.0)
        * (np.log(2.0) / horizon_h * decay(at - row.rates_at, horizon_h * HOUR_S))
        for horizon_h in policy.forecast.rates_h
    ]
    return (
        at,
        noise,
        row.composite,
        max(0.0, at - row.last_seen) / HOUR_S,
        max(0.0, noise - row.noise_average),
        max(1, row.items),
        sum(rates) / len(rates),
        max(0.0, policy.duration.full_h - (row.last_seen - row.first_seen) / HOUR_S),
    )


def decayed(given: Moments, hours: int, policy: Policy) -> np.ndarray:
    """Return what would be left if nothing new came."""
    return given["composite"] * 2.0 ** (-(given["age"] + hours) / policy.curve.half_life_h)


def _then(
    told: tuple[list[float], list[tuple[float, float]]], at: float, known_until: float, half_life_s: float
) -> float:
    if at > known_until:
        return np.nan
    composite, anchor = told[1][bisect_right(told[0], at) - 1]
    return composite * decay(at - anchor, half_life_s)


def where(given: Moments, chosen: np.ndarray) -> Moments:
    """Return the chosen moments."""
    return {name: values[chosen] for name, values in given.items()}


# -- the models: each gives the five quantiles at one horizon, as rows ----------------------------------------


def growth_units(given: Moments, hours: int, by: Constants) -> np.ndarray:
    """What the growth is measured in; see `scoring.forecast`."""
    left_h = np.maximum(by["grows_h"] - given["age"], by["lingers_h"])
    scale = (1.0 + by["momentum_weight"] * given["momentum"]) * given["items"] ** -by["crowd_exponent"]
    newcomers = by["newcomer_points"] * np.log1p(given["rate"] * hours / given["items"])
    return scale * np.log1p(np.minimum(hours, left_h) / (given["age"] + by["young_h"])) + newcomers


def anchored(given: Moments, hours: int, policy: Policy) -> np.ndarray:
    """The branching model alone: new coverage at the rate of late, whose chance is Lomax's."""
    half_life_h, per_hour = policy.curve.half_life_h, 100.0 * policy.weights.duration / policy.duration.full_h
    told = []
    for wait in WAITS:
        wait_h = wait / np.maximum(given["rate"], 1e-9)
        longer_h = np.minimum(given["age"] + hours - wait_h, given["room"])
        new = (given["composite"] + per_hour * longer_h) * 2.0 ** -(wait_h / half_life_h)
        told.append(np.where(wait_h < hours, new, given[f"decayed_{hours}"]))
    return np.array(told)


def shipped_model(
    given: Moments, hours: int, by: Constants, quantiles: Quantiles, policy: Policy
) -> np.ndarray:
    """Both together, as `scoring.forecast` adds them up."""
    told = anchored(given, hours, policy) + growth_units(given, hours, by) * quantiles[hours][:, None]
    return np.clip(told, 0.0, 100.0)


def scaled_model(fitted_on: Moments, units: Callable[[Moments, int], np.ndarray]) -> Quantiles:
    """Return the quantiles of what was gained over mere decay, in the model's units."""
    found = {}
    for hours in HOURS:
        gained = (fitted_on[f"noise_{hours}"] - fitted_on[f"decayed_{hours}"]) / units(fitted_on, hours)
        found[hours] = np.nanquantile(gained, LEVELS)
    return found


def momentum_units(given: Moments, hours: int) -> np.ndarray:
    """A growth-rate model: the gain of late goes on, and dies away in so many hours."""
    return (given["momentum"] + 0.5) * (1.0 - np.exp(-hours / 6.0))


class TableModel:
    """Quantiles of the gain by age and momentum, 14 classes of either: 2,940 numbers, as good as these two can tell."""

    def __init__(self, fitted_on: Moments) -> None:
        parts = np.linspace(0.0, 1.0, 15)[1:-1]
        self._edges = {name: np.quantile(fitted_on[name], parts) for name in ("age", "momentum")}
        self._gains = {hours: self._fit(fitted_on, hours) for hours in HOURS}

    def _class(self, given: Moments) -> np.ndarray:
        age, momentum = (np.searchsorted(self._edges[name], given[name]) for name in ("age", "momentum"))
        return age * 14 + momentum

    def _fit(self, given: Moments, hours: int) -> np.ndarray:
        gained, classes = given[f"noise_{hours}"] - given[f"decayed_{hours}"], self._class(given)
        found = np.tile(np.nanquantile(gained, LEVELS)[:, None], 196)
        for each in np.unique(classes):
            inside = gained[classes == each]
            if np.isfinite(inside).sum() > 20:
                found[:, each] = np.nanquantile(inside, LEVELS)
        return found

    def __call__(self, given: Moments, hours: int) -> np.ndarray:
        """Return the quantiles."""
        return given[f"decayed_{hours}"] + self._gains[hours][:, self._class(given)]
