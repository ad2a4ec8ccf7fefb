"""Parameters and state from safetensors files: found by path, or refused all at once."""

import difflib
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path

from lxc.errors import LxcError
from lxc.runtime.buffers import STATE, Slot
from lxc.runtime.checkpoint import Array, read_checkpoint
from lxc.runtime.misfit import free_to_lack
from lxc.runtime.signature import Group
from lxc.structure import Structure, join

SECTIONS = ("params", "state")


def section_of(path: Path, section: str) -> dict[str, Array]:
    """Return the arrays of one section in a file, by path.

    Names start with `params.` or `state.` where a file holds both; in a file without such
    names everything belongs to the section that was asked for.
    """
    arrays = arrays_in(path)
    if not sections_of(arrays):
        return arrays
    prefix = f"{section}."
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def arrays_in(path: Path) -> dict[str, Array]:
    """Return every array in a file."""
    if not path.is_file():
        raise LxcError("LXC-E0002", f"cannot read {path}: there is no such file")
    return dict(read_checkpoint(path).arrays)


def sections_of(arrays: Iterable[str]) -> set[str]:
    """Return the sections that names start with."""
    return {name.partition(".")[0] for name in arrays} & set(SECTIONS)


def check_names(
    what: str,
    path: Path,
    found: Sequence[str],
    wanted: Sequence[str],
    optional: Container[str] = (),
) -> None:
    """Refuse leaves that are missing in a file or superfluous, all of them at once.

    A file may lack what is `optional`.
    """
    missing = [name for name in wanted if name not in found and name not in optional]
    spare = [name for name in found if name not in wanted]
    problems = [f"{name} is missing{nearest(name, spare)}" for name in missing]
    problems += [f"{name} is not in the model" for name in spare if not missing]
    refuse(f"the {what} in {path.name} do not fit the model", problems)


def none_paths(structure: Structure, prefix: str = "") -> list[str]:
    """Return the path of every None in a tree."""
    if structure.kind == "none":
        return [prefix]
    return [
        path
        for name, child in structure.named_children()
        for path in none_paths(child, join(prefix, name))
    ]


def is_below(name: str, paths: Iterable[str]) -> bool:
    """Tell whether a name is one of the paths, or of a leaf below one."""
    return any(name == path or name.startswith(f"{path}.") for path in paths)


def check_state(path: Path, found: Mapping[str, Array], group: Group) -> None:
    """Refuse a stored state whose names, shapes or types are not those of a model.

    All of something optional may be missing, but not a part of it.
    """
    names = [leaf.name for leaf in group.leaves]
    free = free_to_lack(group.tree.optional_leaves(), names, list(found))
    check_names("state", path, list(found), names, free)
    problems = []
    for slot in (Slot(leaf, STATE) for leaf in group.leaves if leaf.name in found):
        array = found[slot.leaf.name]
        try:
            slot.accept(array)
        except LxcError:
            problems.append(
                f"{slot.leaf.name} is {type_text(array)} instead of {slot.leaf}"
            )
    refuse(f"the leaves of the state in {path.name} do not fit the model", problems)


def check_types(
    what: str, path: Path, found: Mapping[str, Array], wanted: Mapping[str, Array]
) -> None:
    """Refuse leaves of another shape or element type, all of them at once."""
    problems = [
        f"{name} is {type_text(found[name])} instead of {type_text(array)}"
        for name, array in wanted.items()
        if type_text(found[name]) != type_text(array)
    ]
    refuse(f"the {what} in {path.name} do not fit the model", problems)


def check_tied(
    what: str, path: Path, found: Mapping[str, Array], wanted: Mapping[str, Array]
) -> None:
    """Refuse a file that has different values for leaves that are one."""
    problems = [
        f"{name} differs from the leaf that it is tied to"
        for name, array in wanted.items()
        if name in found and found[name].tobytes() != array.tobytes()
    ]
    refuse(f"the {what} in {path.name} do not fit the model", problems)


def refuse(summary: str, problems: Sequence[str]) -> None:
    """Raise if there are problems."""
    if problems:
        raise LxcError("LXC-E0409", summary, actual=("\n" + " " * 12).join(problems))


def nearest(name: str, others: Sequence[str]) -> str:
    """Return words that offer the most similar name, or nothing."""
    close = difflib.get_close_matches(name, others, n=1)
    return f"; the file has {close[0]}" if close else ""


def type_text(array: Array) -> str:
    """Return element type and shape: `float32[10, 128]`."""
    return f"{array.dtype.name}[{', '.join(map(str, array.shape))}]"
