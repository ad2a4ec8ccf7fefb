"""How far a tensor is off the exact one, and how far it may be."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.ir.agreement import relative_error
from lxc.ir.types import Array
from lxc.verification.histogram import Histogram, histogram_of

HIGH = 99.9
"""Of a hundred elements so many are closer than the high ULP."""
DIGITS = {
    "float16": (10, -14),
    "bfloat16": (7, -126),
    "float32": (23, -126),
    "float64": (52, -1022),
}
"""Binary places behind the first one, and the smallest normal exponent, by element type."""


@dataclass(frozen=True)
class Judgement:
    """The errors of one output or leaf of the state.

    `error` and `allowed` are relative to the largest exact element; `numpy` is the error of
    the same program in NumPy. ULP are units in the last place of the element type, None for
    elements that are no floats.
    """

    name: str
    error: float
    allowed: float
    numpy: float
    most_ulp: float | None
    high_ulp: float | None
    cosine: float | None
    histogram: Histogram | None = None

    @property
    def agrees(self) -> bool:
        """Whether the tensor is as close as it has to be."""
        return self.error <= self.allowed

    def to_json(self) -> dict[str, Any]:
        """Return the fields for `json`; numbers that it lacks become words."""
        return {
            "name": self.name,
            "agrees": self.agrees,
            "error": number(self.error),
            "allowed": number(self.allowed),
            "numpy_error": number(self.numpy),
            "max_ulp": number(self.most_ulp),
            "ulp_99.9": number(self.high_ulp),
            "cosine": number(self.cosine),
            "histogram": self.histogram and self.histogram.to_json(),
        }


def judged(
    name: str, actual: Array, narrow: Array, exact: Array, allowed: float
) -> Judgement:
    """Return what is to be said of a tensor; `narrow` is NumPy's."""
    error = relative_error(actual, exact)
    own = relative_error(narrow, exact)
    if actual.dtype.name not in DIGITS or actual.shape != exact.shape:
        return Judgement(name, error, allowed, own, None, None, None)
    distances = ulp(actual, exact)
    most, high = 0.0, 0.0
    if distances.size:
        most, high = float(distances.max()), float(np.percentile(distances, HIGH))
    found = histogram_of(distances, actual.size)
    return Judgement(name, error, allowed, own, most, high, cosine(actual, exact), found)


def ulp(actual: Array, exact: Array) -> Array:
    """Return the distance of each finite element in units in the last place."""
    digits, lowest = DIGITS[actual.dtype.name]
    wide, reference = actual.astype(np.float64).ravel(), exact.astype(np.float64).ravel()
    finite = np.isfinite(wide) & np.isfinite(reference)
    wide, reference = wide[finite], reference[finite]
    _, exponents = np.frexp(reference)
    places = np.maximum(exponents - 1, lowest) - digits
    return np.asarray(np.abs(wide - reference) / np.ldexp(1.0, places))


def cosine(actual: Array, exact: Array) -> float:
    """Return the cosine of the angle between two tensors, 1 where both are zero."""
    wide, reference = actual.astype(np.float64).ravel(), exact.astype(np.float64).ravel()
    finite = np.isfinite(wide) & np.isfinite(reference)
    wide, reference = wide[finite], reference[finite]
    sizes = float(np.linalg.norm(wide)), float(np.linalg.norm(reference))
    if not all(sizes):
        return 1.0 if sizes[0] == sizes[1] else 0.0
    return float((wide / sizes[0]) @ (reference / sizes[1]))


def number(value: float | None) -> float | str | None:
    """Return a number as JSON holds it."""
    return value if value is None or np.isfinite(value) else str(value)
