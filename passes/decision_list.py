"""Decisions as JSON: what several have in common is written once, and so is every layer."""

from collections.abc import Sequence
from typing import Any

from lxc.passes.decision import VERDICTS, Decision

WORDS = ("producer", "consumer", "rule", "reason", "would_allow")


def decisions_to_json(decisions: Sequence[Decision]) -> dict[str, Any]:
    """Return layer paths, and one object for all decisions that differ in those only.

    Its field `at` holds for each the number in the list, and the numbers of two paths.
    """
    paths: dict[str, int] = {}
    groups: dict[Any, dict[str, Any]] = {}
    for number, decision in enumerate(decisions):
        fields = decision.to_json()
        layers = [paths.setdefault(path, len(paths)) for path in fields.pop("layers")]
        group = groups.setdefault(tuple(fields.values()), {**fields, "at": []})
        group["at"].append([number, *layers])
    return {"layers": list(paths), "decisions": list(groups.values())}


def decisions_from_json(stored: Any) -> list[Decision]:
    """Return decisions in their order; what is no list of them raises a built-in error."""
    paths = dict(enumerate(map(str, stored["layers"])))
    found = [
        numbered
        for group in stored["decisions"]
        for numbered in decisions_of_group(group, paths)
    ]
    if any(type(number) is not int for number, _ in found):
        raise TypeError("a number of a decision")
    return [decision for _, decision in sorted(found, key=lambda numbered: numbered[0])]


def decisions_of_group(group: Any, paths: dict[int, str]) -> list[tuple[int, Decision]]:
    """Return the decisions that one object stands for, each with its number."""
    words = {key: str(group[key]) for key in WORDS}
    first, second = map(str, group["shapes"])
    about = group.get("about", "fusion")
    if about not in VERDICTS:
        raise ValueError(about)
    return [
        (
            number,
            Decision(
                layers=(paths[producer], paths[consumer]),
                shapes=(first, second),
                fused=bool(group["fused"]),
                about=about,
                **words,
            ),
        )
        for number, producer, consumer in group["at"]
    ]
