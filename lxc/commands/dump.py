"""Every stage of compiling, as numbered files."""

from collections.abc import Sequence
from pathlib import Path

from lxc.errors import LxcError
from lxc.ir.graph import Graph, Program
from lxc.passes import (
    LAYER_PIPELINE,
    TENSOR_PIPELINE,
    Choices,
    passes_named,
    run_passes,
)
from lxc.runtime.signature import identifier
from lxc.targets import Target
from lxc.targets.compile import machine_code


def dump_stages(
    graph: Graph, targets: Sequence[Target], folder: Path, name: str, choices: Choices
) -> None:
    """Write the graph before and after every pass, then the texts of its code.

    Several targets get a folder each.
    """
    for target in targets:
        own = folder / target.name if len(targets) > 1 else folder
        try:
            outcome = run_passes(
                graph,
                passes_named(passes_of(target)),
                machine=target.machine,
                choices=choices,
                dump=own,
            )
            if isinstance(outcome.program, Program):
                write_code(outcome.program, target, own, name, choices)
        except OSError as error:
            raise LxcError("LXC-E0002", f"cannot write {own}: {error.strerror}") from None


def write_code(
    program: Program, target: Target, folder: Path, name: str, choices: Choices
) -> None:
    """Write the texts between the last pass and the object file."""
    code = machine_code(program, target, identifier(name), choices)
    shown = [stage for stage in target.back_end.stages if stage.is_dumped]
    for number, stage in enumerate(shown, len(passes_of(target)) + 1):
        (folder / f"{number:02}-{stage.file}").write_bytes(code.stage(stage.kind))


def passes_of(target: Target) -> tuple[str, ...]:
    """Return all passes for a target, from the layers of a model on."""
    return (*LAYER_PIPELINE, *TENSOR_PIPELINE, *target.back_end.pipeline)
