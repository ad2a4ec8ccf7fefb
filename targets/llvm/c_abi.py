"""The public C face of a model: its header, and the C source that stands behind it.

`render` makes both from a signature; the result depends on its arguments only. The compiled
object must define `NAME_entry_prepare` and `NAME_entry_run`; the source wraps them as
`NAME_prepare` and `NAME_run`, which check every call first. The checks and the pool are
in `support.source()`, which is compiled by itself.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field

from lxc.runtime.extent import Extent, interval
from lxc.runtime.signature import Leaf, Signature, check, identifier
from lxc.targets.llvm import support
from lxc.targets.llvm.c_header import header

ABI_VERSION = 1
EXPORTS = ("abi_version", "last_error", "pool", "prepare", "run")

ENTRIES = """\
int32_t {name}_entry_prepare(const int64_t *params, const int64_t *state, int64_t prepared,
                             const int64_t *dims, int32_t *status, int64_t *work);
int32_t {name}_entry_run(const int64_t *inputs, const int64_t *params,
                         const int64_t *state_in, const int64_t *state_out,
                         const int64_t *outputs, int64_t prepared, int64_t arena,
                         const int64_t *dims, int32_t *status, int64_t *work);
"""

EXPORTED = """\
uint32_t {name}_abi_version(void) {{ return {version}; }}
const char *{name}_last_error(void) {{ return lxc_last_error(); }}
const lxc_pool *{name}_pool(void) {{ return lxc_pool_of_library(); }}

int32_t {name}_prepare(const {name}_prepare_call *call) {{
    int64_t bytes[{leaves} + 1];
    lxc_span spans[{spans}];
    return lxc_prepare(&lxc_this, call, bytes, spans);
}}

int32_t {name}_run(const {name}_call *call) {{
    int64_t bytes[{leaves} + 1];
    lxc_span spans[{spans}];
    return lxc_run(&lxc_this, call, bytes, spans);
}}
"""

FLOOR_DIVIDE = """\
static int64_t lxc_floor_divide(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}
"""


@dataclass(frozen=True, slots=True)
class Sources:
    """The C text of a library: its header, its own file, and what all libraries share.

    `exports` are the names that others see. `files` are what the own file includes by name.
    """

    header: str
    source: str
    support: str
    exports: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Additions:
    """What a library offers beside what all do.

    `types` and `functions` are declared in the header. `source` stands at the end of the
    model's own file, `support` at that of what all models share, `includes` at its start.
    `exports` are the names behind that of the model, `files` what the own file includes.
    """

    types: str = ""
    functions: str = ""
    source: str = ""
    includes: str = ""
    support: str = ""
    exports: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)


NOTHING = Additions()


def render(
    name: str,
    signature: Signature,
    prepared_bytes: int,
    arena_bytes: int,
    *,
    uses_tiles: bool = False,
    unread: Set[int] = frozenset(),
    additions: Additions = NOTHING,
) -> Sources:
    """Return header and source for a model whose exported names start with `name`.

    The sizes are those at the upper bounds of the dimensions. Code that `uses_tiles` needs
    registers that the system gives to those who ask. `unread` are the numbers of the params
    that only prepare reads.
    """
    check(signature)
    prefix = identifier(name)
    declarations = header(
        prefix,
        signature,
        ABI_VERSION,
        prepared_bytes,
        arena_bytes,
        shared=f"{support.header()}{additions.types}",
        functions="\n".join(filter(None, (support.functions(prefix), additions.functions))),
        unread=unread,
    )
    leaves = sum(len(found) for _, _, found in groups(signature))
    parts = [
        f'#include "{prefix}.h"\n',
        support.declarations(),
        ENTRIES.format(name=prefix),
        "\n".join(tables(signature, unread)),
        leaf_bytes(signature),
        model(prefix, signature, prepared_bytes, arena_bytes, uses_tiles=uses_tiles),
        EXPORTED.format(
            name=prefix,
            version=ABI_VERSION,
            leaves=leaves,
            spans=leaves + len(signature.state.leaves) + 2,
        ),
        additions.source,
    ]
    shared = support.source(additions.includes, additions.support)
    names = (*exports(prefix), *(f"{prefix}_{export}" for export in additions.exports))
    own = "\n".join(filter(None, parts))
    return Sources(declarations, own, shared, names, additions.files)


def exports(name: str) -> tuple[str, ...]:
    """Return the names that a library for the model `name` defines for others."""
    return tuple(f"{identifier(name)}_{export}" for export in EXPORTS)


def groups(signature: Signature) -> Iterator[tuple[str, str, tuple[Leaf, ...]]]:
    """Yield table, word for one leaf, and leaves, in the order of the shared text."""
    yield "inputs", "input", signature.inputs.leaves
    yield "params", "parameter", (*signature.params.leaves, *signature.data)
    yield "state", "state", signature.state.leaves
    yield "outputs", "output", signature.outputs.leaves


def tables(signature: Signature, unread: Set[int] = frozenset()) -> Iterator[str]:
    """Yield the tables of leaves and dimensions."""
    for table, word, leaves in groups(signature):
        passed = unread if table == "params" else frozenset()
        rows = [
            f'    {{"{word} {leaf.name}", {leaf.item_bytes}, {int(leaf.frozen)}, '
            f"{int(number in passed)}}},"
            for number, leaf in enumerate(leaves)
        ] or ["    {0},"]
        yield f"static const lxc_leaf lxc_{table}_leaves[] = {{\n{newlines(rows)}}};\n"
    rows = [
        f'    {{"{dim.name}", INT64_C({dim.low}), INT64_C({dim.high})}},'
        for dim in signature.dims
    ] or ["    {0},"]
    yield f"static const lxc_dim lxc_dims[] = {{\n{newlines(rows)}}};\n"


def newlines(rows: list[str]) -> str:
    """Return rows as lines."""
    return "".join(f"{row}\n" for row in rows)


def model(
    prefix: str,
    signature: Signature,
    prepared_bytes: int,
    arena_bytes: int,
    *,
    uses_tiles: bool,
) -> str:
    """Return the definition that ties the tables and functions together."""
    rows = [
        f'    .{table} = {{"{table}", lxc_{table}_leaves, {len(leaves)}}},'
        for table, _, leaves in groups(signature)
    ]
    rows += [
        f"    .dims = lxc_dims,\n    .dim_count = {len(signature.dims)},",
        f"    .prepared_bytes = INT64_C({prepared_bytes}),",
        f"    .arena_bytes = INT64_C({arena_bytes}),",
        f"    .uses_tiles = {int(uses_tiles)},",
        "    .leaf_bytes = lxc_leaf_bytes,",
        f"    .prepare = {prefix}_entry_prepare,",
        f"    .run = {prefix}_entry_run,",
    ]
    return f"static const lxc_model lxc_this = {{\n{newlines(rows)}}};\n"


def leaf_bytes(signature: Signature) -> str:
    """Return the function that computes the size of every leaf from the dimensions."""
    leaves = [leaf for _, _, group in groups(signature) for leaf in group]
    ranges = {dim.name: (dim.low, dim.high) for dim in signature.dims}
    names = {dim.name: f"dims[{index}]" for index, dim in enumerate(signature.dims)}
    signs = {
        c_expression(extent, names)
        for leaf in leaves
        for extent in leaf.shape
        if interval(extent, ranges)[0] < 0
    }
    rows = [f"    if ({sign} < 0) return -1;" for sign in sorted(signs)]
    for index, leaf in enumerate(leaves):
        factors = [f"INT64_C({leaf.item_bytes})"]
        factors += [c_expression(extent, names) for extent in leaf.shape]
        rows.append(f"    bytes[{index}] = {' * '.join(factors)};")
    head = "static int32_t lxc_leaf_bytes(const int64_t *dims, int64_t *bytes) {"
    unused = "    (void)dims;\n    (void)bytes;\n"
    divide = FLOOR_DIVIDE + "\n" if any("floor" in row for row in rows) else ""
    return f"{divide}{head}\n{unused}{newlines(rows)}    return 0;\n}}\n"


def c_expression(extent: Extent, names: dict[str, str]) -> str:
    """Return `extent` as an expression of type int64_t."""
    if isinstance(extent, int):
        return f"INT64_C({extent})" if extent >= 0 else f"(-INT64_C({-extent}))"
    if isinstance(extent, str):
        return names[extent]
    operator, left, right = extent
    a, b = c_expression(left, names), c_expression(right, names)
    return f"lxc_floor_divide({a}, {b})" if operator == "//" else f"({a} {operator} {b})"
