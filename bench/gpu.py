"""Measure lxc against torch on this machine's NVIDIA card.

    python bench/gpu.py --build artifacts        # where lxc and nvcc are; needs no card
    python bench/gpu.py --artifacts artifacts    # where the card is; needs torch, no TVM

Without either option it does one after the other. docs/benchmarks.md says what is measured.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from gpu_suite.cases import TASKS, Task, chosen
from gpu_suite.match import ALL_RIVALS, Verdict, play
from gpu_suite.roofline import roofline

WIDE = 200


def command_line() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(
        description="Measure lxc against torch on this machine's NVIDIA card."
    )
    add = parser.add_argument
    add("--case", nargs="+", default=[], metavar="GLOB", help="cases by name or part")
    add("--against", default=",".join(ALL_RIVALS), metavar="NAME,...")
    add("--rounds", type=int, default=9, help="turns of every contender")
    add("--target", default="cuda", help="what is compiled")
    add("--build", type=Path, metavar="DIR", help="only compile, into a folder")
    add("--artifacts", type=Path, metavar="DIR", help="only measure what lies there")
    add("--seconds", type=float, default=450, help="start no case after this time")
    add("--json", type=Path, metavar="FILE", help="write all numbers")
    add("--list", action="store_true", help="print the names of the cases")
    given = parser.parse_args()
    try:
        given.tasks = chosen(given.case)
    except ValueError as error:
        parser.error(str(error))
    given.rivals = [name.strip() for name in given.against.split(",") if name.strip()]
    for name in given.rivals:
        if name not in ALL_RIVALS:
            parser.error(f"no contender {name!r}: there are {', '.join(ALL_RIVALS)}")
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


def measure(given: argparse.Namespace, folder: Path, console: Console) -> dict[str, Any]:
    """Return the document of a run on the card."""
    start = time.perf_counter()
    limits = roofline(given.rounds)
    console.print(limits)
    verdicts, left = [], []
    for task in given.tasks:
        if time.perf_counter() - start > given.seconds:
            left.append(task.name)
            continue
        verdict = play(task, folder, given.rivals, given.rounds)
        verdicts.append(verdict)
        console.print(f"{verdict.name}: {line_of(verdict)}", highlight=False)
        torch.cuda.empty_cache()
    console.print(table(verdicts, ["lxc", *given.rivals]))
    for verdict in verdicts:
        for name, problem in verdict.problems.items():
            console.print(f"{verdict.name}: {name}: {problem}", markup=False)
    if left:
        console.print(f"no time was left for {', '.join(left)}")
    return {
        "card": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "rounds": given.rounds,
        "roofline": limits,
        "cases": [verdict.json() for verdict in verdicts],
        "left_out": left,
    }


def line_of(verdict: Verdict) -> str:
    """Return the ratio and the microseconds of everyone."""
    shown = [f"{name} {spent * 1e6:.1f}" for name, spent in verdict.seconds.items()]
    ratio = "-" if verdict.ratio is None else f"{verdict.ratio:.2f}"
    return f"{ratio} | {', '.join(shown)}"


def table(verdicts: Sequence[Verdict], names: Sequence[str]) -> Table:
    """Return the table of medians and ratios."""
    title = "microseconds per call, medians; ratio: the best of the others to lxc"
    made = Table(title=title, title_justify="left")
    for heading in ("case", "ratio", *names):
        made.add_column(heading, justify="left" if heading == "case" else "right")
    for verdict in verdicts:
        ratio = "-" if verdict.ratio is None else f"{verdict.ratio:.2f}"
        cells = [
            f"{verdict.seconds[name] * 1e6:.1f} ({verdict.errors[name]:.0e})"
            if name in verdict.seconds
            else "-"
            for name in names
        ]
        made.add_row(verdict.name, ratio, *cells)
    return made


def main() -> None:
    """Do what the command line says."""
    given = command_line()
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    if given.list:
        print("\n".join(task.name for task in TASKS))
        return
    if given.build is not None:
        build(given.tasks, given.build, given.target, console)
        return
    if not torch.cuda.is_available():
        sys.exit("torch sees no card here: --build compiles without one")
    with TemporaryDirectory(prefix="lxc-bench-") as temporary:
        folder = given.artifacts
        if folder is None:
            if find_spec("tvm") is None:
                sys.exit("lxc cannot compile here: give --artifacts")
            folder = Path(temporary)
            build(given.tasks, folder, given.target, console)
        document = measure(given, folder, console)
    if given.json is not None:
        given.json.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
