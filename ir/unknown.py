"""What asks for a number where there is none, or none before a model runs: coded errors."""

from operator import index
from typing import NoReturn, SupportsIndex

from lxc.errors import LxcError


class NoNumber:
    """The parts of Python that take numbers only; `str` names the size."""

    def __index__(self) -> int:
        """Refuse: loops and arrays of Python need a number."""
        raise unknown(f"the number of {self}")

    def __truediv__(self, other: object) -> NoReturn:
        """Refuse a fraction, which no size is."""
        raise unknown(f"the number of {self}")

    def __rtruediv__(self, other: object) -> NoReturn:
        """Refuse a fraction, which no size is."""
        raise unknown(f"the number of {self}")


def unknown(wish: str) -> LxcError:
    """Return the error for a size that is needed as a number too early."""
    return LxcError(
        "LXC-E0104",
        f"{wish} is not known while the model is traced",
        hint="compute with a tensor and the size, as in x / n, or fix the size",
    )


def whole_number(value: SupportsIndex) -> int:
    """Return a whole number of any kind as an int, or raise."""
    try:
        return index(value)
    except TypeError:
        actual = f"size: {value!r}"
        raise LxcError("LXC-E0103", "a size is a whole number", actual=actual) from None
