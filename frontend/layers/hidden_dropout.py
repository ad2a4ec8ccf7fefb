"""Dropout whose mask is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.frontend.layer import Layer
from lxc.frontend.layers.basic import NoOpLayer
from lxc.frontend.layers.dropout import check_probability, draw_key, drawn
from lxc.frontend.optional import is_missing, value_or
from lxc.frontend.padding import numbers_of
from lxc.ir import functions as ops
from lxc.ir.functions.promotion import common_type
from lxc.ir.functions.shape import axes_of
from lxc.ir.tensor import Tensor
from lxc.ir.types import shape_text
from lxc.tree import Optional


@dataclass(frozen=True, init=False)
class VariationalHiddenDropout(Layer):
    """Zero elements with probability p in training, the same ones in every call.

    A mask of 0 and 1 / (1 - p) is drawn as in `Dropout`, with the size of x along `dims`
    and 1 along the other axes, and kept in the state; `update_mask` there asks for a new
    one (Gal, Ghahramani, 2016). In test mode y = x and the state stays as it is, mask
    included, whatever `dims` (differs from Lux.jl 0.4, which overwrites the mask or, with
    dims, draws it anew, because its page keeps it). `VariationalHiddenDropout(0)` is a
    `NoOpLayer`. The state is {rng, training, update_mask, mask}; the mask is None until the
    first call in training. A kept mask that does not fit x is an error.
    """

    p: float
    dims: tuple[int, ...] | None

    def __new__(cls, p: float, *, dims: int | Sequence[int] | None = None) -> Any:
        """Return the layer, or a no-op if nothing is ever dropped."""
        check_probability(p)
        return NoOpLayer() if p == 0 else super().__new__(cls)

    def __init__(self, p: float, *, dims: int | Sequence[int] | None = None) -> None:
        """Take the probability of a zero; `dims` default to all axes."""
        object.__setattr__(self, "p", float(p))
        axes = None if dims is None else numbers_of(dims, 1, "dims")
        object.__setattr__(self, "dims", axes)

    def __getnewargs__(self) -> tuple[float]:
        """Hand copies what `__new__` checks."""
        return (self.p,)

    def init_state(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return a key, the mode, the wish for a mask, and no mask."""
        return {
            "rng": draw_key(rng),
            "training": True,
            "update_mask": np.asarray(True),
            "mask": None,
        }

    def __call__(self, x: Any, ps: Any, st: Any) -> tuple[Any, Any]:
        """Return x times the mask, or x itself."""
        if not st["training"]:
            return x, st
        mask, key = self.mask_for(x, st)
        y = ops.where(ops.equal(mask, 0), 0, ops.multiply(x, mask))
        kept = np.asarray(False)
        return y, {"rng": key, "training": True, "update_mask": kept, "mask": mask}

    def mask_for(self, x: Any, st: Any) -> tuple[Any, Any]:
        """Return the mask of this call, kept or new, and the key that is left."""
        wish, kept, key = st["update_mask"], st["mask"], st["rng"]
        if not isinstance(wish, Tensor) and not isinstance(kept, Optional):
            if kept is not None and not wish:
                self.check(kept, x)
                return kept, key
            return self.fresh(x, key)
        fresh, following = self.fresh(x, key)
        if kept is None:
            return fresh, following
        old = kept.value if isinstance(kept, Optional) else kept
        self.check(old, x)
        wanted = ops.logical_or(wish, is_missing(kept))
        mask = ops.where(wanted, fresh, value_or(kept, fresh))
        return mask, ops.where(wanted, following, key)

    def fresh(self, x: Any, key: Any) -> tuple[Any, Any]:
        """Return a new mask and the next key."""
        scale = 1 / (1 - self.p) if self.p < 1 else 0.0
        kept = drawn(key, self.mask_shape(x), self.p)
        # Whole numbers become what they become times a fraction.
        mask = ops.where(kept, np.asarray(scale).astype(common_type((x, scale))), 0)
        return mask, ops.random_split(key)[0]

    def mask_shape(self, x: Any) -> tuple[Any, ...]:
        """Return the shape of the mask for x."""
        apart = axes_of(self.dims, len(x.shape))
        return tuple(n if axis in apart else 1 for axis, n in enumerate(x.shape))

    def check(self, mask: Any, x: Any) -> None:
        """Refuse a kept mask of another shape than x asks for."""
        wanted = self.mask_shape(x)
        if tuple(mask.shape) != wanted:
            raise LxcError(
                "LXC-E0103",
                "the kept mask does not fit the input",
                expected=f"mask: {shape_text(wanted)}",
                actual=f"mask: {shape_text(mask.shape)}",
                hint='ask for a new one: lxc.update_state(st, "update_mask", True)',
            )
