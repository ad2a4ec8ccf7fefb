"""What differs between the decisions of passes that two artifacts tell of."""

from collections import Counter
from collections.abc import Iterator

from lxc.comparison.blame import reading
from lxc.comparison.change import ADDED, REMOVED, Change, changes
from lxc.explanation import EXPLANATION, stored_decisions
from lxc.passes.decision import VERDICTS, Decision
from lxc.runtime.artifact import Artifact


def decision_changes(a: Artifact, b: Artifact) -> Iterator[Change]:
    """Yield what was decided otherwise for targets that both have."""
    if EXPLANATION not in a or EXPLANATION not in b:
        if EXPLANATION in a or EXPLANATION in b:
            yield Change(REMOVED if EXPLANATION in a else ADDED, EXPLANATION)
        return
    if a.view(EXPLANATION) == b.view(EXPLANATION):
        return
    names = [target.name for target in b.targets]
    for target in (one.name for one in a.targets):
        if target in names:
            before, after = (texts_of(one, target) for one in (a, b))
            yield from changes(before, after, f"{target} ")


def texts_of(artifact: Artifact, target: str) -> dict[str, str]:
    """Return the decisions about a target that an artifact tells of."""
    with reading(artifact.name):
        return decision_texts(stored_decisions(artifact, target))


def decision_texts(decisions: list[Decision]) -> dict[str, str]:
    """Return every verdict by the two nodes that it is about; equal ones numbered."""
    found: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for one in decisions:
        first, second = (
            f"{layer or 'the model'} {op} {shape}"
            for layer, op, shape in zip(
                one.layers, (one.producer, one.consumer), one.shapes, strict=True
            )
        )
        key = f"{one.about}: {first} -> {second}"
        seen[key] += 1
        numbered = f"{key} #{seen[key]}" if seen[key] > 1 else key
        verdict = VERDICTS[one.about][one.fused].strip()
        found[numbered] = f"{verdict}: {one.rule}: {one.reason}"
    return found
