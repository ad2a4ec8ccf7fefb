"""In which precision the products of each layer are computed, as a user asks for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from fnmatch import fnmatchcase

from lxc.errors import LxcError, one_of
from lxc.ir.graph import Graph
from lxc.ir.node import walk


class Precision(StrEnum):
    """What the factors of a product are rounded to; sums are float32 in all of them."""

    FLOAT32 = "float32"
    TF32 = "tf32"
    BF16 = "bf16"
    INT8 = "int8"


MOST_PRECISE_FIRST = tuple(Precision)


@dataclass(frozen=True)
class PrecisionPlan:
    """One precision for all layers, and other ones for some layers and what is below them.

    A path of `overrides` may hold `*`, `?` and `[...]`, each for a part of one name.
    """

    default: Precision = Precision.FLOAT32
    overrides: tuple[tuple[str, Precision], ...] = ()

    @property
    def precisions(self) -> frozenset[Precision]:
        """Every precision that is asked for."""
        return frozenset({self.default, *(precision for _, precision in self.overrides)})

    @property
    def is_reduced(self) -> bool:
        """Whether anything is asked for but float32."""
        return self.precisions != {Precision.FLOAT32}

    def of(self, layers: Sequence[str]) -> Precision:
        """Return the precision of what belongs to some layers: the most precise of theirs.

        What belongs to no layer has the default.
        """
        found = {self.of_layer(layer) for layer in layers} or {self.default}
        return min(found, key=MOST_PRECISE_FIRST.index)

    def of_layer(self, layer: str) -> Precision:
        """Return the precision of one layer; the most specific path that covers it wins."""
        covering = [entry for entry in self.overrides if covers(entry[0], layer)]
        # Of equally specific ones the last wins, as the last of two options does.
        covering.sort(key=lambda entry: specificity(entry[0]))
        return covering[-1][1] if covering else self.default

    def to_json(self) -> dict[str, str]:
        """Return the plan as `plan_of` takes it."""
        return {"": str(self.default)} | {path: str(one) for path, one in self.overrides}


FLOAT32 = PrecisionPlan()
"""The plan of whoever asks for nothing."""


def plan_of(given: str | Mapping[str, str]) -> PrecisionPlan:
    """Return the plan that a name means, or a mapping from layer paths to names.

    The path "" stands for all layers that no other path covers.
    """
    if isinstance(given, str):
        return PrecisionPlan(precision_named(given))
    overrides = {path: precision_named(name) for path, name in given.items()}
    default = overrides.pop("", Precision.FLOAT32)
    return PrecisionPlan(default, tuple(overrides.items()))


def precision_named(name: str) -> Precision:
    """Return a precision, or raise for a word that names none."""
    if name not in MOST_PRECISE_FIRST:
        names = [str(one) for one in Precision]
        raise LxcError(
            "LXC-E0001",
            f"there is no precision {name!r}",
            hint=f"it is {one_of(names)}",
        )
    return Precision(name)


def check_paths(plan: PrecisionPlan, graph: Graph) -> None:
    """Raise for a path of the plan that covers no layer of a traced graph."""
    layers = layer_paths(graph)
    for path, _ in plan.overrides:
        if any(covers(path, layer) for layer in layers):
            continue
        near = get_close_matches(path, layers, n=1)
        raise LxcError(
            "LXC-E0001",
            f"the model has no layer {path}, whose precision is given",
            expected=None if near or not layers else one_of(layers[:8]),
            hint=f"there is {near[0]}" if near else None,
        )


def layer_paths(graph: Graph) -> list[str]:
    """Return the paths of all layers that a graph mentions, also of those around others."""
    paths: dict[str, None] = {}
    for node in walk(graph.nodes):
        for layer in node.location.layers:
            names = layer.split(".")
            paths |= dict.fromkeys(
                ".".join(names[:end]) for end in range(1, len(names) + 1)
            )
    return list(paths)


def covers(path: str, layer: str) -> bool:
    """Return whether a path with or without wildcards names a layer, or one around it."""
    wanted, names = path.split("."), layer.split(".")
    if len(wanted) > len(names):
        return False
    pairs = zip(names, wanted, strict=False)
    return all(fnmatchcase(name, pattern) for name, pattern in pairs)


def specificity(path: str) -> tuple[int, int, int]:
    """Return what is larger the closer a path names a layer.

    Deeper paths are closer, then those with fewer patterns, then those with more to match.
    """
    names = path.split(".")
    literal = [name for name in names if not set(name) & set("*?[")]
    return len(names), len(literal), len(path.replace("*", ""))
