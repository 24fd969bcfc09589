"""The core as it ships, compiled: the same bytes as from the sources, and all that holds of them holds of it."""

import os
import runpy
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.requirements import require, unmet

ROOT = Path(__file__).parents[2]
COMPILED = ROOT / "build" / "compiled"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
]  # a compiler takes half a minute, the tests a minute


@pytest.fixture(scope="module")
def compiled():
    """The folder of the package with its core compiled, made by the command that the README names."""
    require("gcc", "to compile the core")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        unmet("Python's headers are needed to compile the core: apt-get install python3-dev")
    subprocess.run(["make", "compiled"], cwd=ROOT, check=True, timeout=300, stdout=sys.stderr)
    return COMPILED


def run(path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the packages in `path`."""
    return subprocess.run(
        [sys.executable, "-P", *command],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(path), "HYPOTHESIS_PROFILE": "compiled"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
        check=False,
    )


def test_compiled_or_not_the_ledger_tells_and_stores_the_same_bytes(compiled):
    # when
    script = str(Path(__file__).with_name("told_and_stored.py"))
    plain, fast = run(ROOT, script), run(compiled, script)

    # then
    assert (plain.returncode, fast.returncode) == (0, 0), plain.stdout[-2000:] + fast.stdout[-2000:]
    (plain_is, *expected), (fast_is, *found) = plain.stdout.splitlines(), fast.stdout.splitlines()
    assert (plain_is, fast_is) == ("False", "True")
    assert len(expected) > 10_000
    assert found == expected


def test_every_module_that_is_to_be_compiled_is(compiled):
    sources = runpy.run_path(str(ROOT / "setup.py"), run_name="read")["COMPILED"]
    built = {str(each.relative_to(compiled)).split(".")[0] + ".py" for each in compiled.glob("*/**/*.so")}
    assert built == set(sources)


def test_what_holds_of_the_sources_holds_of_the_compiled_core(compiled):
    """Every test of the mathematics, but for those that read annotations, which a compiler drops."""
    result = run(
        compiled,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", f"pythonpath={compiled} {ROOT}"),
        *("-m", "not slow and not annotations"),
        "tests/scoring",
    )
    assert result.returncode == 0, result.stdout[-6000:]
