"""What became of a contender in a case, and of a case."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from statistics import mean, median
from typing import Any

from cpu_suite.contenders import CONTENDERS, FROM_C, IN_BF16


@dataclass
class Outcome:
    """A status, and the seconds per call: of every turn, and of its fastest slice.

    The status is ok, wrong, failed, over time, not written or absent; `detail` says more.
    """

    status: str
    detail: str = ""
    error: float | None = None
    build_seconds: float | None = None
    first_seconds: float = 0.0
    notes: dict[str, Any] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    fastest: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median of the turns."""
        return median(self.seconds)

    @property
    def least(self) -> float:
        """The fastest slice of all turns."""
        return min(self.fastest)

    def add(self, slices: list[float]) -> None:
        """Take in a turn; nothing if it failed."""
        if slices:
            self.seconds.append(mean(slices))
            self.fastest.append(min(slices))

    def json(self) -> dict[str, Any]:
        """Return everything, with median and minimum where there are turns."""
        timed = {"median": self.median, "min": self.least} if self.seconds else {}
        return {**asdict(self), **timed}


def judged(reply: Mapping[str, Any], tolerance: float) -> Outcome:
    """Return the outcome of a build; outputs that are off by more are wrong."""
    outcome = Outcome(
        reply["status"],
        reply.get("detail", ""),
        reply.get("error"),
        reply.get("build_seconds"),
        reply.get("first_seconds", 0.0),
        reply.get("notes", {}),
    )
    if outcome.error is not None and not outcome.error <= tolerance:
        outcome.status = "wrong"
        outcome.detail = f"error {outcome.error:.1e}, allowed {tolerance:.0e}"
    return outcome


@dataclass(frozen=True)
class Result:
    """A case with the outcomes of all contenders.

    `facts` are its flops and bytes and what the machine reached for each in the same turns:
    1e9 operations per second, and 1e9 bytes per second over memory of the case's size.
    Without a reference to compare with there are none.
    """

    name: str
    facts: Mapping[str, Any]
    outcomes: Mapping[str, Outcome]

    def best(self, number: str) -> tuple[str, float] | None:
        """Return the float32 peer with the least `number` (median or least), and it."""
        found = {
            name: float(getattr(outcome, number))
            for name, outcome in self.outcomes.items()
            if CONTENDERS[name].is_peer and outcome.seconds
        }
        return min(found.items(), key=lambda pair: pair[1], default=None)

    def number(self, name: str, number: str) -> float | None:
        """Return the median or the least of a contender; None if it was not timed."""
        outcome = self.outcomes.get(name)
        timed = outcome is not None and outcome.seconds
        return float(getattr(outcome, number)) if timed else None

    def ratio(self, number: str) -> float | None:
        """Return how many times faster lxc is than the best peer; None without either."""
        own, best = self.number("lxc", number), self.best(number)
        return None if own is None or best is None else best[1] / own

    def ratio_from_c(self, number: str) -> float | None:
        """Return how many times faster lxc is than ONNX Runtime, both called from C."""
        return self.ratio_of(FROM_C, number)

    def ratio_in_bf16(self, number: str) -> float | None:
        """Return how many times faster lxc is than OpenVINO, both with bfloat16."""
        return self.ratio_of(IN_BF16, number)

    def ratio_of(self, pair: tuple[str, str], number: str) -> float | None:
        """Return how many times faster the first of a pair is; None without either."""
        own, other = (self.number(name, number) for name in pair)
        return None if own is None or other is None else other / own

    def bound(self) -> tuple[str, float] | None:
        """Return what binds the case, and the seconds that it takes at least.

        Every input, weight and output is moved once.
        """
        if not self.facts:
            return None
        times = {
            "FMA": self.facts["flops"] / self.facts["fma_gflops"] / 1e9,
            "memory": self.facts["bytes"] / self.facts["read_gbs"] / 1e9,
        }
        return max(times.items(), key=lambda pair: pair[1])

    def json(self) -> dict[str, Any]:
        """Return everything, for a file."""
        bound, best = self.bound(), self.best("median")
        return {
            "case": self.name,
            **self.facts,
            "bound": None if bound is None else {"by": bound[0], "seconds": bound[1]},
            "best_peer": None if best is None else best[0],
            "ratio_median": self.ratio("median"),
            "ratio_min": self.ratio("least"),
            "ratio_in_bf16_median": self.ratio_in_bf16("median"),
            "ratio_in_bf16_min": self.ratio_in_bf16("least"),
            "ratio_from_c_median": self.ratio_from_c("median"),
            "ratio_from_c_min": self.ratio_from_c("least"),
            "contenders": {name: one.json() for name, one in self.outcomes.items()},
        }
