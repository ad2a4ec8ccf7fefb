"""Names of an object that others cannot see: several models fit into one program."""

import struct
from collections.abc import Collection

from lxc.errors import InternalError
from lxc.targets.llvm.elf import LOCAL, SYMBOL_TABLE, Elf, Section, Symbol

WITH_ADDENDS, PLAIN, GROUP, ADDRESSES, MANY_SECTIONS = 4, 9, 17, 0x6FFF4C03, 18
RELOCATION = {WITH_ADDENDS: 24, PLAIN: 16}
LINK, INFO = 40, 44
"""Where these fields are in the header of a section."""


def with_local_names(data: bytes, public: Collection[str]) -> bytes:
    """Return an object in which every name that it defines is local but the public ones.

    Local symbols have to be the first ones of the table, so that others get new numbers,
    which go into everything that refers to symbols.
    """
    elf = Elf(data)
    if elf.of_kind(MANY_SECTIONS):
        raise InternalError("linking", "the object has more sections than can be numbered")
    changed = bytearray(data)
    for index, table in enumerate(elf.sections):
        if table.kind == SYMBOL_TABLE:
            order = ordered(elf.symbols(), public)
            write_symbols(changed, data, table, order)
            numbers = {one.number: place for place, (one, _) in enumerate(order)}
            for section in elf.sections:
                if section.link == index:
                    renumber(changed, section, numbers)
    return bytes(changed)


def ordered(symbols: list[Symbol], public: Collection[str]) -> list[tuple[Symbol, bool]]:
    """Return the symbols in their new order, and whether each of them is local."""
    marked = [
        (one, one.is_local or (one.is_defined and one.name not in public))
        for one in symbols
    ]
    return sorted(marked, key=lambda pair: not pair[1])


def write_symbols(
    changed: bytearray, data: bytes, table: Section, order: list[tuple[Symbol, bool]]
) -> None:
    """Write the table of symbols in their new order."""
    for place, (one, is_local) in enumerate(order):
        start = table.offset + one.number * table.entry
        entry = bytearray(data[start : start + table.entry])
        if is_local and not one.is_local:
            # The kind of the symbol stays; one that is local has no visibility.
            entry[4], entry[5] = LOCAL << 4 | entry[4] & 15, 0
        at = table.offset + place * table.entry
        changed[at : at + table.entry] = entry
    count = sum(is_local for _, is_local in order)
    struct.pack_into("<I", changed, table.place + INFO, count)


def renumber(changed: bytearray, section: Section, numbers: dict[int, int]) -> None:
    """Write the new numbers of symbols where a section refers to them."""
    if section.kind in RELOCATION:
        width = RELOCATION[section.kind]
        for start in range(section.offset, section.offset + section.size, width):
            # The number of the symbol is the upper half of the second field.
            (old,) = struct.unpack_from("<I", changed, start + 12)
            struct.pack_into("<I", changed, start + 12, numbers[old])
    elif section.kind == GROUP:
        struct.pack_into("<I", changed, section.place + INFO, numbers[section.info])
    elif section.kind == ADDRESSES:
        # Linkers pass over a list of symbols that says of no table that it is about it.
        struct.pack_into("<I", changed, section.place + LINK, 0)
