"""Who comes when, and how many calls a turn has."""

from collections.abc import Sequence
from dataclasses import dataclass

TURN_SECONDS = 0.02
CONTENDER_SECONDS = 12.0
LONG_CALL = 1.0
MOST_CALLS = 200_000


def order(names: Sequence[str], turn: int) -> list[str]:
    """Return who comes when in a turn: everyone holds every place equally often.

    The start moves by one each turn, and every other lap goes backwards, so that nobody
    always follows the same neighbour.
    """
    count = len(names)
    lap, start = divmod(turn, count)
    moved = [names[(start + place) % count] for place in range(count)]
    return moved if lap % 2 == 0 else moved[::-1]


@dataclass(frozen=True)
class Pace:
    """How many calls a contender makes in a turn, and in how many turns it takes part."""

    calls: int
    warm: int
    turns: int


def warm_calls(calls: int, seconds: float) -> int:
    """Return how many calls go ahead of those of a turn; none where calls are long."""
    return max(1, calls // 4) if seconds < LONG_CALL else 0


def pace_of(seconds: float, rounds: int) -> Pace:
    """Return the pace for calls that take `seconds`: slow ones take part less often."""
    calls = max(1, min(MOST_CALLS, int(TURN_SECONDS / max(seconds, 1e-9))))
    warm = warm_calls(calls, seconds)
    affordable = int(CONTENDER_SECONDS / max(seconds * (calls + warm), 1e-9))
    return Pace(calls, warm, max(1, min(rounds, affordable)))
