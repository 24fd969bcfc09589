"""`python -m bench.fit_forecast DATA`: fits the constants of `[forecast]` and compares models, out of sample.

DATA holds the folders frontpage-2021, tech-2021 and world-2016. How coverage grows is fitted on the first half of the
year of frontpage-2021; what further items do, on the first half of the moments of the other two; both are reported on
the second halves. Takes two minutes. The constants in the policy are these, rounded; `decibel backtest` judges them.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from schemas.codec import decode_item, decode_profile
from schemas.times import HOUR_S
from scoring.clock import Clock
from scoring.decay import decay
from scoring.ledger import Ledger
from scoring.policy import Policy, load_policy
from scoring.rows import NoRows
from stream.files import read_records

HOURS: Final = (1, 6, 24)
LEVELS: Final = (0.05, 0.25, 0.50, 0.75, 0.90)
"""Quantiles of the growth. The lowest is none at all: one of ten moments is the last at which a story is observed."""

WAITS: Final = tuple(1.0 / level - 1.0 for level in (0.05, 0.25, 0.50, 0.75, 0.95))
LATER: Final = 4_102_444_800.0
"""The year 2100: every recording has arrived by then."""

Moments = dict[str, np.ndarray]
Constants = dict[str, float]
Quantiles = dict[int, np.ndarray]

START: Final[Constants] = {
    "young_h": 0.3, "grows_h": 20.0, "lingers_h": 1.0, "momentum_weight": 0.1, "crowd_exponent": 1.0,
    "newcomer_points": 2.0,
}  # fmt: skip


# -- the moments ----------------------------------------------------------------------------------------------


def moments(folder: Path, policy: Policy) -> Moments:
    """Replay a recording; of each incident take the first moment in every hour that moves its curve.

    Each comes with what the row then said, and with the noise as it was at each horizon (not a number: not yet known).
    """
    ledger, half_life_s = (
        Ledger(policy, NoRows(), clock=Clock.STREAM, conflate=True),
        policy.curve.half_life_s,
    )
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
        at, slot = row.as_of, int(row.as_of // HOUR_S)
        if slots.get(item.incident_id) == slot:
            continue
        slots[item.incident_id] = slot
        noise = row.noise_at(at, half_life_s)
        others = [
            max(0.0, row.counts[policy.rates.horizons_h.index(horizon_h)] - 1.0)
            * np.log(2.0) / horizon_h * decay(at - row.rates_at, horizon_h * HOUR_S)
            for horizon_h in policy.forecast.rates_h
        ]  # fmt: skip
        room_h = max(0.0, policy.duration.full_h - (row.last_seen - row.first_seen) / HOUR_S)
        names.append(item.incident_id)
        rows.append(
            (at, noise, row.composite, max(0.0, at - row.last_seen) / HOUR_S,
             max(0.0, noise - row.noise_average), max(1, row.items), sum(others) / len(others), room_h)
        )  # fmt: skip
    columns = ("at", "noise", "composite", "age", "momentum", "items", "rate", "room")
    found = dict(zip(columns, np.array(rows).T, strict=True))
    for hours in HOURS:
        found[f"noise_{hours}"] = np.array(
            [
                _then(curves[name], at + hours * HOUR_S, ledger.time, half_life_s)
                for name, at in zip(names, found["at"], strict=True)
            ]
        )
        found[f"decayed_{hours}"] = found["composite"] * 2.0 ** (
            -(found["age"] + hours) * HOUR_S / half_life_s
        )
    return found


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


# -- fitting and judging --------------------------------------------------------------------------------------


def pinball(noise: np.ndarray, told: np.ndarray) -> float:
    """Mean pinball loss over the quantiles: least where each is exceeded as often as it should be."""
    known, level = np.isfinite(noise), np.array(LEVELS)[:, None]
    off = noise[known] - told[:, known]
    return float(np.maximum(level * off, (level - 1.0) * off).mean())


def search(loss: Callable[[Constants], float], start: Constants, free: tuple[str, ...]) -> Constants:
    """Return the constants after a pattern search over `free`: each is raised or lowered, by less and less."""
    best, least, step = dict(start), loss(start), dict.fromkeys(free, 0.5)
    while max(step.values()) > 0.02:
        for name in free:
            for value in (best[name] * (1.0 + step[name]), best[name] / (1.0 + step[name])):
                tried = {**best, name: value}
                if (now := loss(tried)) < least - 1e-7:
                    best, least = tried, now
                    break
            else:
                step[name] /= 2.0
    return best


def fit(growing: Moments, crowds: list[Moments], policy: Policy) -> tuple[Constants, Quantiles]:
    """Return the constants and the quantiles of the growth."""
    alone = where(growing, growing["items"] == 1)
    some = where(alone, np.arange(len(alone["at"])) % 7 == 0)
    naive = {hours: np.nanmean(abs(some[f"noise_{hours}"] - some[f"decayed_{hours}"])) for hours in HOURS}

    def quantiles_by(by: Constants, on: Moments) -> Quantiles:
        found = scaled_model(on, lambda given, hours: growth_units(given, hours, by))
        return {hours: np.array([0.0, *quantiles[1:]]) for hours, quantiles in found.items()}

    def growth_loss(by: Constants) -> float:
        told = quantiles_by(by, some)
        return sum(
            pinball(some[f"noise_{hours}"], shipped_model(some, hours, by, told, policy)) / naive[hours]
            for hours in HOURS
        )

    best = search(growth_loss, START, ("young_h", "grows_h", "lingers_h", "momentum_weight"))
    quantiles = quantiles_by(best, alone)

    def crowd_loss(by: Constants) -> float:
        return sum(
            pinball(crowd[f"noise_{hours}"], shipped_model(crowd, hours, by, quantiles, policy))
            / np.nanmean(abs(crowd[f"noise_{hours}"] - crowd[f"decayed_{hours}"]))
            for crowd in crowds
            for hours in HOURS
        )

    found = search(crowd_loss, best, ("crowd_exponent", "newcomer_points"))
    return found, {hours: narrowed(alone, hours, found, quantiles[hours]) for hours in HOURS}


def narrowed(alone: Moments, hours: int, by: Constants, quantiles: np.ndarray) -> np.ndarray:
    """Return the quantiles with an inner band that holds half when rounded outwards, as it is told.

    In an hour many stories gain a hundredth or nothing, so the quartiles, rounded, would hold more.
    """
    noise, left, units = alone[f"noise_{hours}"], alone[f"decayed_{hours}"], growth_units(alone, hours, by)
    gained, known = (noise - left) / units, np.isfinite(noise)
    for off in np.arange(0.0, 0.2, 0.005):
        low, high = np.nanquantile(gained, (0.25 + off, 0.75 - off))
        if held(noise[known], (left + units * low)[known], (left + units * high)[known]) <= 0.5:
            break
    return np.array(
        [quantiles[0], min(low, quantiles[2]), quantiles[2], max(high, quantiles[2]), quantiles[4]]
    )


def held(noise: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """Return the share of the outcomes that a band holds, rounded outwards to hundredths."""
    return float(((noise >= np.floor(low * 100.0) / 100.0) & (noise <= np.ceil(high * 100.0) / 100.0)).mean())


def judge(name: str, given: Moments, model: Callable[[Moments, int], np.ndarray]) -> None:
    """Print mean absolute error, coverage and width of both bands at each horizon."""
    cells = []
    for hours in HOURS:
        known = np.isfinite(given[f"noise_{hours}"])
        noise, told = given[f"noise_{hours}"][known], model(given, hours)[:, known]
        low, likely_low, median, likely_high, high = told
        inside = [100.0 * held(noise, *band) for band in ((likely_low, likely_high), (low, high))]
        cells.append(
            f"{abs(noise - median).mean():6.3f} {inside[0]:4.0f} {inside[1]:4.0f} {(high - low).mean():5.2f}"
        )
    print(f"  {name:34}", " | ".join(cells))


def main() -> None:
    """Fit on the first halves; print the constants; judge each model on the second halves."""
    folder, policy = Path(sys.argv[1]), load_policy()
    found = {name: moments(folder / name, policy) for name in ("frontpage-2021", "tech-2021", "world-2016")}
    halves = {name: float(np.median(given["at"])) for name, given in found.items()}
    first = {name: where(given, given["at"] < halves[name]) for name, given in found.items()}
    second = {name: where(given, given["at"] >= halves[name]) for name, given in found.items()}

    growing = first["frontpage-2021"]
    constants, quantiles = fit(growing, [first["tech-2021"], first["world-2016"]], policy)
    print({name: round(value, 3) for name, value in constants.items()})
    for hours, values in quantiles.items():
        print(f"growth at {hours} h:", values[1:].round(3).tolist())

    rule = policy.forecast
    shipped = {name: getattr(rule, name) for name in START}
    told = {int(each.hours): np.array([0.0, *each.growth]) for each in rule.horizons}
    momentum, table = scaled_model(growing, momentum_units), TableModel(growing)
    models: dict[str, Callable[[Moments, int], np.ndarray]] = {
        "decay only": lambda given, hours: np.tile(given[f"decayed_{hours}"], (5, 1)),
        "persistence": lambda given, _: np.tile(given["noise"], (5, 1)),
        "growth rate (momentum)": lambda given, hours: (
            given[f"decayed_{hours}"] + momentum_units(given, hours) * momentum[hours][:, None]
        ),
        "branching (new coverage)": lambda given, hours: anchored(given, hours, policy),
        "table by age and momentum": table,
        "age growth and branching, as fitted": lambda given, hours: shipped_model(
            given, hours, constants, quantiles, policy
        ),
        "the same, as shipped": lambda given, hours: shipped_model(given, hours, shipped, told, policy),
    }
    for name, given in second.items():
        print(f"\n{name}, second half: {len(given['at']):,} moments")
        print(f"  {'':34}", " | ".join(f"{hours:2} h: MAE  50%  90% width" for hours in HOURS))
        for label, model in models.items():
            judge(label, given, model)


if __name__ == "__main__":
    main()
