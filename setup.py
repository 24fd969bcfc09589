"""Compile the core where DECIBEL_COMPILE=1 says so; everything else about the project is in pyproject.toml.

The same sources run with and without: mypyc turns the modules that every observation goes through into C extensions.
"""

import os

from setuptools import setup

COMPILED = (
    "agents/batch.py",
    "schemas/codec.py",
    "schemas/times.py",
    "scoring/activity.py",
    "scoring/assessment.py",
    "scoring/changes.py",
    "scoring/clock.py",
    "scoring/curve.py",
    "scoring/deadlines.py",
    "scoring/decay.py",
    "scoring/derived.py",
    "scoring/events.py",
    "scoring/evidence.py",
    "scoring/factors.py",
    "scoring/forecast.py",
    "scoring/held.py",
    "scoring/incident.py",
    "scoring/index.py",
    "scoring/item.py",
    "scoring/lead.py",
    "scoring/ledger.py",
    "scoring/levels.py",
    "scoring/lifecycle.py",
    "scoring/lifecycle_rules.py",
    "scoring/movement.py",
    "scoring/peaks.py",
    "scoring/per_factor.py",
    "scoring/platform_sum.py",
    "scoring/polarity.py",
    "scoring/policy.py",
    "scoring/quiet.py",
    "scoring/rates.py",
    "scoring/spike.py",
    "scoring/spike_state.py",
    "scoring/stored.py",
    "scoring/teller.py",
    "scoring/trend.py",
    "scoring/verdict.py",
    "stream/partitioner.py",
    "stream/replay/run.py",
)
"""What one observation goes through. No module with a struct of msgspec is among them: a compiler leaves neither its
annotations as they are nor what its class says beside its name."""


def compiled() -> list:
    """Return the extensions to build: none, unless they are asked for."""
    if os.environ.get("DECIBEL_COMPILE") != "1":
        return []
    from mypyc.build import mypycify  # noqa: PLC0415 - a build that compiles nothing needs no mypy

    return mypycify(list(COMPILED), opt_level="3")


if __name__ == "__main__":
    setup(ext_modules=compiled())
