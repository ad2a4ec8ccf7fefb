"""Types of inputs as the command line writes them: `x=f32[N,1,28,28]`."""

from collections.abc import Mapping, Sequence

from lxc.commands.pairs import pairs, ranges
from lxc.errors import LxcError
from lxc.ir.attribute_reader import AttributeReader
from lxc.ir.dim import Dim
from lxc.ir.types import TensorSpec


def stand_ins(inputs: Sequence[str], dims: Sequence[str]) -> dict[str, TensorSpec]:
    """Return what each input is traced with, by tree path."""
    known = {name: Dim(name, low, high) for name, (low, high) in ranges(dims).items()}
    texts = pairs("--input", inputs, "x=f32[N,1,28,28]")
    specs = {name: stand_in(name, text, known) for name, text in texts.items()}
    used = {str(dim) for dim in known if any(dim in text for text in texts.values())}
    for name in known:
        if name not in used:
            raise LxcError("LXC-E0001", f"no --input has the dimension {name}")
    return specs


def stand_in(name: str, text: str, dims: Mapping[str, Dim]) -> TensorSpec:
    """Return the spec that `text` describes."""
    try:
        reader = AttributeReader(text)
        reader.dims = dict(dims)
        found = reader.type()
        if not reader.at_end():
            raise reader.error(f"nothing is expected behind {found}")
    except LxcError as problem:
        reason = problem.summary.removeprefix("line 1: ")
        raise LxcError(
            "LXC-E0001",
            f"the type of input {name} cannot be understood: {reason}",
            expected=f"--input {name}=f32[N,1,28,28]",
            actual=f"--input {name}={text}",
            hint="declare each dimension, as in --dim N=1..64"
            if "dimension" in reason
            else None,
        ) from None
    return TensorSpec(found.shape, str(found.dtype))
