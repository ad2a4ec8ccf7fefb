"""Arrays by name from files: safetensors, npz, artifacts. Nothing in a file is ever run."""

import re
from collections.abc import Mapping
from pathlib import Path

from lxc.errors import LxcError
from lxc.parameters.npz import npz_arrays
from lxc.runtime.artifact import is_artifact, read
from lxc.runtime.checkpoint import Array, decode, read_checkpoint

SECTIONS = ("params", "state")
PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
FROM_PICKLE = (
    'python -c "import torch, safetensors.torch as s; s.save_file({{k: v.contiguous() '
    "for k, v in torch.load('{path}', weights_only=True).items()}}, 'params.safetensors')\""
)
FROM_HDF5 = (
    "python -c \"import h5py, numpy; d = {{}}; h5py.File('{path}').visititems("
    "lambda n, v: d.update({{n: v[()]}}) if isinstance(v, h5py.Dataset) else None); "
    "numpy.savez('params.npz', **d)\""
)
FROM_FLAX = (
    'python -c "import flax, numpy; t = flax.serialization.msgpack_restore('
    "open('{path}', 'rb').read()); numpy.savez('params.npz', "
    "**flax.traverse_util.flatten_dict(t, sep='/'))\""
)
COMMANDS = {
    **dict.fromkeys(PICKLES, FROM_PICKLE),
    **dict.fromkeys((".h5", ".hdf5", ".jld2"), FROM_HDF5),
    ".msgpack": FROM_FLAX,
}
"""What turns a file that is not read into one that is."""

PLAIN = re.compile(r"[A-Za-z0-9_./-]+")


def arrays_in(path: Path) -> dict[str, Array]:
    """Return every array in a file, by name, as read-only views where the format allows.

    An artifact has its parameters by their names, or with `params.` and `state.` in front
    of them if it holds a state too.
    """
    if not path.is_file():
        raise LxcError("LXC-E0002", f"cannot read {path}: there is no such file")
    if path.suffix == ".lxc" or (path.stat().st_size and is_artifact(path)):
        return artifact_arrays(path)
    suffix = path.suffix.lower()
    if suffix in COMMANDS:
        raise foreign(path, suffix)
    return npz_arrays(path) if suffix == ".npz" else dict(read_checkpoint(path).arrays)


def foreign(path: Path, suffix: str) -> LxcError:
    """Return the error for a file that only its own framework should open."""
    named = path if PLAIN.fullmatch(str(path)) else "FILE"
    what = "a pickle, which can run code" if suffix in PICKLES else "not read by lxc"
    return LxcError(
        "LXC-E0002",
        f"{path} is {what}",
        expected="a file of safetensors, npz, or an artifact",
        hint=COMMANDS[suffix].format(path=named),
    )


def artifact_arrays(path: Path) -> dict[str, Array]:
    """Return the parameters and the state stored in an artifact."""
    artifact = read(path)
    sections = {
        section: decode(artifact.view(f"{section}.safetensors")).arrays
        for section in SECTIONS
        if f"{section}.safetensors" in artifact
    }
    if not sections:
        raise LxcError("LXC-E0410", f"{path.name} holds no parameters and no state")
    return joined(sections)


def joined(sections: Mapping[str, Mapping[str, Array]]) -> dict[str, Array]:
    """Return arrays of sections under one name each; parameters alone keep theirs."""
    if not sections.get("state"):
        return dict(sections.get("params", {}))
    return {
        f"{section}.{name}": array
        for section, arrays in sections.items()
        for name, array in arrays.items()
    }
