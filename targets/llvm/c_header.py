"""The header of a model: constants, the list of its leaves, its functions.

Names of leaves and dimensions come from the user's trees. They reach the text only in
comments and after `safe`, which leaves letters, digits, underscores and dots.
"""

import re
from collections.abc import Iterator, Set

from lxc.runtime.extent import Extent, show
from lxc.runtime.signature import Leaf, Signature

HEADER = """\
#ifndef {upper}_LXC_H
#define {upper}_LXC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

{shared}
typedef lxc_prepare_call {name}_prepare_call;
typedef lxc_call {name}_call;

#define {upper}_ABI_VERSION {version}

/* Bytes of `prepared` and `arena`, both aligned to 64, for any dimensions. A number of
   elements that depends on dimensions is a macro with the dimensions as arguments. */
#define {upper}_PREPARED_BYTES INT64_C({prepared})
#define {upper}_ARENA_BYTES INT64_C({arena})

{leaves}
{functions}
#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}}
#endif

#endif
"""


def header(
    name: str,
    signature: Signature,
    version: int,
    prepared_bytes: int,
    arena_bytes: int,
    *,
    shared: str,
    functions: str,
    unread: Set[int] = frozenset(),
) -> str:
    """Return the text of the header of a model whose C names start with `name`.

    `shared` declares the types of all models, `functions` those of this one. `unread` are
    the numbers of the params that only prepare reads.
    """
    upper = name.upper()
    return HEADER.format(
        name=name,
        upper=upper,
        version=version,
        shared=shared,
        prepared=prepared_bytes,
        arena=arena_bytes,
        leaves="\n".join(sections(upper, signature, unread)),
        functions=functions,
    )


def sections(
    upper: str, signature: Signature, unread: Set[int] = frozenset()
) -> Iterator[str]:
    """Yield the lists of dimensions and leaves."""
    dims = [safe(dim.name) for dim in signature.dims]
    yield define(upper, "DIM", len(dims))
    for index, dim in enumerate(signature.dims):
        yield f"/* dims[{index}]: {dims[index]}, {dim.low} to {dim.high} */"
    yield ""
    params = (*signature.params.leaves, *signature.data)
    stored = len(signature.params.leaves)
    ranges = signature.state.tree.optional_leaves()
    optional = {places[0]: presence(places[1:]) for places in ranges}
    for kind, table, leaves in (
        ("INPUT", "inputs", signature.inputs.leaves),
        ("PARAM", "params", params),
        ("STATE", "state", signature.state.leaves),
        ("OUTPUT", "outputs", signature.outputs.leaves),
    ):
        yield define(upper, kind, len(leaves))
        for index, leaf in enumerate(leaves):
            note = " (constant)" if kind == "PARAM" and index >= stored else ""
            note += " (prepare only)" if kind == "PARAM" and index in unread else ""
            note += " (frozen)" if leaf.frozen else ""
            note += optional.get(index, "") if kind == "STATE" else ""
            note += f" (0 to {leaf.below - 1})" if leaf.below is not None else ""
            yield f"/* {table}[{index}]: {safe(leaf.name)} {show_type(leaf)}{note} */"
            yield element_count(f"{upper}_{kind}_{index}", leaf, dims)
        yield ""


def presence(places: range) -> str:
    """Return the note for a bool that says whether other leaves hold values."""
    table = ", ".join(f"state[{place}]" for place in places)
    return f" (false until the model has made {table})"


def define(upper: str, kind: str, count: int) -> str:
    """Return the line that says how many there are of a kind."""
    return f"#define {upper}_{kind}_COUNT {count}"


def element_count(prefix: str, leaf: Leaf, dims: list[str]) -> str:
    """Return the lines with number and size of the elements of a leaf."""
    arguments = f"({', '.join(map(argument, dims))})" if leaf.symbolic else ""
    factors = [c_extent(extent) for extent in leaf.shape] or ["INT64_C(1)"]
    return (
        f"#define {prefix}_ELEMENTS{arguments} ({' * '.join(factors)})\n"
        f"#define {prefix}_ELEMENT_BYTES {leaf.item_bytes}"
    )


def argument(dim: str) -> str:
    """Return the macro argument for a dimension; never a word that C knows."""
    return f"dim_{dim}"


def c_extent(extent: Extent) -> str:
    """Return an extent as a preprocessor-safe expression over macro arguments."""
    if isinstance(extent, int):
        return f"INT64_C({extent})" if extent >= 0 else f"(-INT64_C({-extent}))"
    if isinstance(extent, str):
        return f"(int64_t)({argument(safe(extent))})"
    operator, left, right = extent
    a, b = c_extent(left), c_extent(right)
    if operator == "//":
        return f"(({a} - ({a} % {b} + {b}) % {b}) / {b})"
    return f"({a} {operator} {b})"


def show_type(leaf: Leaf) -> str:
    """Return dtype and shape for a comment."""
    return f"{leaf.dtype}[{', '.join(show(extent) for extent in leaf.shape)}]"


def safe(name: str) -> str:
    """Return `name` without anything that could end a comment or start a directive."""
    return re.sub(r"[^A-Za-z0-9_.]", "_", name)
