"""What differs between the values that two artifacts hold."""

from collections.abc import Iterator, Mapping

from lxc.comparison.arrays import distance
from lxc.comparison.blame import reading
from lxc.comparison.change import ADDED, CHANGED, REMOVED, Change
from lxc.runtime.artifact import Artifact
from lxc.runtime.checkpoint import Array, decode


def param_changes(a: Artifact, b: Artifact) -> Iterator[Change]:
    """Yield what differs in the params."""
    yield from value_changes(a, b, "params.safetensors")


def state_changes(a: Artifact, b: Artifact) -> Iterator[Change]:
    """Yield what differs in the state."""
    yield from value_changes(a, b, "state.safetensors")


def constant_changes(a: Artifact, b: Artifact) -> Iterator[Change]:
    """Yield what differs in the large constants."""
    yield from value_changes(a, b, "data.safetensors")


def value_changes(a: Artifact, b: Artifact, member: str) -> Iterator[Change]:
    """Yield the leaves that differ in a member, which either may lack."""
    if member not in a or member not in b:
        if member in a or member in b:
            yield Change(REMOVED if member in a else ADDED, member)
        return
    if a.view(member) != b.view(member):
        yield from leaf_changes(*(arrays_in(one, member) for one in (a, b)))


def arrays_in(artifact: Artifact, member: str) -> Mapping[str, Array]:
    """Return the arrays of a member by name."""
    with reading(artifact.name):
        return decode(artifact.view(member)).arrays


def leaf_changes(
    before: Mapping[str, Array], after: Mapping[str, Array]
) -> Iterator[Change]:
    """Yield the arrays that differ: in type or shape, or by how much at most."""
    for name, array in before.items():
        if name not in after:
            yield Change(REMOVED, name, before=type_text(array))
            continue
        other, kind = after[name], type_text(array)
        if kind != type_text(other):
            yield Change(CHANGED, name, kind, type_text(other))
        elif array.tobytes() != other.tobytes():
            far = distance(array, other)
            share = f"{far.relative:.1e} of the largest value"
            yield Change(CHANGED, name, kind, f"off by at most {far.absolute:.3g}, {share}")
    for name, array in after.items():
        if name not in before:
            yield Change(ADDED, name, after=type_text(array))


def type_text(array: Array) -> str:
    """Return element type and shape: `float32[10, 128]`."""
    return f"{array.dtype.name}[{', '.join(map(str, array.shape))}]"
