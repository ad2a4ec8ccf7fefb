"""The C source behind the header of a model for cards: its tables, kernels and images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxc.runtime.signature import Signature, check, identifier
from lxc.targets.cuda import support
from lxc.targets.cuda.architectures import Architecture
from lxc.targets.cuda.device_code import COPIES
from lxc.targets.cuda.grid_writer import THREADS
from lxc.targets.cuda.images import Image
from lxc.targets.llvm.c_abi import (
    ABI_VERSION,
    ENTRIES,
    Sources,
    groups,
    leaf_bytes,
    model,
    newlines,
    tables,
)
from lxc.targets.llvm.c_header import header

EXPORTS = ("abi_version", "last_error", "prepare", "run", "enqueue", "card")

EXPORTED = """\
uint32_t {name}_abi_version(void) {{ return {version}; }}
const char *{name}_last_error(void) {{ return lxc_last_error(); }}
const lxc_card *{name}_card(void) {{ return lxc_card_of_library(); }}

int32_t {name}_prepare(const {name}_prepare_call *call) {{
    int64_t bytes[{leaves} + 1];
    lxc_span spans[{spans}];
    return lxc_prepare(&lxc_this, &lxc_here, call, bytes, spans);
}}

int32_t {name}_run(const {name}_call *call) {{
    int64_t bytes[{leaves} + 1];
    lxc_span spans[{spans}];
    return lxc_run(&lxc_this, &lxc_here, call, bytes, spans);
}}

int32_t {name}_enqueue(const {name}_call *call, void *stream) {{
    int64_t bytes[{leaves} + 1];
    lxc_span spans[{spans}];
    return lxc_enqueue(&lxc_this, &lxc_here, call, stream, bytes, spans);
}}
"""

INCLUDED = """\
__asm__(".section .rodata\\n"
        ".balign 64\\n"
        "lxc_image_{number}:\\n"
        ".incbin \\"{file}\\"\\n"
        ".byte 0\\n"
        ".previous\\n");
extern const char lxc_image_{number}[] __attribute__((visibility("hidden")));
"""


@dataclass(frozen=True)
class KernelRow:
    """What those who launch a kernel know of it.

    A block has so many `threads`, and a launch gives it so many `shared_bytes` of memory
    beside what the kernel itself has. If it `meets`, its blocks wait for each other.
    """

    name: str
    threads: int
    shared_bytes: int
    meets: bool = False


COPYING = KernelRow(COPIES, THREADS, 0)
"""The last kernel of every model."""


def render_for_card(
    name: str,
    signature: Signature,
    prepared_bytes: int,
    arena_bytes: int,
    kernels: Sequence[KernelRow],
    images: Sequence[Image],
) -> Sources:
    """Return header and source for a model; the images are files beside the source."""
    check(signature)
    prefix = identifier(name)
    declarations = header(
        prefix,
        signature,
        ABI_VERSION,
        prepared_bytes,
        arena_bytes,
        shared=support.header(),
        functions=support.functions(prefix),
    )
    leaves = sum(len(found) for _, _, found in groups(signature))
    spans = leaves + len(signature.state.leaves) + 2
    parts = [
        f'#include "{prefix}.h"\n',
        support.declarations(),
        ENTRIES.format(name=prefix),
        "\n".join(tables(signature)),
        leaf_bytes(signature),
        model(prefix, signature, prepared_bytes, arena_bytes, uses_tiles=False),
        *code_tables((*kernels, COPYING), images),
        EXPORTED.format(name=prefix, version=ABI_VERSION, leaves=leaves, spans=spans),
    ]
    return Sources(
        declarations,
        "\n".join(parts),
        support.source(),
        tuple(f"{prefix}_{export}" for export in EXPORTS),
        {image.name: image.content for image in images},
    )


def code_tables(kernels: Sequence[KernelRow], images: Sequence[Image]) -> Iterator[str]:
    """Yield the images, the tables of images and kernels, and what ties them together."""
    for number, image in enumerate(images):
        yield INCLUDED.format(number=number, file=image.name)
    shown = [
        f"    {{{fields_of(one.architecture)}, lxc_image_{number}}},"
        for number, one in enumerate(images)
    ]
    rows = [
        f'    {{"{one.name}", {one.threads}, {one.shared_bytes}, {int(one.meets)}}},'
        for one in kernels
    ]
    yield f"static const lxc_image lxc_images[] = {{\n{newlines(shown)}}};\n"
    yield f"static const lxc_kernel lxc_kernels[] = {{\n{newlines(rows)}}};\n"
    counts = f"lxc_images, {len(images)}, lxc_kernels, {len(rows)}"
    yield f"static const lxc_code lxc_here = {{{counts}}};\n"


def fields_of(architecture: Architecture) -> str:
    """Return a kind of card as the first fields of a row of the table of images."""
    fields = architecture.capability, architecture.exact, architecture.is_text
    return ", ".join(str(int(one)) for one in fields)
