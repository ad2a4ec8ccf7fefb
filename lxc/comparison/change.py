"""One thing that two artifacts do not have in common."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

ADDED, REMOVED, CHANGED = "added", "removed", "changed"


@dataclass(frozen=True)
class Change:
    """What was added, removed or changed, and where; texts are as the files have them."""

    kind: str
    where: str
    before: str = ""
    after: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the fields for `json`."""
        return asdict(self)


def changes(
    before: Mapping[str, str], after: Mapping[str, str], prefix: str = ""
) -> Iterator[Change]:
    """Yield what differs between two mappings, in the order of the first."""
    for key, text in before.items():
        if key not in after:
            yield Change(REMOVED, prefix + key, before=text)
        elif after[key] != text:
            yield Change(CHANGED, prefix + key, text, after[key])
    for key, text in after.items():
        if key not in before:
            yield Change(ADDED, prefix + key, after=text)


def several(where: str, before: Iterable[str], after: Iterable[str]) -> Iterator[Change]:
    """Yield the lines that only one of two lists has, each as often as it has more."""
    first, second = Counter(before), Counter(after)
    for line, count in (first - second).items():
        yield from [Change(REMOVED, where, before=line)] * count
    for line, count in (second - first).items():
        yield from [Change(ADDED, where, after=line)] * count


def flat(value: Mapping[str, Any]) -> dict[str, str]:
    """Return a mapping with those inside of it spread out, as texts."""
    found: dict[str, str] = {}
    for key, entry in value.items():
        if isinstance(entry, dict):
            found |= {f"{key} {k}".rstrip(): text_of(one) for k, one in entry.items()}
        else:
            found[key] = text_of(entry)
    return found


def text_of(value: Any) -> str:
    """Return a value of JSON as text, a string as it is."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
