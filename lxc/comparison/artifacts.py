"""What differs between two artifacts, group by group. No code in them is mapped."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxc.comparison.blame import reading
from lxc.comparison.change import Change
from lxc.comparison.decisions import decision_changes
from lxc.comparison.facts import (
    kernel_changes,
    member_changes,
    memory_changes,
    option_changes,
    signature_changes,
    target_changes,
    version_changes,
)
from lxc.comparison.graphs import graph_changes
from lxc.comparison.values import constant_changes, param_changes, state_changes
from lxc.errors import LxcError
from lxc.runtime.artifact import Artifact

GROUPS: Mapping[str, Callable[[Artifact, Artifact], Iterator[Change]]] = {
    "signature": signature_changes,
    "options": option_changes,
    "versions": version_changes,
    "IR": graph_changes,
    "params": param_changes,
    "state": state_changes,
    "constants": constant_changes,
    "targets": target_changes,
    "decisions": decision_changes,
    "kernels": kernel_changes,
    "memory": memory_changes,
    "members": member_changes,
}
"""What is compared, in the order in which one follows from another."""


@dataclass(frozen=True)
class Comparison:
    """The changes from one artifact to another by group; none where all bytes are equal."""

    groups: Mapping[str, tuple[Change, ...]]

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not any(self.groups.values())

    def to_json(self) -> dict[str, Any]:
        """Return every group for `json`."""
        return {
            "equal": self.equal,
            "groups": {
                name: [change.to_json() for change in found]
                for name, found in self.groups.items()
            },
        }


def compare(a: Artifact, b: Artifact) -> Comparison:
    """Return what changed from `a` to `b`; where all bytes are equal, nothing is read."""
    if a.size == b.size and a.contents.view == b.contents.view:
        return Comparison(dict.fromkeys(GROUPS, ()))
    for one in (a, b):
        with reading(one.name):
            one.verify()
    try:
        groups = {name: tuple(find(a, b)) for name, find in GROUPS.items()}
    except RecursionError:
        raise LxcError(
            "LXC-E0402", "the manifest of an artifact is nested too deeply"
        ) from None
    return Comparison(groups)
