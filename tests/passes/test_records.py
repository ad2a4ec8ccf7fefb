"""Records: an input of compilations, read from files that may come from anywhere."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lxc.errors import LxcError
from lxc.ir.builder import make_node
from lxc.ir.dim import Dim, Size
from lxc.ir.node import Location, Node, Value
from lxc.ir.ops.arithmetic import add
from lxc.ir.types import DType, TensorType
from lxc.passes.choices import Choices
from lxc.passes.records import NO_RECORDS, Answer, Record, Records, Subject, subject_of
from lxc.passes.records_text import (
    LARGEST_FILE,
    MOST_TIMES,
    digest_of,
    records_from,
    records_text,
)
from lxc.record_file import read_records, records_so_far, write_records
from lxc.targets import TARGETS

MACHINE = TARGETS["x86-64-v3"].machine
SUBJECT = Subject("tiles", "x86-64-v3", "dot(f32[2]) -> f32[3]", "0" * 32)
OPTIONS = ("6x4", "8x3", "12x2")
RECORD = Record(
    "tiles", "x86-64-v3", SUBJECT.line, "8x3", "6x4", {"6x4": 1500, "8x3": 1200}
)
KNOWN = Records({SUBJECT.key: RECORD}, frozenset(["f" * 32]), {"threads": "1"})


def node(size: Size | Dim, layer: str = "") -> Node:
    """Return a node that adds two values."""
    kind = TensorType(DType.F32, (size + 0, 4))
    location = Location((layer,)) if layer else Location()
    return make_node(add, (Value(kind), Value(kind)), {}, (), location)


def test_a_record_decides_and_tells_its_times() -> None:
    answer = KNOWN.answer(SUBJECT, OPTIONS)
    assert (answer.taken, answer.place, answer.is_tuned) == ("8x3", 1, True)
    assert answer.reason == "tuned: measured 1.2 us for 8x3, 1.5 us for 6x4"


def test_without_a_record_the_first_option_is_taken() -> None:
    answer = NO_RECORDS.answer(SUBJECT, OPTIONS)
    assert (answer.taken, answer.is_tuned, answer.reason) == ("6x4", False, "")


def test_a_record_of_an_option_that_is_gone_is_told_but_not_followed() -> None:
    answer = KNOWN.answer(SUBJECT, ("6x4", "12x2"))
    assert (answer.taken, answer.is_tuned) == ("6x4", False)
    assert answer.reason == "the record asks for 8x3, which is no way any more"
    assert not KNOWN.knows(answer)


def test_what_was_measured_is_known_until_the_options_change() -> None:
    answer = NO_RECORDS.answer(SUBJECT, OPTIONS)
    assert not NO_RECORDS.knows(answer)
    settled = NO_RECORDS.with_settled(answer)
    assert settled.knows(answer)
    assert not settled.knows(NO_RECORDS.answer(SUBJECT, OPTIONS[:2]))
    found = settled.with_record(answer, RECORD)
    assert found.settled == frozenset()
    assert found.knows(found.answer(SUBJECT, OPTIONS))
    assert found.with_settled(answer).entries == {}


def test_equal_work_is_one_subject_wherever_it_stands() -> None:
    one, two = node(3, "layer_1"), node(3, "layer_2")
    first = subject_of("tiles", one, (), MACHINE)
    assert first == subject_of("tiles", two, (), MACHINE)
    assert first.line == "add(f32[3, 4], f32[3, 4]) -> f32[3, 4]"


def test_other_work_is_another_subject() -> None:
    wide = replace(MACHINE, lanes=4)
    few, many = Dim("N", 1, 8), Dim("N", 1, 64)
    subjects = [
        subject_of("tiles", node(3), (), MACHINE),
        subject_of("algorithm", node(3), (), MACHINE),
        subject_of("tiles", node(4), (), MACHINE),
        subject_of("tiles", node(3), (), wide),
        subject_of("tiles", node(few), (few,), MACHINE),
        subject_of("tiles", node(many), (many,), MACHINE),
    ]
    assert len({one.key for one in subjects}) == len(subjects)
    assert subject_of("tiles", node(3), (many,), MACHINE) == subjects[0]


def test_records_survive_their_file(tmp_path: Path) -> None:
    path = tmp_path / "records.json"
    assert records_so_far(path) == NO_RECORDS
    write_records(path, KNOWN)
    assert read_records(path) == KNOWN
    assert path.read_text("ascii") == records_text(KNOWN)
    assert [one.name for one in tmp_path.iterdir()] == ["records.json"]


def test_the_text_does_not_depend_on_the_order_of_finding() -> None:
    other = Record("algorithm", "x86-64-v3", "conv", "direct", "direct", {})
    pairs = [(SUBJECT.key, RECORD), ("1" * 32, other)]
    one, two = Records(dict(pairs)), Records(dict(reversed(pairs)))
    assert records_text(one) == records_text(two)
    assert digest_of(one) == digest_of(two)
    assert digest_of(one) != digest_of(KNOWN)


def test_the_manifest_names_the_digest_only_where_there_are_records() -> None:
    assert "records" not in Choices().to_json()
    assert Choices(records=KNOWN).to_json()["records"] == digest_of(KNOWN)


def changed(*path: str, value: Any) -> str:
    """Return the text of records with one thing in it replaced; None removes it."""
    whole = json.loads(records_text(KNOWN))
    *outer, last = path
    place = whole
    for key in outer:
        place = place[key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return json.dumps(whole)


ONE = ("records", SUBJECT.key)
HOSTILE = {
    "empty": "",
    "no-json": "{",
    "deep": "[" * 100_000,
    "number": "7",
    "nan": changed("settled", value=[]).replace("1200", "NaN"),
    "no-format": changed("format", value=None),
    "format-of-text": changed("format", value="1"),
    "format-zero": changed("format", value=0),
    "newer": changed("format", value=2),
    "unknown-key": changed("colour", value="red"),
    "lacks-settled": changed("settled", value=None),
    "settled-is-text": changed("settled", value="ff"),
    "settled-odd": changed("settled", value=["zz"]),
    "records-is-list": changed("records", value=[]),
    "key-too-short": changed("records", "00", value={}),
    "record-lacks-choice": changed(*ONE, "choice", value=None),
    "record-knows-more": changed(*ONE, "command", value="rm"),
    "choice-is-number": changed(*ONE, "choice", value=6),
    "choice-with-escape": changed(*ONE, "choice", value="\x1b[2J"),
    "choice-too-long": changed(*ONE, "choice", value="6" * 65),
    "line-with-escape": changed(*ONE, "line", value="\x1b[2J"),
    "line-too-long": changed(*ONE, "line", value="x" * 4097),
    "time-negative": changed(*ONE, "nanoseconds", "6x4", value=-1),
    "time-of-bool": changed(*ONE, "nanoseconds", "6x4", value=True),
    "time-huge": changed(*ONE, "nanoseconds", "6x4", value=1 << 60),
    "time-of-float": changed(*ONE, "nanoseconds", "6x4", value=1.5),
    "times-too-many": changed(
        *ONE, "nanoseconds", value={f"{n}x1": 1 for n in range(MOST_TIMES + 1)}
    ),
    "repeated-key": records_text(KNOWN).replace('"format": 1', '"format": 1, "format": 1'),
    "too-large": " " * (LARGEST_FILE + 1),
    "endless-number": changed("format", value=1).replace("1200", "1" * 10_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_text_that_breaks_a_rule_is_refused(name: str) -> None:
    with pytest.raises(LxcError) as caught:
        records_from(HOSTILE[name], "here.json")
    assert caught.value.code == "LXC-E0307"
    assert "here.json" in caught.value.summary


def test_the_unchanged_text_is_taken() -> None:
    assert records_from(changed("format", value=1), "here.json") == KNOWN


def test_a_file_that_cannot_be_read_or_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LxcError, match="LXC-E0002"):
        read_records(tmp_path / "none.json")
    with pytest.raises(LxcError, match="LXC-E0002"):
        write_records(tmp_path / "none" / "r.json", KNOWN)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(LxcError, match="LXC-E0307"):
        read_records(tmp_path / "bytes.json")


def test_an_answer_needs_its_subject_only() -> None:
    other = Answer(replace(SUBJECT, key="2" * 32), OPTIONS, None)
    assert KNOWN.answer(other.subject, OPTIONS) == other
