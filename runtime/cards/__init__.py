"""Running compiled code on NVIDIA cards: memory, streams, arrays that others share."""

from lxc.runtime.cards.array import CardArray

__all__ = ["CardArray"]
