"""Which kernel of an artifact's code is the first to go wrong.

The kernels of a processor are inlined into one function, those of a card are one graph, and
memory is used over and over, so a call leaves only some of its values. The IR in the
artifact is therefore compiled once more, with memory of its own for every value. If that
code gives the artifact's results, bit for bit, it goes wrong where the artifact's does, and
every value of it can be read. Otherwise what the artifact's own code left is compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxc.ir.graph import Program
from lxc.ir.ops.scratch import scratch
from lxc.ir.types import Array
from lxc.passes.loop_memory import is_alias
from lxc.passes.records import Records
from lxc.runtime import CompiledModel
from lxc.runtime.artifact import Artifact
from lxc.runtime.manifest import TargetRecord
from lxc.stored_model import stored_choices
from lxc.verification.finding import Finding
from lxc.verification.given import Given
from lxc.verification.observed import Observed, observed
from lxc.verification.replay import first_finding
from lxc.verification.target_check import results_of
from lxc.verification.twin import twin_of


@dataclass(frozen=True)
class Trace:
    """What was found in the code for one target.

    `is_reproduced` says that the IR, compiled again, gives the results of the artifact's
    code; `read` of `values` values could be compared. `reason` says why none was.
    """

    finding: Finding | None = None
    is_reproduced: bool = False
    read: int = 0
    values: int = 0
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields for `json`."""
        return {
            "reason": self.reason,
            "reproduced": self.is_reproduced,
            "read": self.read,
            "values": self.values,
            "finding": None if self.finding is None else self.finding.to_json(),
        }


def trace_of(
    artifact: Artifact, record: TargetRecord, given: Given, records: Records
) -> Trace:
    """Return where the code for a target first goes wrong, if it does anywhere.

    `records` are those that the artifact was made with.
    """
    twin = twin_of(artifact, record, stored_choices(artifact, records))
    own = CompiledModel(artifact, target=record.name)
    values = given.ordered(artifact.signature)
    seen, program = observed(twin.model, twin.roomy, given), twin.roomy
    is_reproduced = same_bits(seen.results, results_of(own, given))
    if not is_reproduced:
        if not twin.is_same:
            return Trace(reason=difference(twin.records, record.kernels))
        seen, program = observed(own, twin.program, given), twin.program
    found = first_finding(program, values, seen, twin.kernels)
    return Trace(found, is_reproduced, *counts(program, seen))


def difference(
    ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]
) -> str:
    """Return how the kernels that the IR becomes differ from those of an artifact."""
    told = "the IR becomes other kernels than the artifact lists"
    for number, (mine, other) in enumerate(zip(ours, theirs, strict=False)):
        here, there = (f"{one.get('ops')} {one.get('result')}" for one in (mine, other))
        if here != there:
            return f"{told}: kernel {number} is {here}, there {there}"
    return told


def same_bits(ours: Mapping[str, Array], theirs: Mapping[str, Array]) -> bool:
    """Return whether two calls gave the same."""
    return ours.keys() == theirs.keys() and all(
        array.tobytes() == theirs[name].tobytes() for name, array in ours.items()
    )


def counts(program: Program, seen: Observed) -> tuple[int, int]:
    """Return how many results of nodes can be read, and how many there are.

    What only reshapes computes nothing, and scratch memory has no value.
    """
    nodes = [node for half in (program.prepare, program.run) for node in half.nodes]
    doing = [node for node in nodes if node.op is not scratch and not is_alias(node)]
    values = [value for node in doing for value in node.results]
    return sum(v in seen.prepare or v in seen.run for v in values), len(values)
