"""What an ONNX model is traced with: its own inputs, or others where the user says so."""

from collections.abc import Sequence
from typing import Any

from lxc.commands.pairs import pairs, ranges
from lxc.commands.stand_ins import stand_in
from lxc.errors import LxcError
from lxc.frontend.onnx.model import OnnxModel, spec_of
from lxc.frontend.onnx.program import Input
from lxc.ir.dim import Dim


def onnx_inputs(model: OnnxModel, inputs: Sequence[str], dims: Sequence[str]) -> Any:
    """Return the stand-ins of a model's inputs.

    Each is what the file says, with the bounds of `dims` for sizes that it leaves open. In
    `inputs` other types are given by the input's name; the only one is called x as well.
    """
    bounds = ranges(dims)
    known = {name: Dim(name, low, high) for name, (low, high) in bounds.items()}
    fixed = {name: low for name, (low, high) in bounds.items() if low == high}
    texts = pairs("--input", inputs, "x=f32[N,1,28,28]")
    entries = model.program.inputs
    only = entries[0].key if len(entries) == 1 else ""
    given = {only if name == "x" and only else name: texts[name] for name in texts}
    for name in given:
        if name not in [entry.key for entry in entries]:
            raise LxcError(
                "LXC-E0001",
                f"the model has no input {name}",
                expected=", ".join(entry.key for entry in entries),
            )
    own = [entry for entry in entries if entry.key not in given]
    check_dims(own, list(given.values()), list(known))
    specs = {
        entry.key: stand_in(entry.key, given[entry.key], known)
        if entry.key in given
        else spec_of(entry, {**known, **fixed})
        for entry in entries
    }
    return specs[only] if only else specs


def check_dims(own: Sequence[Input], texts: Sequence[str], known: Sequence[str]) -> None:
    """Refuse sizes that nobody gives, and bounds that nothing uses."""
    sizes = [size for entry in own for size in entry.shape if isinstance(size, str)]
    missing = [name for name in dict.fromkeys(sizes) if name not in known]
    if missing:
        bounds = " ".join(f"--dim {name}=1..64" for name in missing)
        raise LxcError(
            "LXC-E0001",
            f"the file leaves the size of {', '.join(missing)} open",
            hint=f"{bounds}, or the type of an input as --input x=f32[1,3,224,224]",
        )
    for name in known:
        if name not in sizes and not any(name in text for text in texts):
            raise LxcError("LXC-E0001", f"no input has the dimension {name}")
