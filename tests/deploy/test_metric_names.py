"""Every metric that rules, docs and README name exists, and every one that exists is in docs/operations.md."""

import re
from pathlib import Path

import pytest

from stream.alerts.metrics import AlertMetrics
from stream.gateway.metrics import GatewayMetrics
from stream.view.metrics import ViewMetrics
from stream.worker.metrics import WorkerMetrics

ROOT = Path(__file__).parents[2]
NAMING = [
    *sorted((ROOT / "deploy" / "prometheus").rglob("*.yml")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "README.md",
]
# A whole word; in a recorded name (level:metric:operations) the middle is a family without `_total`.
_METRIC = re.compile(r"(?<![\w./])decibel_[a-z_]+\b(?![./])")


def measured():
    """Every metric of every process."""
    every = (WorkerMetrics(), ViewMetrics(), GatewayMetrics(), AlertMetrics())
    return [family for metrics in every for family in metrics.registry.collect()]


def exported():
    """The names of all series, with their suffixes."""
    names = set()
    for family in measured():
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(family.type, [""])
        names |= {family.name + suffix for suffix in suffixes}
    return names


def families():
    return {family.name for family in measured() if family.name.startswith("decibel_")}


@pytest.mark.parametrize("path", NAMING, ids=lambda path: path.name)
def test_every_metric_that_is_named_exists(path):
    for name in _METRIC.findall(path.read_text()):
        if (path.parent / name).with_suffix(".yml").exists():
            continue  # the name of a file of rules
        assert name in exported() | families(), f"{path.name} names {name}, which nothing exports"


def test_the_operations_page_has_every_metric():
    page = (ROOT / "docs" / "operations.md").read_text()
    for family in measured():
        name = family.name + ("_total" if family.type == "counter" else "")
        assert f"`{name}`" in page, name
