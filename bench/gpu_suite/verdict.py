"""What became of everyone in a task."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Verdict:
    """What became of everyone in a task: seconds, errors, and what went wrong."""

    name: str
    seconds: dict[str, float] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """How many times faster lxc is than the best of the others."""
        others = [spent for name, spent in self.seconds.items() if name != "lxc"]
        if "lxc" not in self.seconds or not others:
            return None
        return min(others) / self.seconds["lxc"]

    def share(
        self, work: tuple[str, float] | None, limits: Mapping[str, float]
    ) -> float | None:
        """Return what lxc reaches of the card's limit, for work in terms of that limit."""
        if work is None or "lxc" not in self.seconds or work[0] not in limits:
            return None
        limit, amount = work
        return amount / self.seconds["lxc"] / limits[limit]

    def json(self) -> dict[str, Any]:
        """Return everything, for a file."""
        return {**asdict(self), "ratio": self.ratio}
