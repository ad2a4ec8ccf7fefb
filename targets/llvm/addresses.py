"""Where values lie while a program runs."""

from dataclasses import dataclass, replace

from lxc.targets.tvm_api import Buffer, Expr, Index, load


@dataclass(frozen=True)
class Address:
    """Where a value lies: a number that starts a region, and bytes from there.

    `region` names what the number belongs to; addresses of different regions never overlap.
    `within` are the first byte of the region that belongs to the value, or to one that it
    is a part of, and the byte behind the last, if they are known.
    """

    region: str
    start: Expr
    offset: Index = 0
    within: tuple[int, int] | None = None

    @property
    def number(self) -> Expr:
        """The address as an int64."""
        plain = isinstance(self.offset, int) and self.offset == 0
        return self.start if plain else self.start + self.offset

    def moved(self, count: Index) -> "Address":
        """Return the address some bytes further, still within the same value."""
        return replace(self, offset=self.offset + count)

    def part(self, first: int, size: int) -> "Address":
        """Return the address of a value of its own in a block that starts here."""
        return Address(self.region, self.start, first, (first, first + size))

    def is_same(self, other: "Address") -> bool:
        """Return whether two addresses are written alike."""
        here, there = (self.region, self.offset), (other.region, other.offset)
        return list(map(str, here)) == list(map(str, there))

    def meets(self, other: "Address") -> bool:
        """Return whether what lies at the two may overlap."""
        if self.region != other.region:
            return False
        if self.within is None or other.within is None:
            return True
        starts, ends = zip(self.within, other.within, strict=True)
        return max(starts) < min(ends)


def table_entry(table: Buffer, name: str, number: int) -> Address:
    """Return the address that a table holds."""
    return Address(f"{name} {number}", load(table, number))
