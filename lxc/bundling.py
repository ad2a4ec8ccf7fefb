"""A traced model as a folder for programs in C."""

from collections.abc import Mapping
from typing import Literal

from lxc.compilation import tensor_level
from lxc.errors import LxcError
from lxc.ir.graph import Graph
from lxc.ir.types import Array
from lxc.memory.limit import MemoryNeed, check_memory
from lxc.passes.choices import DEFAULT, Choices
from lxc.passes.precision import check_paths
from lxc.targets import Target
from lxc.targets.bundle.code import BundleCode, bundle_code, check_target
from lxc.targets.bundle.face import Contents
from lxc.targets.bundle.folder import bundle_files
from lxc.targets.bundle.names import check_name
from lxc.targets.bundle.values import BundleValues, check_sizes, value_file
from lxc.targets.part import Parts
from lxc.verification.meaning import Meaning
from lxc.verification.sample import (
    arguments_of,
    check_sizes_of,
    first_values,
    sample_check,
)

Brought = Literal["embed", "separate", "none"]
"""Where a bundle has its values: in the library, in a file beside it, or nowhere."""


def bundle_of(
    graph: Graph,
    target: Target,
    *,
    name: str,
    brought: Brought = "separate",
    params: Mapping[str, Array] | None = None,
    state: Mapping[str, Array] | None = None,
    choices: Choices = DEFAULT,
    compiler: str = "cc",
    max_memory: int | None = None,
    kept: Parts | None = None,
) -> dict[str, bytes]:
    """Return the files of a bundle of a traced graph by name.

    `params` and `state` are values by tree path; where there are none, `brought` must be
    "none", or the model needs none. One that needs more than `max_memory` bytes is refused.
    Code that is `kept` already is not made again, and what is made is kept there.
    """
    check_target(target)
    check_name(name)
    check_paths(choices.precision, graph)
    code = bundle_code(
        tensor_level(graph),
        target,
        name=name,
        mode=graph.mode,
        choices=choices,
        compiler=compiler,
        kept=kept,
    )
    raw = sum(value.type.max_bytes for value in (*graph.params, *graph.data))
    need = MemoryNeed(target.name, raw, code.prepared_bytes, code.arena_bytes)
    check_memory([need], max_memory)
    return files_of(graph, code, brought, params, state, choices)


def files_of(
    graph: Graph,
    code: BundleCode,
    brought: Brought,
    params: Mapping[str, Array] | None,
    state: Mapping[str, Array] | None,
    choices: Choices = DEFAULT,
) -> dict[str, bytes]:
    """Return the files of a bundle whose code is there."""
    contents = Contents()
    if brought != "none":
        values = given_values(code, params, state)
        contents = contents_of(graph, code, values, choices, embed=brought == "embed")
    return bundle_files(code, contents, check_sizes_of(code.signature))


def given_values(
    code: BundleCode,
    params: Mapping[str, Array] | None,
    state: Mapping[str, Array] | None,
) -> BundleValues:
    """Return the values of a model, which must all be there."""
    signature = code.signature
    check_sizes(signature)
    for what, group, found in (
        ("parameters", signature.params, params),
        ("state", signature.state, state),
    ):
        if found is None and group.leaves:
            raise LxcError(
                "LXC-E0001",
                f"the bundle is to bring the {what}, and none are given",
                hint="--params F and --state F, or --bundle-params none",
            )
    return first_values(signature, params or {}, state or {})


def contents_of(
    graph: Graph, code: BundleCode, values: BundleValues, choices: Choices, *, embed: bool
) -> Contents:
    """Return what a bundle brings beside code."""
    signature = code.signature
    arguments = arguments_of(signature, values)
    meaning = Meaning(graph, signature, choices.precision, arguments)
    check = sample_check(meaning, check_sizes_of(signature), by_tiles=code.by_tiles)
    if embed:
        return Contents(check, embedded=values)
    return Contents(check, file=value_file(signature, values))
