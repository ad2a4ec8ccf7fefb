"""The function `tune`: records for a model, measured on this machine."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lxc.compilation import tensor_level, traced
from lxc.ir.graph import Graph
from lxc.passes import Choices
from lxc.passes.precision import check_paths, plan_of
from lxc.passes.records import Records
from lxc.record_file import records_so_far, write_records
from lxc.targets import targets_named
from lxc.targets.target import Target
from lxc.tuning.bench import MachineBench
from lxc.tuning.machine import check_runs_here
from lxc.tuning.tuner import Surroundings, Tuner


def tune(
    model: Any,
    *arguments: Any,
    records: Path | str,
    target: str | Sequence[str] = "native",
    seconds: float | None = None,
    exact: bool = False,
    precision: str | Mapping[str, str] = "float32",
    **options: Any,
) -> Records:
    """Return records for a model: what the file `records` holds, and what it lacked.

    What was not measured yet is measured on one thread of this machine, for as many
    `seconds` as are given, and the file is written anew after every kernel. Model,
    arguments and `options` are those of `compile`, which takes the records.
    """
    path = Path(records)
    known = Choices(exact=exact, precision=plan_of(precision), records=records_so_far(path))
    graph = traced(model, arguments, **options)
    around = Surroundings(MachineBench(), partial(write_records, path), seconds=seconds)
    return tuned(graph, targets_named(target), known, around).records


def tuned(
    graph: Graph, targets: tuple[Target, ...], choices: Choices, around: Surroundings
) -> Tuner:
    """Return a session that measured what the records of `choices` lack of a graph."""
    check_runs_here(targets)
    check_paths(choices.precision, graph)
    tuner = Tuner(choices, around)
    tuner.tune(tensor_level(graph), targets)
    return tuner
