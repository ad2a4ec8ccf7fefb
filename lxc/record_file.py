"""Records in files."""

from pathlib import Path

from lxc.errors import LxcError
from lxc.passes.records import NO_RECORDS, Records
from lxc.passes.records_text import LARGEST_FILE, records_from, records_text
from lxc.runtime.files import write_atomically


def read_records(path: Path | str) -> Records:
    """Return the records in a file, whoever wrote it."""
    try:
        with Path(path).open("rb") as stream:
            # One byte more shows that there are too many.
            contents = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise LxcError("LXC-E0002", f"cannot read {path}: {error.strerror}") from None
    return records_from(contents.decode("utf-8", "replace"), str(path))


def records_so_far(path: Path) -> Records:
    """Return the records in a file, none if it does not exist yet."""
    return read_records(path) if path.exists() else NO_RECORDS


def write_records(path: Path | str, records: Records) -> None:
    """Write records into a file, which is there as a whole or as it was."""
    try:
        write_atomically(Path(path), [records_text(records).encode()])
    except OSError as error:
        raise LxcError("LXC-E0002", f"cannot write {path}: {error.strerror}") from None


def given_records(given: Records | Path | str | None) -> Records:
    """Return what a caller gives: records, the file that they are in, or nothing."""
    if given is None:
        return NO_RECORDS
    return given if isinstance(given, Records) else read_records(given)
