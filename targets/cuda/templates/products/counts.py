"""How many entries axes have together, whatever the dimensions of a call are."""

from collections.abc import Iterable
from math import gcd, prod

from lxc.ir.dim import Size, bounds, terms


def most_of(sizes: Iterable[Size]) -> int:
    """Return the most entries that axes may have together."""
    return prod(bounds(size)[1] for size in sizes)


def fewest_of(sizes: Iterable[Size]) -> int:
    """Return the fewest entries that axes may have together, other than none.

    A size is a multiple of what divides all of its terms.
    """
    divisors = [(size, gcd(*(factor for _, factor in terms(size)))) for size in sizes]
    return prod(max(bounds(size)[0], divisor) for size, divisor in divisors)
