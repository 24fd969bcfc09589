"""The constants are fitted with arrays; what is fitted must be what the score then uses."""

import numpy as np
import pytest

from bench.fit_forecast import constants_of, narrowed, search
from bench.forecast_models import COLUMNS, HOURS, decayed, said_by, shipped_model
from scoring.forecast import forecast
from tests.builders import item
from tests.driver import SHIPPED_POLICY as POLICY
from tests.driver import Driver

LONE = [item("a", h=0, likes=40), item("a", h=0, seen=3, likes=200)]
CROWD = [item(f"i{n}", h=n * 0.7, likes=30 * n, platform="reddit" if n % 3 else "news") for n in range(30)]
OLD_CROWD = [item("first", h=-500), *CROWD]


@pytest.mark.parametrize("stream", [LONE, CROWD, OLD_CROWD], ids=["lone", "crowd", "old crowd"])
def test_the_fitted_model_is_the_one_that_runs(stream):
    # given
    driver = Driver()
    for each in stream:
        driver.pipe(each)
    row, (constants, quantiles) = driver.state(), constants_of(POLICY)
    moment = dict(zip(COLUMNS, np.array([said_by(row, POLICY)]).T, strict=True))
    for hours in HOURS:
        moment[f"decayed_{hours}"] = decayed(moment, hours, POLICY)

    # when
    told = [shipped_model(moment, hours, constants, quantiles, POLICY)[:, 0].tolist() for hours in HOURS]

    # then
    for each, values in zip(forecast(row, POLICY, row.as_of), told, strict=True):
        shown = [each.low_90, each.low_50, each.noise, each.high_50, each.high_90]
        assert shown == pytest.approx(values, abs=0.0101)


def test_the_search_finds_the_least():
    found = search(lambda by: (by["x"] - 3.0) ** 2 + (by["y"] - 0.2) ** 2, {"x": 1.0, "y": 1.0}, ("x", "y"))

    assert found == pytest.approx({"x": 3.0, "y": 0.2}, abs=0.05)


def test_the_inner_band_is_narrowed_until_it_holds_half():
    """Given gains of 0 to 1 point, all alike; then half lie between a quarter and three quarters."""
    constants, _ = constants_of(POLICY)
    gains = np.linspace(0.0, 1.0, 2001)
    alone = {name: np.ones(2001) for name in COLUMNS} | {"momentum": np.zeros(2001)}
    alone["decayed_6"], alone["rate"] = np.full(2001, 20.0), np.zeros(2001)
    alone["noise_6"] = 20.0 + gains
    unit = np.log1p(6.0 / (1.0 + constants["young_h"]))

    low, median, high = (
        narrowed(alone, 6, constants, np.array([0.0, 0.25, 0.5, 0.75, 0.9]) / unit)[1:4] * unit
    )

    assert median == pytest.approx(0.5)
    assert 0.25 <= low <= 0.28
    assert 0.72 <= high <= 0.75
