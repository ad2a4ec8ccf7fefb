"""Text from anywhere is refused with a code: too deep, too large, meant for terminals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lxc.errors import LxcError, printable
from lxc.ir.attribute_reader import unquote
from lxc.ir.lexer import LONGEST_SHOWN, tokens_of
from lxc.ir.parser import parse, parse_graph
from lxc.ir.types import LARGEST, TensorSpec
from lxc.ir.verify import verify
from lxc.structure import DEEPEST, quote

START = "graph @m lux {\n dim N: 1..2\n input %x: f32[2]\n "
MANY = 100_000
FIRST_BODY = '%y: f32[2] = layer(%x) {kind = ""} (%z: f32[2]) {\n'
NEXT_BODY = '%y: f32[2] = layer(%z) {kind = ""} (%z: f32[2]) {\n'


@pytest.mark.parametrize(
    "text",
    [
        *("tree outputs = " + bracket * MANY for bracket in "[("),
        "tree outputs = " + "{a: " * MANY,
        "input %y: f32[" + "(" * MANY,
        "input %y: f32[" + "-" * MANY,
        "%y: f32[2] = reverse(%x) {axes = " + "[" * MANY,
        # Thirty tokens a level.
        FIRST_BODY + NEXT_BODY * (MANY // 10),
    ],
    ids=["list", "tuple", "dict", "parentheses", "minus", "attribute", "body"],
)
def test_nesting_without_end_is_refused(text: str) -> None:
    with pytest.raises(LxcError, match="nested more than") as caught:
        parse(START + text)
    assert caught.value.code == "LXC-E0201"


@pytest.mark.parametrize(("levels", "fits"), [(DEEPEST, True), (DEEPEST + 1, False)])
def test_the_deepest_tree_and_size_are_read(levels: int, fits: bool) -> None:
    tree = f"tree outputs = {'[' * levels}*{']' * levels}"
    size = f"input %y: f32[{'(' * levels}3{')' * levels}]"
    for text in (tree, size):
        whole = f"{START}{text}\n return %x\n}}"
        if fits:
            assert parse_graph(whole).outputs
        else:
            with pytest.raises(LxcError, match="nested more than"):
                parse(whole)


def test_the_deepest_bodies_are_read_checked_and_printed() -> None:
    inner = f"%0: f32[2] = exp(%p{DEEPEST})"
    for level in range(DEEPEST, 0, -1):
        outer = f"%p{level - 1}" if level > 1 else "%x"
        head = f'%{level}: f32[2] = layer({outer}) {{kind = ""}} (%p{level}: f32[2])'
        inner = f"{head} {{ {inner} yield %{(level + 1) % (DEEPEST + 1)} }}"
    graph = parse(f"{START}{inner}\n return %1\n}}")
    verify(graph)
    assert str(parse(str(graph))) == str(graph)


@pytest.mark.parametrize(
    "text",
    [
        "input %y: f32[" + "9" * 5000 + "]",
        "input %y: f32[" + "*".join(["N"] * 17) + "]",
        "input %y: f32[" + "*".join(["9" * 20] * 300) + "]",
        "input %y: f32[N" + " // 2" * MANY + "]",
        "input %y: f32[" + "(" * 60 + "N" + " // 2)" * 60 + "]",
        "input %y: f32[N // 0]",
        "dim M: 1.." + "9" * 5000,
        "tree outputs = 0x1.8p+99999",
        "tree outputs = -" + "9" * 5000,
    ],
)
def test_numbers_and_sizes_without_measure_are_refused(text: str) -> None:
    with pytest.raises(LxcError) as caught:
        parse(f"{START}{text}\n return %x\n}}")
    assert caught.value.code == "LXC-E0201"


@pytest.mark.parametrize(
    ("dtype", "value"),
    [("i64", "9" * 39), ("u8", "-1"), ("i32", "inf"), ("f32", '"1"'), ("f32", "N")],
)
def test_a_constant_holds_only_what_its_type_can(dtype: str, value: str) -> None:
    attributes = f"dtype = {dtype}, shape = [], value = [{value}]"
    with pytest.raises(LxcError, match=f"not all of type {dtype}"):
        parse(f"{START}%0: {dtype}[] = constant() {{{attributes}}} return %0 }}")


def test_a_size_just_short_enough_is_read_and_bounded() -> None:
    size = "*".join(["N"] * 16)
    graph = parse_graph(f"{START}input %y: f32[{size}]\n return %x\n}}")
    assert graph.inputs[1].type.max_bytes == 4 * 2**16


@pytest.mark.parametrize("shape", [(2**63,), (2**40, 2**40), (-1,), (2**61, 2)])
def test_no_spec_stands_for_an_impossible_array(shape: tuple[int, ...]) -> None:
    with pytest.raises(LxcError) as caught:
        _ = TensorSpec(shape).type
    assert caught.value.code == "LXC-E0103"


def test_the_largest_spec_is_possible() -> None:
    assert TensorSpec((LARGEST,), "i8").type.max_bytes == LARGEST


@given(st.text(st.characters(codec="utf-8")))
def test_quoted_text_reads_back_and_holds_nothing_to_obey(text: str) -> None:
    quoted = quote(text)
    assert unquote(quoted) == text
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in quoted)
    assert [token.kind for token in tokens_of(quoted)] == ["string", "end"]


@pytest.mark.parametrize("inner", ["\x1b[2J", "\x00", "\x9b2J", "\t", r"\q", r"\x1", "\n"])
def test_a_string_with_a_control_character_is_refused(inner: str) -> None:
    with pytest.raises(LxcError, match="line 1: a string") as caught:
        tokens_of(f'"{inner}"')
    assert caught.value.code == "LXC-E0201"
    assert printable(str(caught.value)) == str(caught.value)


def test_an_escape_in_a_string_stays_an_escape_when_printed() -> None:
    text = f'{START}%y: f32[2] = exp(%x) at "\\x1b[2J"\n return %y\n}}'
    graph = parse_graph(text)
    assert graph.nodes[0].location.source == "\x1b[2J"
    assert "\x1b" not in str(graph)
    assert parse_graph(str(graph)).nodes[0].location == graph.nodes[0].location


def test_the_line_of_a_syntax_error_is_cleaned_and_cut() -> None:
    with pytest.raises(LxcError) as caught:
        parse("graph @m lux { ; \x1b[2J" + "x" * MANY)
    assert caught.value.actual is not None
    assert "\\x1b[2J" in caught.value.actual
    assert len(caught.value.actual) < LONGEST_SHOWN + 20
