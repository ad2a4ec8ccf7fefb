"""Records as a file holds them: JSON with a closed schema, written in one way only."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from lxc.errors import LxcError
from lxc.passes.records import KEY_DIGITS, Record, Records

FORMAT = 1
LARGEST_FILE = 4 << 20
MOST_RECORDS = 16384
MOST_TIMES = 64
LONGEST_LINE = 4096
KEY = re.compile(rf"[0-9a-f]{{{KEY_DIGITS}}}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.+-]{0,63}")


def records_text(records: Records) -> str:
    """Return the one text of some records."""
    value = {
        "format": FORMAT,
        "measured_on": dict(records.measured_on),
        "records": {key: one.to_json() for key, one in records.entries.items()},
        "settled": sorted(records.settled),
    }
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n"


def digest_of(records: Records) -> str:
    """Return the SHA-256 of the text of some records."""
    return hashlib.sha256(records_text(records).encode()).hexdigest()


def records_from(text: str, source: str) -> Records:
    """Read a text that may be hostile; errors name the `source` that it is from."""
    if len(text) > LARGEST_FILE:
        raise refusal(source, f"there are more than {LARGEST_FILE} characters")
    try:
        value = json.loads(text, object_pairs_hook=without_duplicates)
        return checked(value, source)
    except (RecursionError, ValueError) as problem:
        said = str(problem) if isinstance(problem, Unfit) else "it is no JSON"
        raise refusal(source, said) from None


class Unfit(ValueError):
    """What is wrong with a part of the text."""


def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs of a JSON object as a dict, or raise for a key that is repeated."""
    result = dict(pairs)
    if len(result) < len(pairs):
        raise Unfit("a key is repeated")
    return result


def refusal(source: str, problem: str) -> LxcError:
    """Return the error for a text that holds no records."""
    return LxcError(
        "LXC-E0307",
        f"{source} holds no records of tuning: {problem}",
        hint="lxc compile --tune with the name of a new file measures again",
    )


def checked(value: Any, source: str) -> Records:
    """Return the records that parsed JSON holds; nothing is guessed."""
    version = value.get("format") if isinstance(value, dict) else None
    if type(version) is int and version > FORMAT:
        raise LxcError(
            "LXC-E0307",
            f"{source} was written in a newer format than this lxc reads",
            expected=f"format {FORMAT}",
            actual=f"format {version}",
            hint="upgrade lxc",
        )
    if type(version) is not int or version != FORMAT:
        raise Unfit("it names no format")
    fields = closed(value, ("format", "measured_on", "records", "settled"))
    settled = fields["settled"]
    if not isinstance(settled, list) or len(settled) > MOST_RECORDS:
        raise Unfit("settled is no list of a fitting length")
    return Records(
        mapping(fields["records"], KEY, MOST_RECORDS, record),
        frozenset(fitting(key, KEY) for key in settled),
        mapping(fields["measured_on"], NAME, MOST_TIMES, line),
    )


def record(value: Any) -> Record:
    """Return one record."""
    fields = closed(value, Record.__dataclass_fields__)
    return Record(
        fitting(fields["about"], NAME),
        fitting(fields["machine"], NAME),
        line(fields["line"]),
        fitting(fields["choice"], NAME),
        fitting(fields["modelled"], NAME),
        mapping(fields["nanoseconds"], NAME, MOST_TIMES, time),
    )


def closed(value: Any, keys: Any) -> dict[str, Any]:
    """Return `value` if it is an object with exactly these keys."""
    if not isinstance(value, dict) or value.keys() != {*keys}:
        raise Unfit(f"an object has other fields than {', '.join(sorted(keys))}")
    return value


def mapping(
    value: Any, pattern: re.Pattern[str], most: int, read: Callable[[Any], Any]
) -> Mapping[str, Any]:
    """Return an object of at most `most` entries, each read by `read`, in their order."""
    if not isinstance(value, dict) or len(value) > most:
        raise Unfit(f"there is no object of at most {most} entries where one belongs")
    return {fitting(key, pattern): read(value[key]) for key in sorted(value)}


def fitting(value: Any, pattern: re.Pattern[str]) -> str:
    """Return a string that fits a pattern."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Unfit(f"{str(value)[:40]!r} is not written as it would have to be")
    return value


def line(value: Any) -> str:
    """Return a line of text for people."""
    printable = isinstance(value, str) and len(value) <= LONGEST_LINE
    if not printable or not value.isprintable():
        raise Unfit("a text is too long or holds what cannot be printed")
    return str(value)


def time(value: Any) -> int:
    """Return a number of nanoseconds."""
    if type(value) is not int or not 0 < value < 1 << 53:
        raise Unfit("a time is no number of nanoseconds")
    return value
