"""The model in an artifact: its IR, and what it was compiled with.

With both, the IR becomes the same code again, or code by a later version of lxc.
"""

import re

from lxc.errors import LxcError
from lxc.ir.graph import Graph
from lxc.ir.parser import parse_graph
from lxc.ir.types import Array
from lxc.passes.choices import Choices
from lxc.passes.precision import FLOAT32, PrecisionPlan, plan_of
from lxc.passes.records import NO_RECORDS, Records
from lxc.passes.records_text import digest_of
from lxc.runtime.artifact import Artifact
from lxc.runtime.checkpoint import decode
from lxc.runtime.signature import Signature

IR = "ir/traced.lxir"
DATA = "data.safetensors"
DIGEST = re.compile(r"(?:[0-9a-f]{64})?")


def stored_graph(artifact: Artifact) -> Graph:
    """Return the graph in an artifact, which must have its signature."""
    if IR not in artifact:
        raise LxcError("LXC-E0410", "the artifact does not hold the IR of its model")
    arrays: dict[str, Array] = {}
    if DATA in artifact:
        found = decode(artifact.view(DATA)).arrays
        arrays = {f"#{name}": array for name, array in found.items()}
    try:
        text = artifact.read(IR).decode()
    except UnicodeDecodeError:
        raise LxcError("LXC-E0401", "the IR in the artifact is not text") from None
    graph = parse_graph(text, arrays)
    if names_of(graph) != names_in(artifact.signature):
        raise LxcError("LXC-E0410", "the IR in the artifact is that of another model")
    return graph


def names_of(graph: Graph) -> list[list[str]]:
    """Return the names of the leaves of a graph, and how many outputs it has."""
    headers = (graph.inputs, graph.params, graph.state, graph.data)
    names = [[value.name[1:] for value in values] for values in headers]
    return [*names, graph.output_tree.paths("y")]


def names_in(signature: Signature) -> list[list[str]]:
    """Return the same of a signature."""
    groups = (signature.inputs, signature.params, signature.state)
    leaves = (*(group.leaves for group in groups), signature.data, signature.outputs.leaves)
    return [[leaf.name for leaf in every] for every in leaves]


def stored_plan(artifact: Artifact) -> PrecisionPlan:
    """Return the precision that a model was compiled with."""
    said = artifact.manifest.options.get("precision", {})
    if not isinstance(said, dict) or not all(isinstance(one, str) for one in said.values()):
        raise LxcError("LXC-E0401", "the artifact's precision cannot be understood")
    return plan_of(said) if said else FLOAT32


def stored_choices(artifact: Artifact, records: Records) -> Choices:
    """Return the choices that an artifact notes, with the records that it was made with."""
    digest = artifact.manifest.options.get("records", "")
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise LxcError("LXC-E0401", "the artifact's options cannot be understood")
    if digest and digest != digest_of(records):
        given = "other records" if records != NO_RECORDS else "no records"
        raise LxcError(
            "LXC-E0001",
            "the artifact was compiled with records of tuning that are not given",
            expected=f"records with SHA-256 {digest}",
            actual=given,
            hint="--records names the file that `lxc compile` read or wrote",
        )
    if records != NO_RECORDS and not digest:
        raise LxcError("LXC-E0001", "the artifact was compiled without records of tuning")
    return Choices(stored_exactness(artifact), stored_plan(artifact), records)


def stored_exactness(artifact: Artifact) -> bool:
    """Return whether a model was compiled for the tight error bounds."""
    exact = artifact.manifest.options.get("exact", False)
    if not isinstance(exact, bool):
        raise LxcError("LXC-E0401", "the artifact's options cannot be understood")
    return exact
