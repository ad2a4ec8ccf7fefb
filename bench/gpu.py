"""Measure lxc against torch on this machine's NVIDIA card.

    python bench/gpu.py --build artifacts        # where lxc and nvcc are; needs no card
    python bench/gpu.py --artifacts artifacts    # where the card is; needs torch, no TVM

Without either option it does one after the other. docs/benchmarks.md says what is measured.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from cpu_suite.process import Lost
from gpu_suite.cases import TASKS, Task, chosen
from gpu_suite.players import Players
from gpu_suite.verdict import Verdict
from gpu_suite.ways import ALL_RIVALS, EACH

WIDE = 200


def command_line() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(
        description="Measure lxc against torch on this machine's NVIDIA card."
    )
    add = parser.add_argument
    add("--case", nargs="+", default=[], metavar="GLOB", help="cases by name or part")
    add("--against", default=EACH, metavar="NAME,...", help="each: what suits the case")
    add("--rounds", type=int, default=9, help="turns of every contender")
    add("--target", default="cuda", help="what is compiled")
    add("--build", type=Path, metavar="DIR", help="only compile, into a folder")
    add("--artifacts", type=Path, metavar="DIR", help="only measure what lies there")
    add("--seconds", type=float, default=420, help="start no case after this time")
    add("--step", type=float, default=120, help="seconds for one contender of a case")
    add("--json", type=Path, metavar="FILE", help="write all numbers")
    add("--list", action="store_true", help="print the names of the cases")
    given = parser.parse_args()
    try:
        given.tasks = chosen(given.case)
    except ValueError as error:
        parser.error(str(error))
    given.rivals = [name.strip() for name in given.against.split(",") if name.strip()]
    for name in given.rivals:
        if name not in (*ALL_RIVALS, EACH):
            known = ", ".join((*ALL_RIVALS, EACH))
            parser.error(f"no contender {name!r}: there are {known}")
    return given


def build(tasks: Sequence[Task], folder: Path, target: str, console: Console) -> None:
    """Compile tasks into a folder."""
    write_artifact = import_module("gpu_suite.building").write_artifact
    folder.mkdir(parents=True, exist_ok=True)
    for task in tasks:
        start = time.perf_counter()
        path = write_artifact(task, folder, target)
        spent = time.perf_counter() - start
        size = path.stat().st_size >> 10
        console.print(f"{task.name}: {spent:.1f} s, {size} KB", highlight=False)


def measure(given: argparse.Namespace, scratch: Path, console: Console) -> None:
    """Measure all tasks on the card, after compiling them if no artifacts are given."""
    folder: Path = given.artifacts or scratch
    options = folder, ",".join(given.rivals), given.rounds
    players = Players(options, given.step, scratch / "log.txt")
    try:
        players.process()
        if given.artifacts is None:
            build(given.tasks, folder, given.target, console)
        start = time.perf_counter()
        machine = players.machine()
        console.print(machine)
        play_all(players, machine, given, console, start)
    except Lost as lost:
        sys.exit(f"{lost.detail}: --build compiles without a card")
    finally:
        players.close()


def play_all(
    players: Players,
    machine: dict[str, Any],
    given: argparse.Namespace,
    console: Console,
    start: float,
) -> None:
    """Play the tasks that time is left for since `start`.

    The file of numbers is whole after every one.
    """
    shares: dict[str, float | None] = {}
    verdicts: list[Verdict] = []
    left: list[str] = []
    document = {**machine, "rounds": given.rounds, "cases": [], "left_out": left}
    for task in given.tasks:
        if time.perf_counter() - start > given.seconds:
            left.append(task.name)
            continue
        verdict = players.play(task)
        verdicts.append(verdict)
        shares[task.name] = verdict.share(task.work, machine["roofline"])
        document["cases"].append({**verdict.json(), "of_limit": shares[task.name]})
        show(verdict, console)
        write(given.json, document)
    names = ALL_RIVALS if EACH in given.rivals else given.rivals
    console.print(table(verdicts, ["lxc", *names], shares))
    if left:
        console.print(f"no time was left for {', '.join(left)}")
    write(given.json, document)


def show(verdict: Verdict, console: Console) -> None:
    """Print the line of a task, and what went wrong in it."""
    console.print(f"{verdict.name}: {line_of(verdict)}", highlight=False)
    for name, problem in verdict.problems.items():
        console.print(f"{verdict.name}: {name}: {problem}", markup=False)


def write(path: Path | None, document: dict[str, Any]) -> None:
    """Write the numbers there are so far, if a file is wanted."""
    if path is not None:
        path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def line_of(verdict: Verdict) -> str:
    """Return the ratio and the microseconds of everyone."""
    spent = [f"{name} {spent * 1e6:.1f}" for name, spent in verdict.seconds.items()]
    return f"{shown(verdict.ratio)} | {', '.join(spent)}"


def table(
    verdicts: Sequence[Verdict], names: Sequence[str], shares: Mapping[str, float | None]
) -> Table:
    """Return the table of medians, ratios, and what lxc reaches of the card's limits."""
    title = (
        "microseconds per call, medians; ratio: the best of the others to lxc; "
        "limit: what lxc reaches of a copy or of a large product of this run"
    )
    made = Table(title=title, title_justify="left")
    for heading in ("case", "ratio", "limit", *names):
        made.add_column(heading, justify="left" if heading == "case" else "right")
    for verdict in verdicts:
        rates = [shown(one) for one in (verdict.ratio, shares[verdict.name])]
        cells = [
            f"{verdict.seconds[name] * 1e6:.1f} ({verdict.errors[name]:.0e})"
            if name in verdict.seconds
            else "-"
            for name in names
        ]
        made.add_row(verdict.name, *rates, *cells)
    return made


def shown(rate: float | None) -> str:
    """Return a ratio as it is printed."""
    return "-" if rate is None else f"{rate:.2f}"


def main() -> None:
    """Do what the command line says."""
    given = command_line()
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    if given.list:
        print("\n".join(task.name for task in TASKS))
        return
    if find_spec("torch") is None:
        sys.exit("torch is not installed, which draws the weights and is compared with")
    if given.build is not None:
        build(given.tasks, given.build, given.target, console)
        return
    if given.artifacts is None and find_spec("tvm") is None:
        sys.exit("lxc cannot compile here: give --artifacts")
    with TemporaryDirectory(prefix="lxc-bench-") as temporary:
        measure(given, Path(temporary), console)


if __name__ == "__main__":
    main()
