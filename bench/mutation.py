"""`python -m bench.mutation [MODULE[.FUNCTION]…]`: change scoring/ in small ways, and see if its tests notice each one.

mutmut makes the mutants (in `mutants/`, a copy of the tree) and keeps what became of each: `mutmut show NAME` prints
one as a diff. The tests are collected once; then each mutant gets a process of its own, forked from there, that runs
the tests which reach the changed function, the fastest first, until one fails. So a mutant that is noticed costs
milliseconds. Two rounds: few random examples and quick tests for all; then every example and every test for those that
live (`--quick` leaves that out).

What was noticed before is not tried again until its function changes; `--all` tries everything.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import resource
import signal
import sys
import time
from collections import defaultdict
from fnmatch import fnmatch
from itertools import accumulate
from pathlib import Path
from typing import Final

import mutmut
import pytest
from mutmut import __main__ as machine
from mutmut.configuration import Config
from mutmut.mutation.data import SourceFileMutationData

KILLED, SURVIVED, UNREACHED, LATE = 1, 0, 33, 36
"""What became of a mutant, in mutmut's own codes."""
WORDS: Final = {KILLED: "killed", SURVIVED: "survived", UNREACHED: "unreached", LATE: "late", None: "untried"}

SELECTION: Final = ["tests/scoring", "--ignore=tests/scoring/test_recordings.py"]
"""The tests. Not the recordings, which lie outside of the copy; nor doctests, which cannot be run twice."""
OPTIONS: Final = "--import-mode=importlib"
"""Those of pyproject.toml, without what is about the report of a run."""
SLOW: Final = "brute_force or crashes_between_the_rows"
"""What takes seconds: left to the second round."""
QUICK_S: Final = 3.0
"""How long the tests of the first round may take for one mutant, beside those of its module."""
SLOWER: Final = 3.0
"""A mutant is late, and so noticed, when a test takes so many times as long as without it: it loops."""
GRACE_S: Final = 3.0
"""... and so many seconds of the processor more."""
NO_MUTANT: Final = "scoring.nothing.x_nothing__mutmut_0"
"""The tests must pass with this one, or what they notice says nothing."""
MOST_BYTES: Final = 2**31
"""A mutant that loops and collects ends here."""


class Rounds:
    """A pytest plugin: in place of running the tests once, it runs them once for each mutant."""

    def __init__(
        self, chosen: list[tuple[SourceFileMutationData, str]], home: Path, *, thorough: bool
    ) -> None:
        self.chosen, self.home, self.thorough = chosen, home, thorough
        self.says: int | None = None
        self.reach: dict[str, set[str]] = defaultdict(set)
        self.takes_s: dict[str, float] = {}
        self.noticed_last: dict[str, dict[str, int]] = defaultdict(dict)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """A test that fails ends it all, before anybody writes a report."""
        if call.excinfo is None or call.excinfo.errisinstance(pytest.skip.Exception):
            return
        if self.says is None:
            raise pytest.UsageError(f"{item.nodeid} fails without any mutant: {call.excinfo.value!r}")
        os.write(self.says, item.nodeid.encode())
        os._exit(KILLED)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """See which test reaches which function, then try no mutant, then each."""
        items = {item.nodeid: item for item in session.items}
        for item in session.items:
            os.environ["MUTANT_UNDER_TEST"] = "stats"
            began = time.process_time()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            self.takes_s[item.nodeid] = time.process_time() - began
            reached: set[str] = mutmut._stats  # noqa: SLF001 - where mutmut's mutants note it
            for function in reached:
                self.reach[function].add(item.nodeid)
            reached.clear()
        gc.freeze()  # a fork shares what is not touched
        if (code := self._try(0, NO_MUTANT, [items[each] for each in self._asked()])) != SURVIVED:
            who = list(self.noticed_last[machine.mangled_name_from_mutant_name(NO_MUTANT)])
            raise pytest.UsageError(f"there is no mutant, but it is {WORDS[code]}: {who}")
        for number, (kept, name) in enumerate(self.chosen, 1):
            code = self._try(number, name, [items[each] for each in self._tests_of(name)])
            if code != UNREACHED or kept.exit_code_by_key[name] is None:  # else other tests have let it live
                kept.exit_code_by_key[name] = code
            with contextlib.chdir(self.home):
                kept.save()
            print(f"{number}/{len(self.chosen)} {WORDS[code]:9} {name}", file=sys.__stderr__, flush=True)
        return True

    def _asked(self) -> list[str]:
        """Every test that a mutant will be tried with."""
        return sorted({test for _, name in self.chosen for test in self._tests_of(name)})

    def _tests_of(self, name: str) -> list[str]:
        """The tests that reach the mutant: who noticed the last ones here, those of its module, then the fastest."""
        function = machine.mangled_name_from_mutant_name(name)
        reach, last = self.reach.get(function, set()), self.noticed_last[function]
        module = name.split(".")[1]
        own = {each for each in reach if Path(each.split("::")[0]).stem.startswith(f"test_{module}")}
        tests = sorted(reach, key=lambda each: (-last.get(each, 0), each not in own, self.takes_s[each]))
        if self.thorough:
            return tests
        spent_s = accumulate(0.0 if each in own else self.takes_s[each] for each in tests)
        return [each for each, so_far_s in zip(tests, spent_s, strict=True) if so_far_s < QUICK_S]

    def _try(self, number: int, name: str, tests: list[pytest.Item]) -> int:
        """Run the tests in a process of its own, with the mutant in place; say what became of it."""
        if not tests:
            return UNREACHED
        said, self.says = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.environ["MUTANT_UNDER_TEST"] = name
            resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
            for test in tests:
                within_s = GRACE_S + SLOWER * self.takes_s[test.nodeid]
                signal.setitimer(signal.ITIMER_PROF, within_s)  # nobody handles SIGPROF: it ends the process
                test.config.hook.pytest_runtest_protocol(item=test, nextitem=None)
            os._exit(SURVIVED)
        os.close(self.says)
        with os.fdopen(said) as told:
            code = self._wait(pid)
            if code == KILLED:
                self.noticed_last[machine.mangled_name_from_mutant_name(name)][told.read()] = number
        return code

    def _wait(self, pid: int) -> int:
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            return LATE
        return KILLED if status else SURVIVED


def run_round(
    patterns: list[str], wanted: set[int | None], examples: str, tests: list[str], *, thorough: bool
) -> None:
    """Try the mutants that match, in the order of the patterns, and of which one of `wanted` is known.

    They are tried in a process of its own.
    """
    mutants, _ = machine.collect_source_file_mutation_data(mutant_names=patterns)
    chosen = [(kept, name) for kept, name, code in mutants if code in wanted]
    chosen.sort(key=lambda each: next((n for n, one in enumerate(patterns) if fnmatch(each[1], one)), 0))
    if not chosen:
        return
    if os.fork() == 0:
        home = Path.cwd()
        os.environ["HYPOTHESIS_PROFILE"] = examples
        os.chdir("mutants")
        arguments = ["-p", "no:cacheprovider", "-p", "no:terminal", "-o", f"addopts={OPTIONS}", *tests]
        if not thorough:
            arguments += ["-k", f"not ({SLOW})"]
        os._exit(int(pytest.main(arguments, plugins=[Rounds(chosen, home, thorough=thorough)])))
    _, status = os.wait()
    if status:
        sys.exit(f"the tests could not be run: {os.waitstatus_to_exitcode(status)}")


def make_mutants() -> None:
    """Write the mutants of what has changed since they were last written, and copy the tests as they are now."""
    os.environ["MUTANT_UNDER_TEST"] = "mutant_generation"
    Config.ensure_loaded()
    Path("mutants").mkdir(exist_ok=True)
    machine.copy_src_dir()
    machine.copy_also_copy_files()
    machine.setup_source_paths()
    machine.create_mutants(1)


def report(patterns: list[str]) -> None:
    """Print a row for each module, and the mutants that live."""
    mutants, _ = machine.collect_source_file_mutation_data(mutant_names=patterns)
    rows: dict[str, list[int | None]] = defaultdict(list)
    for kept, _, code in mutants:
        rows[Path(kept.path).stem].append(code)
    rows["all"] = [code for _, _, code in mutants]
    print(f"{'module':12} {'mutants':>8} {'noticed':>8} {'live':>6} {'untried':>8} {'share':>7}")
    for name, codes in rows.items():
        live = sum(code in {SURVIVED, UNREACHED} for code in codes)
        untried = codes.count(None)
        tried = len(codes) - untried
        noticed = tried - live
        share = f"{noticed / tried:7.1%}" if tried else ""
        print(f"{name:12} {len(codes):8} {noticed:8} {live:6} {untried:8} {share}")
    for _, name, code in mutants:
        if code in {SURVIVED, UNREACHED}:
            print(f"{WORDS[code]:9} {name}")


def _pattern(asked: str) -> str:
    """Return what the names of the mutants of a module, or of a function or method in it, are like."""
    module, _, function = asked.partition(".")
    return f"scoring.{module}.*{function.split('.')[-1]}__mutmut_*" if function else f"scoring.{module}.*"


def main() -> None:
    """Make the mutants, try them in two rounds, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "modules",
        nargs="*",
        metavar="MODULE[.FUNCTION]",
        help="of scoring/, such as curve, or one function: curve.gain_of (default: all)",
    )
    parser.add_argument("--all", action="store_true", help="try again what was noticed before")
    parser.add_argument("--quick", action="store_true", help="leave out the second round")
    parser.add_argument(
        "--tests", action="append", metavar="PATH", help="try with these tests alone, such as new ones"
    )
    parser.add_argument("--report", action="store_true", help="only report what is known")
    asked = parser.parse_args()
    patterns = [_pattern(each) for each in asked.modules]
    began = time.monotonic()
    if not asked.report:
        make_mutants()
        known = {KILLED, LATE} if asked.all else set()
        tests = asked.tests or SELECTION
        run_round(patterns, {None, SURVIVED, UNREACHED, *known}, "mutation", tests, thorough=False)
        if not asked.quick:
            run_round(patterns, {SURVIVED, UNREACHED}, "scoring", tests, thorough=True)
    report(patterns)
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
