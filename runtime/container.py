"""The file format around the members of an artifact: a zip with exactly one legal form.

Members are stored uncompressed, sorted by name, with one fixed date; the data of each
starts at a multiple of 64 bytes. The bytes of such a file are a function of names and
contents, so a reader lays out the frame again from the directory and compares it with what
it finds: a byte in front, behind or between, a wrong flag, a duplicate, a second form of a
number are all refused. `zipfile` reads these files, but cannot lay out or compare a frame
without its data.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

from lxc.errors import LxcError

ALIGNMENT = 64
PADDING_FIELD = 0xD935
ZIP64_FIELD = 0x0001
DATE = (1 << 5) | 1  # 1980-01-01, the first date that a zip can hold
STORED_VERSION, ZIP64_VERSION = 20, 45
UNIX = 3 << 8
FILE_MODE = 0o100644 << 16
MARK = 0xFFFFFFFF
LIMIT = MARK  # numbers from here on are written in 64 bits
MOST_MEMBERS = 256
LARGEST_DIRECTORY = 1 << 18

LOCAL = struct.Struct("<4s5H3I2H")
CENTRAL = struct.Struct("<4s6H3I5H2I")
END = struct.Struct("<4s4H2IH")
END64 = struct.Struct("<4sQ2H2I4Q")
LOCATOR = struct.Struct("<4sIQI")
FIELD = struct.Struct("<2H")

Read = Callable[[int, int], bytes]
"""A reader of (offset, length); short at the end of the file."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One member: where its data starts, its length and its checksum."""

    name: str
    offset: int
    length: int
    crc: int


def pack(members: Mapping[str, bytes]) -> bytes:
    """Return the bytes of a container that holds `members`."""
    names = sorted(members)
    sizes = [(name, len(members[name]), crc32(members[name])) for name in names]
    parts: list[bytes] = []
    entries, headers, tail = frame(sizes)
    for entry, header in zip(entries, headers, strict=True):
        parts += [header, members[entry.name]]
    return b"".join([*parts, tail])


def frame(sizes: Sequence[tuple[str, int, int]]) -> tuple[list[Entry], list[bytes], bytes]:
    """Lay out members given as (name, length, checksum).

    Returned are the entries, the bytes in front of each one's data, and the bytes behind
    all of them.
    """
    entries, headers, directory, position = [], [], [], 0
    for name, length, crc in sizes:
        start = position
        header = local_header(name, length, crc, position)
        position += len(header)
        entries.append(Entry(name, position, length, crc))
        headers.append(header)
        directory.append(central_header(name, length, crc, start))
        position += length
    central = b"".join(directory)
    return entries, headers, central + end_records(len(entries), len(central), position)


def local_header(name: str, length: int, crc: int, position: int) -> bytes:
    """Return what stands in front of the data; its padding field aligns the data."""
    encoded, wide = name.encode("ascii"), wide_field(length, length)
    unpadded = position + LOCAL.size + len(encoded) + len(wide) + FIELD.size
    padding = -unpadded % ALIGNMENT
    extra = wide + FIELD.pack(PADDING_FIELD, padding) + bytes(padding)
    shown = narrow(length)
    fields = (version(wide), 0, 0, 0, DATE, crc, shown, shown, len(encoded), len(extra))
    return LOCAL.pack(b"PK\3\4", *fields) + encoded + extra


def central_header(name: str, length: int, crc: int, start: int) -> bytes:
    """Return the line of the directory for one member."""
    encoded, wide = name.encode("ascii"), wide_field(length, length, start)
    needed = version(wide)
    fields = (UNIX | needed, needed, 0, 0, 0, DATE, crc, narrow(length), narrow(length))
    rest = (len(encoded), len(wide), 0, 0, 0, FILE_MODE, narrow(start))
    return CENTRAL.pack(b"PK\1\2", *fields, *rest) + encoded + wide


def end_records(count: int, length: int, start: int) -> bytes:
    """Return what stands behind the directory, which begins at `start`."""
    end = END.pack(b"PK\5\6", 0, 0, count, count, length, narrow(start), 0)
    if start < LIMIT:
        return end
    needed = version(b"wide")
    fields = (END64.size - 12, UNIX | needed, needed, 0, 0, count, count, length, start)
    locator = LOCATOR.pack(b"PK\6\7", 0, start + length, 1)
    return END64.pack(b"PK\6\6", *fields) + locator + end


def narrow(number: int) -> int:
    """Return `number` for a field of 32 bits, or the mark that says to look further."""
    return number if number < LIMIT else MARK


def wide_field(*numbers: int) -> bytes:
    """Return the extra field with those numbers that are too large for 32 bits."""
    large = [number for number in numbers if number >= LIMIT]
    body = struct.pack(f"<{len(large)}Q", *large)
    return FIELD.pack(ZIP64_FIELD, len(body)) + body if large else b""


def version(wide: bytes) -> int:
    """Return the version of the zip format that a header needs."""
    return ZIP64_VERSION if wide else STORED_VERSION


def unpack(read: Read, size: int) -> dict[str, Entry]:
    """Return the members of the container of `size` bytes, after comparing its frame."""
    directory = read_directory(read, size)
    if [name for name, _, _ in directory] != sorted({name for name, _, _ in directory}):
        raise damaged("its members are not in order")
    entries, headers, tail = frame(directory)
    last = entries[-1].offset + entries[-1].length
    if last + len(tail) != size or read(last, len(tail)) != tail:
        raise damaged("its directory does not fit its members")
    for entry, header in zip(entries, headers, strict=True):
        if read(entry.offset - len(header), len(header)) != header:
            raise damaged(f"the header of {entry.name} is not as it was written")
    return {entry.name: entry for entry in entries}


def read_directory(read: Read, size: int) -> list[tuple[str, int, int]]:
    """Return name, length and checksum of each member, read from the end of the file."""
    if size < END.size or read(0, 4) != b"PK\3\4":
        raise LxcError("LXC-E0401", "the file is not an lxc artifact")
    magic, _, _, _, count, length, start, _ = END.unpack(read(size - END.size, END.size))
    if magic != b"PK\5\6" or not 0 < count <= MOST_MEMBERS or length > LARGEST_DIRECTORY:
        raise damaged("it does not end as an artifact does")
    position = size - END.size
    if start == MARK and size > END.size + LOCATOR.size + END64.size:
        position -= LOCATOR.size + END64.size
        start = END64.unpack(read(position, END64.size))[-1]
    if start + length != position:
        raise damaged("it is shorter or longer than when it was written")
    return list(directory_lines(read(start, length), count))


def directory_lines(directory: bytes, count: int) -> Iterator[tuple[str, int, int]]:
    """Yield name, length and checksum of the `count` lines of a directory."""
    position = 0
    for _ in range(count):
        if position + CENTRAL.size > len(directory):
            raise damaged("its directory is too short")
        fields = CENTRAL.unpack_from(directory, position)
        crc, length, name_length, wide_length = fields[7], fields[8], fields[10], fields[11]
        position += CENTRAL.size
        name = directory[position : position + name_length]
        position += name_length
        wide = directory[position : position + wide_length]
        position += wide_length
        if not name.isascii():
            raise damaged("the name of a member is not plain text")
        if length == MARK and len(wide) >= FIELD.size + 8:
            length = int.from_bytes(wide[FIELD.size : FIELD.size + 8], "little")
        yield name.decode("ascii"), length, crc


def damaged(problem: str) -> LxcError:
    """Return the error for a file that was an artifact, or pretends to be one."""
    return LxcError(
        "LXC-E0401",
        f"the artifact is damaged: {problem}",
        hint="copy or compile it again",
    )
