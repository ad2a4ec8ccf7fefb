"""The values of a model that a bundle brings: in a file, or in the library."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lxc.errors import InternalError, LxcError
from lxc.ir.evaluate import Evaluation
from lxc.ir.graph import Program
from lxc.ir.types import Array
from lxc.runtime.checkpoint import encode, read_header
from lxc.runtime.signature import Leaf, Signature
from lxc.targets.bundle.code import BundleCode

ALIGNMENT = 64
LARGEST_BLOB = 1 << 30
"""What lies in a library is addressed by 31 bits, and so is its code."""


@dataclass(frozen=True)
class BundleValues:
    """Arrays for params and state in header order; nothing for what the caller brings."""

    params: Sequence[Array]
    state: Sequence[Array]

    def stored_state(self, signature: Signature) -> list[Array | None]:
        """Return the first state without leaves whose size depends on dimensions."""
        pairs = zip(signature.state.leaves, self.state, strict=True)
        return [None if leaf.symbolic else array for leaf, array in pairs]


@dataclass
class Blob:
    """Bytes that are linked as they are; each part is aligned to 64."""

    parts: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, content: bytes) -> int:
        """Append a part and return where it begins."""
        padding = -self.size % ALIGNMENT
        begin = self.size + padding
        self.parts += [b"\0" * padding, content]
        self.size = begin + len(content)
        return begin

    @property
    def content(self) -> bytes:
        """All parts."""
        return b"".join(self.parts)

    def check_size(self) -> None:
        """Refuse what no library can hold."""
        if self.size > LARGEST_BLOB:
            raise LxcError(
                "LXC-E0001",
                f"{self.size} bytes of parameters are too many for a library",
                expected=f"at most {LARGEST_BLOB} bytes",
                hint="--bundle-params separate",
            )


def check_sizes(signature: Signature) -> None:
    """Refuse values whose sizes only a call tells."""
    read = [leaf for leaf in signature.state.leaves if leaf.frozen]
    for leaf in (*signature.params.leaves, *read):
        if leaf.symbolic:
            raise LxcError(
                "LXC-E0001",
                f"the size of {leaf.name} depends on dimensions: a bundle cannot bring it",
                actual=f"{leaf.name}: {leaf}",
                hint="--bundle-params none",
            )


def prepared_block(code: BundleCode, values: BundleValues) -> bytes:
    """Return what prepare computes, by the meaning of its program.

    That takes no machine of the target's kind, and gives the same bytes on all.
    """
    prepare = code.program.prepare
    sections = ((prepare.params, values.params), (prepare.state, values.state))
    made, _ = Evaluation(prepare, wide=False).run(sections)
    block = bytearray(code.prepared_bytes)
    for value, array in zip(prepare.outputs, made, strict=True):
        if value in prepare.places:
            place, content = prepare.places[value], array.tobytes()
            block[place : place + len(content)] = content
    if len(block) != code.prepared_bytes:
        raise InternalError("the bundle", "a prepared value ends behind its block")
    return bytes(block)


def constants_of(program: Program) -> list[Array]:
    """Return the constants in the order of the tables."""
    graph = program.prepare
    return [graph.arrays[value.name] for value in graph.data]


@dataclass(frozen=True)
class ValueFile:
    """A safetensors file, its first bytes, and where leaves lie in it."""

    content: bytes
    head: bytes
    params: Sequence[int]
    state: Sequence[int]


def value_file(signature: Signature, values: BundleValues) -> ValueFile:
    """Return params and state as one file, with names that say which is which."""
    state = values.stored_state(signature)
    arrays = named("params", signature.params.leaves, values.params)
    arrays |= named("state", signature.state.leaves, state)
    content = encode(arrays)
    header, start = read_header(memoryview(content))
    offsets = {
        name: start + entry["data_offsets"][0]
        for name, entry in header.items()
        if name in arrays
    }
    for name, offset in offsets.items():
        if offset % arrays[name].itemsize:
            raise InternalError("the bundle", f"{name} is not aligned in its file")
    return ValueFile(
        content,
        content[:start],
        [offsets[f"params.{leaf.name}"] for leaf in signature.params.leaves],
        [offsets.get(f"state.{leaf.name}", -1) for leaf in signature.state.leaves],
    )


def named(
    section: str, leaves: Sequence[Leaf], arrays: Sequence[Array | None]
) -> dict[str, Array]:
    """Return arrays by the names of their leaves in a file of several sections."""
    pairs = zip(leaves, arrays, strict=True)
    return {f"{section}.{leaf.name}": array for leaf, array in pairs if array is not None}
