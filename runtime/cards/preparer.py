"""Prepared buffers on a card."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from lxc.runtime.buffers import Gatherer, Slot
from lxc.runtime.cards.array import CardArray
from lxc.runtime.cards.leaves import Leaves
from lxc.runtime.cards.order import DEFAULT, Moment
from lxc.runtime.cards.store import Block
from lxc.runtime.memory import Array, Watch, Watching
from lxc.runtime.prepared import Prepared, Preparer


class CardWatch:
    """Leaves that were read: arrays of the host, and arrays that lie on the card."""

    def __init__(self, leaves: Sequence[Any]) -> None:
        """Note which leaves could change."""
        host: list[Array] = [leaf for leaf in leaves if isinstance(leaf, np.ndarray)]
        self.cards = [leaf for leaf in leaves if isinstance(leaf, CardArray)]
        self.host = Watch(host)
        self.writes = [array.writes for array in self.cards]
        are_known = len(host) + len(self.cards) == len(leaves)
        self.were_constant = (
            are_known and self.host.were_constant and None not in self.writes
        )

    def hold(self) -> bool:
        """Tell whether nobody could have written to the leaves."""
        writes = [array.writes for array in self.cards]
        return self.were_constant and self.host.hold() and writes == self.writes


class CardPreparer(Preparer):
    """Makes prepared buffers on the card; all that they come from is there then too.

    It works on the default stream, and waits for it.
    """

    def __init__(self, leaves: Leaves, *arguments: Any) -> None:
        """Note how leaves get to the card."""
        super().__init__(*arguments)
        self.leaves = leaves

    def make(self, params: Sequence[Any], state: Sequence[Any], threads: int) -> Prepared:
        """Return a new buffer, filled from these leaves.

        From then on the default stream may read all of it, at any time.
        """
        made = super().make(params, state, 0)
        always = Moment(DEFAULT, None)
        given = {id(leaf) for leaf in made.leaves}
        for kept in made.kept:
            for block in blocks_of([kept]):
                note = block.was_read if id(kept) in given else block.was_written
                note(always)
        return made

    def take(
        self, gatherer: Gatherer, leaves: Sequence[Any], slots: Sequence[Slot]
    ) -> tuple[Sequence[Any], list[int]]:
        """Return leaves as arrays on the card, and the address of each."""
        arrays = self.leaves.gather(gatherer, leaves, slots, DEFAULT)
        return arrays, [array.address for array in arrays]

    def room(self, size: int) -> tuple[Any, int]:
        """Return memory on the card for a buffer, and its address."""
        block = self.leaves.store.take(size, DEFAULT)
        return block, block.address

    def watch(self, leaves: Sequence[Any], arrays: Sequence[Any]) -> Watching | None:
        """Return what tells whether leaves changed."""
        return CardWatch(leaves)

    @cached_property
    def placed_constants(self) -> tuple[Sequence[Any], list[int]]:
        """The large constants of the model on the card, copied when needed."""
        arrays = [self.leaves.copied(one, DEFAULT) for one in self.read_constants()]
        return arrays, [array.address for array in arrays]


def blocks_of(kept: Sequence[Any]) -> list[Block]:
    """Return the blocks that arrays lie in, and those that are there by themselves."""
    found = [one.block if isinstance(one, CardArray) else one for one in kept]
    return [block for block in found if isinstance(block, Block)]
