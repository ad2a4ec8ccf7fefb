"""Measure lxc against other ways to run a model on this machine's processor.

    python bench/cpu.py --case resnet18 --against onnxruntime,openvino

docs/benchmarks.md says what is measured, and how to read the table.
"""

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from cpu_suite import machine, report
from cpu_suite.case import Case
from cpu_suite.cases import CASES, chosen
from cpu_suite.ceilings import Ceilings, Gauge, compiled
from cpu_suite.contenders import PEERS, field_of
from cpu_suite.growth_cases import GROWTH
from cpu_suite.growth_fit import growths
from cpu_suite.measure import Match, Workers
from cpu_suite.outcome import Result
from lxc.benchmarking.machine import cache_sizes, processors

WIDE = 250


def command_line() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(
        description="Measure lxc against other ways to run a model on this machine."
    )
    add = parser.add_argument
    add("--case", action="extend", nargs="+", default=[], type=matching, metavar="GLOB")
    add("--against", type=peers, default=list(PEERS), metavar="NAME,...", help=f"{PEERS}")
    add("--threads", choices=("1", "all"), default="1")
    add("--rounds", type=int, default=15, help="turns of every contender")
    add("--limit", type=float, default=300, help="seconds to build a case, or for a turn")
    add("--json", type=Path, metavar="FILE", help="write all numbers")
    add("--plot", type=Path, metavar="FILE.png", help="draw how lxc grows with sizes")
    add("--list", action="store_true", help="print the names of the cases")
    given = parser.parse_args()
    if given.plot is not None and find_spec("matplotlib") is None:
        parser.error("--plot needs matplotlib")
    return given


def matching(pattern: str) -> list[Case]:
    """Return the cases for one argument of the command line."""
    try:
        return chosen([pattern])
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def peers(text: str) -> list[str]:
    """Return the names of contenders."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in PEERS:
            known = ", ".join(PEERS)
            raise argparse.ArgumentTypeError(f"no contender {name!r}: there are {known}")
    return names


@dataclass(frozen=True)
class Run:
    """One run on this machine: who, how often, and on which processors."""

    given: argparse.Namespace
    console: Console
    folder: Path

    def places(self, threads: str) -> tuple[int, ...]:
        """Return the processors for one thread, or for all."""
        everyone = processors()
        return tuple(everyone[-1:] if threads == "1" else everyone)

    def results(
        self, cases: Sequence[Case], names: Sequence[str], gauge: Gauge
    ) -> list[Result]:
        """Return the results of some cases."""
        workers = Workers(list(gauge.processors), self.folder)
        given, found = self.given, []
        match = Match(workers, names, given.rounds, given.limit, gauge.probe)
        try:
            for place, case in enumerate(cases, 1):
                with self.console.status(f"{case.name} ({place} of {len(cases)})"):
                    found.append(match.play(case))
                self.console.print(report.line_of(found[-1]), markup=False, highlight=False)
        finally:
            workers.close()
        return found

    def ceilings(self, program: Path) -> dict[str, Ceilings]:
        """Return what one processor and all of them reach."""
        caches = cache_sizes()
        return {
            threads: Gauge(program, self.places(threads)).ceilings(caches)
            for threads in ("1", "all")
        }

    def whole(self, cases: Sequence[Case]) -> tuple[list[Result], list[Result], Any]:
        """Return results, growth and the document; ceilings come before and after."""
        program = compiled(self.folder)
        gauge = Gauge(program, self.places(self.given.threads))
        before = self.ceilings(program)
        started = machine.facts()
        results = self.results(cases, field_of(self.given.against), gauge)
        growth = self.results(GROWTH, ["lxc"], gauge) if self.given.plot else []
        after = self.ceilings(program)
        best = {threads: one.better(after[threads]) for threads, one in before.items()}
        for threads, one in best.items():
            self.console.print(f"threads {threads}: {one}", highlight=False)
        document = {
            "machine": {**started, "load_after": machine.facts()["load"]},
            "versions": machine.versions(),
            "threads": self.given.threads,
            "rounds": self.given.rounds,
            "ceilings": {threads: one.json() for threads, one in best.items()},
            "cases": [result.json() for result in results],
            "growth": [result.json() for result in growth],
            "lines": [one.json() for one in growths(growth)] if growth else [],
        }
        return results, growth, document


def main() -> None:
    """Do what the command line says."""
    given = command_line()
    if given.list:
        print("\n".join(case.name for case in CASES))
        return
    wanted = {case.name for cases in given.case for case in cases}
    cases = [case for case in CASES if case.name in wanted]
    if not wanted and given.plot is None:
        cases = list(CASES)
    # An end from outside removes the files too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    with TemporaryDirectory(prefix="lxc-bench-") as folder:
        results, growth, document = Run(given, console, Path(folder)).whole(cases)
    if given.json is not None:
        given.json.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    if given.plot is not None:
        import_module("cpu_suite.growth").draw(growths(growth), given.plot)
        for one in growths(growth):
            console.print(str(one), markup=False, highlight=False)
    names = field_of(given.against)
    if results:
        console.print(report.times(results, names))
        from_c = report.times_from_c(results)
        if from_c is not None:
            console.print(from_c)
        console.print(report.checks(results, names))
    for line in report.problems([*results, *growth]):
        console.print(line, markup=False, highlight=False)
    versions = ", ".join(f"{name} {text}" for name, text in document["versions"].items())
    console.print(versions, highlight=False)


if __name__ == "__main__":
    main()
