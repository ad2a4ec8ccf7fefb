"""What a bundle's library offers beside what all do, as C text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxc.ir.types import Array
from lxc.runtime.signature import Leaf, Signature
from lxc.targets.bundle import support
from lxc.targets.bundle.check import Check, Expected
from lxc.targets.bundle.code import BundleCode
from lxc.targets.bundle.processor import lacking
from lxc.targets.bundle.values import (
    Blob,
    BundleValues,
    ValueFile,
    constants_of,
    prepared_block,
)
from lxc.targets.llvm.c_abi import Additions
from lxc.targets.llvm.reads import unread_params

BLOB = "values.bin"
INCLUDED = """\
__asm__(".section .lxc_values,\\"a\\"\\n"
        ".balign 64\\n"
        "lxc_blob:\\n"
        ".incbin \\"{file}\\"\\n"
        ".byte 0\\n"
        ".previous\\n");
extern const char lxc_blob[] __attribute__((visibility("hidden")));
"""
PROCESSOR = """\
int32_t {name}_check_processor(void) {{ return lxc_check_processor(&lxc_this_bundle); }}
"""
CONSTANTS = """\
const void *const *{name}_constants(void) {{ return lxc_constants; }}
"""
VALUES = """\
int32_t {name}_init({name}_values *values, const char *path) {{
    return lxc_init(&lxc_this_bundle, values, path);
}}

void {name}_release({name}_values *values) {{ lxc_release(values); }}

int32_t {name}_selftest(const char *path) {{ return lxc_selftest(&lxc_this_bundle, path); }}
"""
EMBEDDED = """They are ready in the
   library: this only sets pointers, and `path` must be NULL."""
SEPARATE = """`path` is the
   file NAME.safetensors, or one with other numbers of the same names, types and shapes. It
   is mapped, and shared with other processes that map it: do not write to it before
   NAME_release. Memory for the prepared values comes from the system."""
EMBEDDED_CODES = "LXC_EARGUMENT, LXC_ENULL or LXC_EPROCESSOR"
SEPARATE_CODES = """LXC_EARGUMENT, LXC_ENULL, LXC_EFILE, LXC_EMEMORY, LXC_EPROCESSOR
   or LXC_EKERNEL"""


@dataclass(frozen=True)
class Contents:
    """What a bundle brings: a file beside the library, or values in it, or neither."""

    check: Check | None = None
    file: ValueFile | None = None
    embedded: BundleValues | None = None


def additions(code: BundleCode, contents: Contents) -> Additions:
    """Return what is added to the library of a model."""
    name, signature = code.signature.name, code.signature
    blob = Blob()
    parts = [f"static const char *lxc_lacking(void) {{\n{lacking(code.target)}}}\n"]
    parts += values_text(code, contents, blob)
    if contents.check is not None:
        parts += check_text(contents.check, signature, blob)
    parts += [bundle_text(code, contents), PROCESSOR.format(name=name)]
    if gives_constants(code, contents):
        parts.append(CONSTANTS.format(name=name))
    if contents.check is not None:
        parts.append(VALUES.format(name=name))
    blob.check_size()
    included = INCLUDED.format(file=BLOB) if blob.size else ""
    return Additions(
        types=f"\n{support.types()}\ntypedef lxc_values {name}_values;\n",
        functions=functions_text(code, contents),
        source="\n".join(filter(None, (support.declarations(), included, *parts))),
        includes=support.includes(),
        support=support.source(has_values=contents.check is not None),
        exports=tuple(exported(code, contents)),
        files={BLOB: blob.content} if blob.size else {},
    )


def gives_constants(code: BundleCode, contents: Contents) -> bool:
    """Tell whether callers of prepare need constants that only the library has."""
    return bool(code.signature.data) and contents.embedded is None


def exported(code: BundleCode, contents: Contents) -> Iterator[str]:
    """Yield the ends of the names that others see."""
    yield "check_processor"
    if gives_constants(code, contents):
        yield "constants"
    if contents.check is not None:
        yield from ("init", "release", "selftest")


def functions_text(code: BundleCode, contents: Contents) -> str:
    """Return the declarations of the functions."""
    name = code.signature.name
    parts = [support.functions(name, "functions.h")]
    if gives_constants(code, contents):
        count = f"#define {name.upper()}_CONSTANT_COUNT {len(code.signature.data)}\n"
        parts.append(count + support.functions(name, "constants_functions.h"))
    if contents.check is not None:
        is_separate = contents.file is not None
        texts = (SEPARATE, SEPARATE_CODES) if is_separate else (EMBEDDED, EMBEDDED_CODES)
        place, codes = (text.replace("NAME", name) for text in texts)
        declared = support.functions(name, "values_functions.h")
        parts.append(declared.format(place=place, init_codes=codes))
    return "\n".join(parts)


def values_text(code: BundleCode, contents: Contents, blob: Blob) -> Iterator[str]:
    """Yield the tables of values, in the library or in a file."""
    constants = constants_of(code.program)
    if contents.embedded is not None:
        values = contents.embedded
        # What comes first needs no number: the prepared block is where the blob is.
        blob.add(prepared_block(code, values) or b"\0")
        yield places("lxc_state", values.stored_state(code.signature), blob)
        unread, arrays = unread_params(code.program), (*values.params, *constants)
        read = [None if i in unread else array for i, array in enumerate(arrays)]
        yield places("lxc_params", read, blob)
        return
    yield places("lxc_constants", constants, blob)
    if contents.file is not None:
        head = blob.add(contents.file.head)
        yield numbers("lxc_param_offsets", contents.file.params)
        yield numbers("lxc_state_offsets", contents.file.state)
        fields = (
            f"lxc_blob + {head}",
            f"INT64_C({len(contents.file.head)})",
            f"INT64_C({len(contents.file.content)})",
            "lxc_param_offsets",
            "lxc_state_offsets",
        )
        yield f"static const lxc_file lxc_this_file = {{{', '.join(fields)}}};\n"


def check_text(check: Check, signature: Signature, blob: Blob) -> Iterator[str]:
    """Yield the tables of the check."""
    yield numbers("lxc_check_dims", check.dims)
    rows = [f"{{{kind(leaf)}, {leaf.below or 0}}}" for leaf in signature.inputs.leaves]
    yield table("lxc_draw lxc_draws", rows)
    yield table("lxc_expected lxc_results", [row(one, blob) for one in check.expected])
    count = len(check.expected)
    fields = f"lxc_check_dims, lxc_draws, lxc_results, {count}"
    yield f"static const lxc_check lxc_this_check = {{{fields}}};\n"


def row(one: Expected, blob: Blob) -> str:
    """Return what is expected of one result as an initialiser."""
    place = blob.add(one.exact.astype("<f8").tobytes())
    numbers = f"INT64_C({one.exact.size}), INT64_C({one.stride}), {one.allowed!r}"
    name = f"LXC_{one.dtype.upper()}"
    return f"{{{one.place}, {name}, {numbers}, (const double *)(lxc_blob + {place})}}"


def kind(leaf: Leaf) -> str:
    """Return the element type of a leaf as C names it."""
    return f"LXC_{leaf.dtype.upper()}"


def bundle_text(code: BundleCode, contents: Contents) -> str:
    """Return the definition that ties tables and functions together."""
    name = code.signature.name
    fields = {
        "model": "&lxc_this",
        "prepare": f"{name}_prepare",
        "run": f"{name}_run",
        "lacking": "lxc_lacking",
    }
    if contents.embedded is not None:
        fields |= {"params": "lxc_params", "state": "lxc_state", "prepared": "lxc_blob"}
    else:
        fields["constants"] = "lxc_constants"
        fields["constant_count"] = str(len(code.signature.data))
    if contents.file is not None:
        fields["file"] = "&lxc_this_file"
    if contents.check is not None:
        fields["check"] = "&lxc_this_check"
    rows = "".join(f"    .{key} = {value},\n" for key, value in fields.items())
    return f"static const lxc_bundle lxc_this_bundle = {{\n{rows}}};\n"


def places(name: str, arrays: Sequence[Array | None], blob: Blob) -> str:
    """Return a table of arrays, which are added to a blob; NULL for those not given."""
    rows = [
        "NULL" if array is None else f"lxc_blob + {blob.add(array.tobytes())}"
        for array in arrays
    ]
    return table(f"void *const {name}", rows or ["NULL"])


def numbers(name: str, values: Sequence[int]) -> str:
    """Return a table of numbers."""
    return table(f"int64_t {name}", [f"INT64_C({value})" for value in values])


def table(declared: str, rows: Sequence[str]) -> str:
    """Return a table, which has one row of zeros if it has none."""
    lines = "".join(f"    {one},\n" for one in rows or ["0"])
    return f"static const {declared}[] = {{\n{lines}}};\n"
