"""Parameters and state in safetensors files of their own."""

from pathlib import Path
from typing import Any

from lxc.errors import LxcError
from lxc.runtime.checkpoint import read_checkpoint, write_checkpoint
from lxc.runtime.fitting import fitted
from lxc.runtime.load_report import LoadReport
from lxc.runtime.named_trees import Rename, flat_names


def save_params(path: Path | str, tree: Any, *, rename: Rename = None) -> None:
    """Write the arrays of a tree, or of Kaun variables, into a safetensors file.

    The names are those of `flat_names`. None and Python values, such as the mode, are not
    written. The file appears as a whole or not at all.
    """
    arrays = flat_names(tree, rename=rename)
    try:
        write_checkpoint(path, arrays)
    except OSError as error:
        reason = error.strerror or str(error)
        raise LxcError("LXC-E0002", f"cannot write {path}: {reason}") from None


def load_params(
    path: Path | str, like: Any, *, strict: bool = True, rename: Rename = None
) -> tuple[Any, LoadReport]:
    """Return the arrays of a safetensors file in the structure of `like`, and a report.

    The arrays are read-only views of the file. Floats are converted to the float type of
    the leaf in `like`; axes of size 1 that the leaf does not have are dropped, so a bias
    that was stored as a column fits. Names that `like` lacks are ignored. A leaf that is
    missing, or does not fit, is an error, and unless `strict` keeps its value in `like`. A
    None in `like` stays None unless the file has an array of that name.
    """
    if not Path(path).is_file():
        raise LxcError("LXC-E0002", f"cannot read {path}: there is no such file")
    tree, report = fitted(read_checkpoint(path).arrays, like, rename)
    if strict:
        report.check(f"the arrays in {Path(path).name} do not fit the model")
    return tree, report
