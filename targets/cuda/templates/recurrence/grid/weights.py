"""The weights of a product in the steps of a shared loop, which a block reads once.

A thread has the terms of one chain for one column: the first ones in registers, the others
in shared memory, four side by side, and those of neighbouring threads next to each other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lxc.ir.node import Value
from lxc.targets.cuda.grid_writer import GridWriter
from lxc.targets.cuda.intrinsics import LOAD_16
from lxc.targets.cuda.templates.products.copies import unrolled
from lxc.targets.cuda.templates.recurrence.grid.own import Share
from lxc.targets.cuda.templates.recurrence.grid.plan import ChainProduct
from lxc.targets.cuda.templates.recurrence.memory import TERMS
from lxc.targets.cuda.templates.recurrence.weights import F32, each, weight_of
from lxc.targets.tvm_api import (
    Buffer,
    Expr,
    Index,
    address_of,
    as_index,
    at_most,
    constant,
    divide,
    is_less,
    load,
    modulo,
    store,
)


@dataclass(frozen=True)
class ChainWeights:
    """Where the weights of a product are: the first `held` terms in registers."""

    writer: GridWriter
    chained: ChainProduct
    share: Share
    registers: Buffer | None
    memory: Buffer | None

    def bring(self, constants: Mapping[Value, Buffer]) -> None:
        """Write the copy of all weights out of memory."""
        writer, chained = self.writer, self.chained
        last = chained.product.depth - (chained.chains - 1) * chained.terms
        with each(writer, chained.pairs) as pair:
            column = self.column(modulo(pair, chained.columns))
            chain = writer.name(divide(pair, chained.columns), chained.chains)

            def there(term: Index) -> Expr:
                return self.weight(constants, column, chain * chained.terms + term)

            def zero(term: Index) -> Expr:
                return constant(0.0, F32)

            behind = (last, chained.terms)
            is_whole = is_less(as_index(chain), as_index(chained.chains - 1))
            self.store(pair, (0, last), there)
            if chained.chains == 1:
                self.store(pair, behind, zero)
            else:
                writer.choose(
                    is_whole,
                    lambda: self.store(pair, behind, there),
                    lambda: self.store(pair, behind, zero),
                )

    def store(
        self, pair: Index, terms: tuple[int, int], weight: Callable[[Index], Expr]
    ) -> None:
        """Write the copy of some terms of a chain, each to where the thread has it."""
        writer, held = self.writer, self.chained.held
        first, stop = (min(entry, held) for entry in terms)
        if self.registers is not None and first < stop:
            with unrolled(writer, stop - first) as turn:
                writer.write(store(self.registers, first + turn, weight(first + turn)))
        first, stop = (max(entry, held) for entry in terms)
        if self.memory is not None and first < stop:
            with writer.loop(stop - first) as turn:
                number = first - held + turn
                place = self.place(pair, number) + modulo(number, TERMS)
                writer.write(store(self.memory, place, weight(first + turn)))

    def column(self, own: Index) -> Index:
        """Return a column by its number in the block, one that exists."""
        writer, share = self.writer, self.share
        group = writer.name(divide(own, share.size), self.chained.columns // share.size)
        unit = at_most(share.unit(modulo(own, share.size)), share.units - 1)
        return group * share.units + writer.name(unit, share.units)

    def weight(self, constants: Mapping[Value, Buffer], column: Index, term: Index) -> Expr:
        """Return a weight."""
        writer, product = self.writer, self.chained.product
        return weight_of(
            writer, product, constants, column, writer.name(term, product.depth)
        )

    def place(self, pair: Index, term: Index) -> Index:
        """Return where four terms of a thread lie that are not held."""
        return (divide(term, TERMS) * self.chained.pairs + pair) * TERMS

    def four(self, pair: Index, first: Index, *, is_held: bool) -> Callable[[int], Expr]:
        """Write the load of four terms of a thread; all are held, or none of them."""
        held, memory = self.registers, self.memory
        if is_held and held is not None:
            return lambda term: load(held, first + term)
        found = self.writer.array(F32, TERMS)
        if memory is not None:
            source = address_of(memory, self.place(pair, first - self.chained.held))
            self.writer.write(LOAD_16.statement(address_of(found, 0), source))
        return lambda term: load(found, term)
