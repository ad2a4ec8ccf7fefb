"""Objects and libraries in the format ELF, for 64 bits, smallest byte first.

Every target that is linked has this form of it, whatever toolchain made the file: what is
to be known of one is read here, so that no tool for it has to be installed.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from lxc.errors import InternalError

MAGIC = b"\x7fELF\x02\x01\x01"
SECTION, SYMBOL, DYNAMIC = "<2I4Q2I2Q", "<I2BH2Q", "<qQ"
HEADER = "<16xHHIQQQIHHHHHH"
NEED, VERSION = "<2H3I", "<I2H2I"
SYMBOL_TABLE, DYNAMIC_TABLE, NEEDED_VERSIONS = 2, 6, 0x6FFFFFFE
DT_NEEDED, DT_RPATH, DT_RUNPATH = 1, 15, 29
LOCAL, UNDEFINED = 0, 0


@dataclass(frozen=True, slots=True)
class Section:
    """The header of a section; `place` is where the header lies in the file."""

    place: int
    kind: int
    offset: int
    size: int
    link: int
    info: int
    entry: int


@dataclass(frozen=True, slots=True)
class Symbol:
    """An entry of the table of symbols, and its number there."""

    number: int
    name: str
    is_local: bool
    is_defined: bool


@dataclass(frozen=True)
class Elf:
    """A file in the format ELF."""

    data: bytes

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The sections in their order."""
        if not self.data.startswith(MAGIC):
            raise InternalError("linking", "the linked file is not ELF for 64 bits")
        fields = struct.unpack_from(HEADER, self.data)
        start, width, count = fields[5], fields[10], fields[11]
        return tuple(self.section(start + width * place) for place in range(count))

    def section(self, place: int) -> Section:
        """Return the section whose header is there."""
        fields = struct.unpack_from(SECTION, self.data, place)
        _, kind, _, _, offset, size, link, info, _, entry = fields
        return Section(place, kind, offset, size, link, info, entry)

    def of_kind(self, kind: int) -> list[Section]:
        """Return the sections of a kind."""
        return [section for section in self.sections if section.kind == kind]

    def text(self, table: int, offset: int) -> str:
        """Return a name out of the section number `table`."""
        start = self.sections[table].offset + offset
        return self.data[start : self.data.index(b"\0", start)].decode("utf-8", "replace")

    def entries(self, section: Section, form: str) -> Iterator[tuple[int, ...]]:
        """Yield the entries of a section that is a table."""
        rows = self.data[section.offset : section.offset + section.size]
        return struct.iter_unpack(form, rows)

    def symbols(self) -> list[Symbol]:
        """Return the symbols of an object."""
        found = []
        for table in self.of_kind(SYMBOL_TABLE):
            rows = enumerate(self.entries(table, SYMBOL))
            for number, (name, info, _, section, _, _) in rows:
                text = self.text(table.link, name)
                found.append(Symbol(number, text, info >> 4 == LOCAL, section != UNDEFINED))
        return found

    def public(self) -> dict[str, bool]:
        """Return the global symbols of an object, and whether each is defined there."""
        return {one.name: one.is_defined for one in self.symbols() if not one.is_local}

    def dynamic(self, *tags: int) -> list[str]:
        """Return the names that a library has under tags of its dynamic section."""
        return [
            self.text(table.link, value)
            for table in self.of_kind(DYNAMIC_TABLE)
            for tag, value in self.entries(table, DYNAMIC)
            if tag in tags
        ]

    def versions(self) -> list[str]:
        """Return the versions of symbols that a library needs, such as `GLIBC_2.34`."""
        return [
            self.text(table.link, name)
            for table in self.of_kind(NEEDED_VERSIONS)
            for name in self.version_names(table)
        ]

    def version_names(self, table: Section) -> Iterator[int]:
        """Yield where the names are of the versions in a table: a list of lists."""
        place = table.offset
        for _ in range(table.info):
            _, count, _, first, following = struct.unpack_from(NEED, self.data, place)
            entry = place + first
            for _ in range(count):
                _, _, _, name, after = struct.unpack_from(VERSION, self.data, entry)
                yield name
                entry += after
            place += following
