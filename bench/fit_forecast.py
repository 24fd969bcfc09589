"""`python -m bench.fit_forecast DATA`: fits the constants of `[forecast]` and compares models, out of sample.

DATA holds the folders frontpage-2021, tech-2021 and world-2016. How coverage grows is fitted on the first half of the
year of frontpage-2021; what further items do, on the first half of the moments of the other two; both are reported on
the second halves. Takes two minutes. The constants in the policy are these, rounded; `decibel backtest` judges them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from bench.forecast_models import (
    HOURS,
    LEVELS,
    Constants,
    Moments,
    Quantiles,
    TableModel,
    anchored,
    growth_units,
    moments,
    momentum_units,
    scaled_model,
    shipped_model,
    where,
)
from schemas.times import parse_time
from scoring.policy import Policy, load_policy

START: Final[Constants] = {
    "young_h": 0.3, "grows_h": 20.0, "lingers_h": 1.0, "momentum_weight": 0.1, "crowd_exponent": 1.0,
    "newcomer_points": 2.0,
}  # fmt: skip


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


def constants_of(policy: Policy) -> tuple[Constants, Quantiles]:
    """Return those of a policy."""
    rule = policy.forecast
    quantiles = {int(each.hours): np.array([0.0, *each.growth]) for each in rule.horizons}
    return {name: getattr(rule, name) for name in START}, quantiles


def main() -> None:
    """Fit on the first halves; print the constants; judge each model on the second halves."""
    folder, policy = Path(sys.argv[1]), load_policy()
    found = {name: moments(folder / name, policy) for name in ("frontpage-2021", "tech-2021", "world-2016")}
    halves = {name: float(np.median(given["at"])) for name, given in found.items()}
    halves["frontpage-2021"] = parse_time("2021-07-01")
    first = {name: where(given, given["at"] < halves[name]) for name, given in found.items()}
    second = {name: where(given, given["at"] >= halves[name]) for name, given in found.items()}

    growing = first["frontpage-2021"]
    constants, quantiles = fit(growing, [first["tech-2021"], first["world-2016"]], policy)
    print({name: round(value, 3) for name, value in constants.items()})
    for hours, values in quantiles.items():
        print(f"growth at {hours} h:", values[1:].round(3).tolist())

    shipped, told = constants_of(policy)
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
