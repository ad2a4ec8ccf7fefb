"""The model of an artifact once more, with code that notes when its kernels end."""

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lxc.compilation import tensor_level
from lxc.ir.graph import Program
from lxc.passes.records import Records
from lxc.runtime import CompiledModel
from lxc.runtime.artifact import Artifact, read, write
from lxc.runtime.host_engine import HostEngine
from lxc.runtime.library import Library, mapped
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.memory import Array, address
from lxc.stored_model import DATA, stored_choices, stored_graph
from lxc.targets import Target, target_named
from lxc.targets.compile import compile_target
from lxc.targets.llvm.stamped import STAMPED
from lxc.targets.target import Call


class StampedLibrary(Library):
    """The functions of a library that notes the times of its calls."""

    def __init__(self, handle: ctypes.CDLL, prefix: str) -> None:
        """Look the functions of the model `prefix` up in `handle`."""
        super().__init__(handle, prefix)
        self.trace = handle[f"{prefix}_trace"]
        self.trace.restype = None
        self.traced = handle[f"{prefix}_traced"]
        self.traced.restype = ctypes.c_int64

    def begin(self, events: Array) -> None:
        """Let the next calls of this thread write their events, as far as there is room."""
        place = ctypes.c_void_p(address(events))
        self.trace(place, ctypes.c_int64(len(events)))

    @property
    def count(self) -> int:
        """How many events there were since then."""
        return int(self.traced())


@dataclass(frozen=True)
class StampedModel:
    """A model whose calls can be traced, and what is known of its kernels.

    `records` are the kernels as `lxc inspect` shows them, in the order of `calls`, and
    `is_same` says that they are those of the artifact.
    """

    model: CompiledModel
    library: StampedLibrary
    target: Target
    program: Program
    calls: tuple[Call, ...]
    records: tuple[Mapping[str, Any], ...]
    is_same: bool


def stamped_model(
    artifact: Artifact, record: TargetRecord, records: Records, threads: int
) -> StampedModel:
    """Return the model of an artifact, compiled again for a processor of its targets."""
    choices = stored_choices(artifact, records)
    target = replace(target_named(record.name), back_end=STAMPED)
    graph = stored_graph(artifact)
    signature = artifact.signature
    made = compile_target(
        tensor_level(graph), target, name=signature.name, mode=graph.mode, choices=choices
    )
    members = {made.record.library: made.built.library}
    if DATA in artifact:
        members[DATA] = artifact.read(DATA)
    encoded = write(None, signature=signature, targets=[made.record], members=members)
    twin = read(encoded)
    library = mapped(twin, made.record, StampedLibrary)
    model = CompiledModel(twin, threads=threads, at_once=False)
    model.engine = HostEngine(twin, made.record, library, threads)
    return StampedModel(
        model,
        library,
        target,
        made.program,
        tuple(made.built.code.lowered.calls),
        made.record.kernels,
        made.record.kernels == record.kernels,
    )
