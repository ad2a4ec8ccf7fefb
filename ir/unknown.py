"""What Python asks of a size that has no number before a model runs: coded errors."""

from typing import NoReturn

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
