"""example.c: a program that calls the model of a bundle once."""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from textwrap import fill

from lxc.runtime.signature import DTYPES, Group, Leaf, Signature
from lxc.targets.llvm.c_header import safe, show_type

C_TYPES = {
    "bool": "uint8_t",
    "float16": "uint16_t",
    "bfloat16": "uint16_t",
    "float32": "float",
    "float64": "double",
}

PROGRAM = """\
/* Calls the model {name} once, on made-up inputs, and prints what comes out.

   cc example.c -L. -l{name} -Wl,-rpath,'$ORIGIN' -o example && ./example
   cc example.c lib{name}.a -pthread -lm -ldl -o example && ./example */
#include <stdio.h>
#include <stdlib.h>

#include "{name}.h"

{memory}
static int failed(const char *what) {{
    fprintf(stderr, "%s: %s\\n", what, {name}_last_error());
    return 1;
}}

int main(int argc, char **argv) {{
{body}    return 0;
}}
"""
INIT = """\
    {name}_values values = {{.size = sizeof values}};
    if ({name}_selftest({path})) return failed("the check");
    if ({name}_init(&values, {path})) return failed("the values");
"""
PREPARE = """\
    if ({name}_check_processor()) return failed("the processor");
    {name}_prepare_call once = {{.size = sizeof once, .params = params, .state = state_in,
        .prepared = prepared, .dims = dims}};
    if ({name}_prepare(&once)) return failed("the preparation");
"""
RUN = """\
    {name}_call call = {{.size = sizeof call, .inputs = inputs, .params = {params},
        .state_in = {state}, .state_out = state_out, .outputs = outputs,
        .prepared = {prepared}, .arena = arena, .dims = dims}};
    if ({name}_run(&call)) return failed("the call");
"""


def example_text(
    signature: Signature, sizes: Mapping[str, int], *, brings_values: bool, file: str | None
) -> str:
    """Return the text of the program; `sizes` are those of the dimensions.

    `brings_values` tells whether the bundle does so, in `file` or in its library.
    """
    name = signature.name
    return PROGRAM.format(
        name=name,
        memory="".join(f"{line}\n" for line in memory(signature, sizes, brings_values)),
        body="".join(body(signature, brings_values, file)),
    )


def memory(
    signature: Signature, sizes: Mapping[str, int], brings_values: bool
) -> Iterator[str]:
    """Yield the declarations of all that a call reads and writes."""
    upper = signature.name.upper()
    for place, dim in enumerate(signature.dims):
        bounds = f"{safe(dim.name)}, {dim.low} to {dim.high}"
        yield f"enum {{ DIM_{place} = {sizes[dim.name]} }}; /* {bounds} */"
    yield "/* All memory is the program's own. The arena is aligned to 64 bytes. */"
    yield f"static _Alignas(64) unsigned char arena[{upper}_ARENA_BYTES + 1];"
    if not brings_values:
        yield f"static _Alignas(64) unsigned char prepared[{upper}_PREPARED_BYTES + 1];"
        for place, leaf in enumerate(signature.params.leaves):
            yield array(f"param_{place}", leaf, sizes)
    for place, leaf in enumerate(signature.inputs.leaves):
        yield array(f"input_{place}", leaf, sizes)
    for place, leaf in enumerate(signature.state.leaves):
        if not brings_values or leaf.symbolic:
            yield array(f"before_{place}", leaf, sizes)
        if not leaf.frozen:
            yield array(f"after_{place}", leaf, sizes)
    for place, leaf in enumerate(signature.outputs.leaves):
        yield array(f"output_{place}", leaf, sizes)


def array(name: str, leaf: Leaf, sizes: Mapping[str, int]) -> str:
    """Return the declaration of memory for a leaf, of one element at least."""
    shape = leaf.shape_at(sizes)
    factors = " * ".join(map(str, shape)) if prod(shape) else "1"
    declared = f"static {c_type(leaf)} {name}[{factors or 1}];"
    return f"{declared} /* {safe(leaf.name)} {show_type(leaf)} */"


def c_type(leaf: Leaf) -> str:
    """Return the C type of an element."""
    return C_TYPES.get(leaf.dtype, f"{leaf.dtype}_t")


def body(signature: Signature, brings_values: bool, file: str | None) -> Iterator[str]:
    """Yield the statements of the program."""
    name = signature.name
    if file is None:
        yield "    (void)argc, (void)argv;\n"
        path = "NULL"
    else:
        yield f'    const char *path = argc > 1 ? argv[1] : "{file}";\n'
        path = "path"
    yield from fillings(signature, brings_values)
    if brings_values:
        yield INIT.format(name=name, path=path)
    yield from states(signature, brings_values)
    if not brings_values:
        yield PREPARE.format(name=name)
    start = "values." if brings_values else ""
    state = "values.state" if has_all_states(signature, brings_values) else "state_in"
    yield RUN.format(
        name=name, params=f"{start}params", prepared=f"{start}prepared", state=state
    )
    for place, leaf in enumerate(signature.outputs.leaves):
        yield printing(f"output_{place}", leaf)
    if brings_values:
        yield f"    {name}_release(&values);\n"


def fillings(signature: Signature, brings_values: bool) -> Iterator[str]:
    """Yield the statements that fill what is read, and the tables of it."""
    sizes = ", ".join(f"DIM_{place}" for place in range(len(signature.dims)))
    yield f"    int64_t dims[] = {{{sizes}}};\n" if sizes else "    int64_t *dims = NULL;\n"
    for place, leaf in enumerate(signature.inputs.leaves):
        yield filling(f"input_{place}", leaf, f"i % {leaf.below or 8}")
    yield table("const void *inputs", [f"input_{i}" for i in places(signature.inputs)])
    yield table("void *outputs", [f"output_{i}" for i in places(signature.outputs)])
    if not brings_values:
        for place, leaf in enumerate(signature.params.leaves):
            yield filling(f"param_{place}", leaf, "i % 8")
        for place, leaf in enumerate(signature.state.leaves):
            yield filling(f"before_{place}", leaf, "0", number="1")
        own = [f"param_{i}" for i in places(signature.params)]
        constants = [
            f"{signature.name}_constants()[{i}]" for i in range(len(signature.data))
        ]
        yield table("const void *params", [*own, *constants])


def places(group: Group) -> range:
    """Return the numbers of the leaves of a group."""
    return range(len(group.leaves))


def filling(
    name: str, leaf: Leaf, whole: str, *, number: str = "(double)(i % 8) / 8.0"
) -> str:
    """Return the loop that fills memory; half types, which are bits in C, stay zero."""
    value = {"f": number, "b": "0"}.get(DTYPES[leaf.dtype].kind, whole)
    value = "0" if c_type(leaf) == "uint16_t" and leaf.dtype != "uint16" else value
    return (
        f"    for (size_t i = 0; i < sizeof {name} / sizeof {name}[0]; i++)\n"
        f"        {name}[i] = ({c_type(leaf)})({value});\n"
    )


def states(signature: Signature, brings_values: bool) -> Iterator[str]:
    """Yield the tables of the state that goes in and of the one that comes out."""
    before, after = [], []
    for place, leaf in enumerate(signature.state.leaves):
        own = not brings_values or leaf.symbolic
        before.append(f"before_{place}" if own else f"values.state[{place}]")
        after.append("NULL" if leaf.frozen else f"after_{place}")
    if not has_all_states(signature, brings_values):
        yield table("const void *state_in", before)
    yield table("void *state_out", after)


def has_all_states(signature: Signature, brings_values: bool) -> bool:
    """Tell whether the bundle brings every leaf of the state."""
    return brings_values and not any(leaf.symbolic for leaf in signature.state.leaves)


def table(declared: str, entries: Sequence[str]) -> str:
    """Return the declaration of a table of pointers, which has an entry in any case."""
    rows = ", ".join(entries or ["NULL"])
    line = f"{declared}[] = {{{rows}}};"
    return fill(line, 88, initial_indent=" " * 4, subsequent_indent=" " * 8) + "\n"


def printing(name: str, leaf: Leaf) -> str:
    """Return the statements that print the first elements of an output."""
    is_float = c_type(leaf) in ("float", "double")
    kind, cast = ("%.9g", "double") if is_float else ("%lld", "long long")
    return (
        f'    printf("{leaf.name}:");\n'
        f"    for (size_t i = 0; i < 10 && i < sizeof {name} / sizeof {name}[0]; i++)\n"
        f'        printf(" {kind}", ({cast}){name}[i]);\n'
        '    printf("\\n");\n'
    )
