"""The C face of a model: its header, its checks, its pool, and how it is linked."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc.runtime.signature import Dim, Group, Leaf, Signature
from lxc.structure import LEAF
from lxc.targets.llvm import link
from lxc.targets.llvm.c_abi import render
from tests.targets.toy import compile_c

OK, ARGUMENT, NULL, ALIGNMENT, DIMENSION, OVERLAP, POOL, KERNEL = range(8)


def signature_of(name: str, x: Group, y: Group) -> Signature:
    return Signature(name, "lux", "test", (Dim("N", 1, 64),), x, Group(), Group(), y)


@dataclass
class Call:
    """A C call on tables of arrays, each of which a test may change."""

    library: ctypes.CDLL

    def __post_init__(self) -> None:
        self.x = np.ones((3, 4), np.float32)
        self.params: list[Any] = [np.ones(4, np.float32) for _ in range(3)]
        self.mean = np.zeros(4, np.float32)
        self.mean_out = np.full(4, 9, np.float32)
        self.count = np.array([5], np.int32)
        self.count_out = np.array([0], np.int32)
        self.y = np.zeros((3, 4), np.float32)
        memory = np.zeros(2048 + 64, np.uint8)
        self.memory = memory[-memory.ctypes.data % 64 :]
        self.prepared, self.arena = self.memory[:16], self.memory[64 : 64 + 1024]
        self.dims = np.array([3], np.int64)
        self.size, self.flags, self.threads, self.reserved, self.pool = 0, 0, 0, 0, 0

    def tables(self) -> dict[str, list[Any]]:
        return {
            "inputs": [self.x],
            "params": self.params,
            "state_in": [self.mean, self.count],
            "state_out": [self.mean_out, self.count_out],
            "outputs": [self.y],
        }

    def struct(self, kind: str, tables: list[Any]) -> Any:
        fields = [table(entries) for entries in tables]
        size = self.size or 16 + 8 * len(fields) + 16
        head = size | self.flags << 32
        tail = [pointer(self.dims), self.pool, self.threads | self.reserved << 32]
        addresses = [f if isinstance(f, int) else ctypes.addressof(f) for f in fields]
        values = [head, *addresses, *tail]
        made = (ctypes.c_int64 * len(values))(*values)
        return getattr(self.library, f"toy_{kind}")(ctypes.byref(made))

    def prepare(self) -> int:
        t = self.tables()
        return int(self.struct("prepare", [t["params"], t["state_in"], self.prepared]))

    def run(self, **missing: Any) -> int:
        tables = {**self.tables(), **missing}
        return int(self.struct("run", [*tables.values(), self.prepared, self.arena]))

    def failure(self) -> str:
        said: bytes = self.library.toy_last_error()
        return said.decode()


def pointer(value: Any) -> int:
    if value is None:
        return 0
    return value if isinstance(value, int) else int(value.ctypes.data)


def table(entries: Any) -> Any:
    if not isinstance(entries, list):
        return pointer(entries)
    return (ctypes.c_int64 * max(len(entries), 1))(*map(pointer, entries))


@pytest.fixture
def call(library: bytes, tmp_path: Path) -> Call:
    path = tmp_path / f"lib{tmp_path.name}.so"
    path.write_bytes(library)
    loaded = ctypes.CDLL(str(path))
    loaded.toy_last_error.restype = ctypes.c_char_p
    loaded.toy_pool.restype = ctypes.c_void_p
    made = Call(loaded)
    assert made.prepare() == OK
    return made


def test_a_call_writes_outputs_and_state(call: Call) -> None:
    assert call.run() == OK
    np.testing.assert_array_equal(call.y, np.full((3, 4), 3, np.float32))
    assert call.count_out[0] == 8
    np.testing.assert_array_equal(call.mean_out, call.mean)


def test_state_may_be_updated_in_place(call: Call) -> None:
    call.count_out, call.mean_out = call.count, call.mean
    assert call.run() == OK
    assert call.count[0] == 8


def test_frozen_state_need_not_come_out(call: Call) -> None:
    call.mean_out = None  # type: ignore[assignment]
    assert call.run() == OK


def shift(array: Any, offset: int) -> int:
    return pointer(array) + offset


Change = Callable[[Call], object]
WRONG: dict[str, tuple[int, str, Change]] = {
    "size": (ARGUMENT, "size", lambda c: setattr(c, "size", 8)),
    "flags": (ARGUMENT, "flags", lambda c: setattr(c, "flags", 1)),
    "threads": (ARGUMENT, "threads", lambda c: setattr(c, "threads", 0xFFFFFFFF)),
    "reserved": (ARGUMENT, "reserved", lambda c: setattr(c, "reserved", 1)),
    "input NULL": (NULL, "input x", lambda c: setattr(c, "x", None)),
    "constant NULL": (NULL, "one", lambda c: c.params.__setitem__(2, None)),
    "state NULL": (NULL, "state norm.mean", lambda c: setattr(c, "mean", None)),
    "state out NULL": (NULL, "state count", lambda c: setattr(c, "count_out", None)),
    "output NULL": (NULL, "output y", lambda c: setattr(c, "y", None)),
    "prepared NULL": (NULL, "prepared", lambda c: setattr(c, "prepared", None)),
    "arena NULL": (NULL, "arena", lambda c: setattr(c, "arena", None)),
    "dims NULL": (NULL, "dimensions", lambda c: setattr(c, "dims", None)),
    "input alignment": (ALIGNMENT, "input x", lambda c: setattr(c, "x", shift(c.x, 1))),
    "state alignment": (
        ALIGNMENT,
        "state count",
        lambda c: setattr(c, "count_out", shift(c.count_out, 2)),
    ),
    "arena alignment": (
        ALIGNMENT,
        "arena",
        lambda c: setattr(c, "arena", shift(c.arena, 32)),
    ),
    "prepared alignment": (
        ALIGNMENT,
        "prepared",
        lambda c: setattr(c, "prepared", shift(c.prepared, 16)),
    ),
    "dim too small": (DIMENSION, "N is 0", lambda c: setattr(c, "dims", np.array([0]))),
    "dim too large": (DIMENSION, "N is 65", lambda c: setattr(c, "dims", np.array([65]))),
    "output on input": (OVERLAP, "input x", lambda c: setattr(c, "y", c.x)),
    "output at the end of input": (
        OVERLAP,
        "output y, which is written, overlaps input x",
        lambda c: setattr(c, "y", shift(c.x, 44)),
    ),
    "output on param": (OVERLAP, "layer.weight", lambda c: setattr(c, "y", c.params[1])),
    "output on state in": (OVERLAP, "state count", lambda c: setattr(c, "y", c.count)),
    "output on state out": (OVERLAP, "output y", lambda c: setattr(c, "y", c.count_out)),
    "output on prepared": (OVERLAP, "prepared", lambda c: setattr(c, "y", c.prepared)),
    "output in arena": (OVERLAP, "arena", lambda c: setattr(c, "y", shift(c.arena, 64))),
    "arena on prepared": (OVERLAP, "arena", lambda c: setattr(c, "arena", c.prepared)),
    "frozen on input": (OVERLAP, "input x", lambda c: setattr(c, "mean_out", c.x)),
    "frozen on count": (OVERLAP, "count", lambda c: setattr(c, "mean_out", c.count)),
    "state in crosswise": (
        OVERLAP,
        "state norm.mean",
        lambda c: setattr(c, "count_out", c.mean),
    ),
    "state shifted": (
        OVERLAP,
        "state norm.mean",
        lambda c: setattr(c, "mean_out", shift(c.mean, 4)),
    ),
}


@pytest.mark.parametrize(("status", "words", "change"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_call_is_refused_and_writes_nothing(
    call: Call, status: int, words: str, change: Change
) -> None:
    watched = (call.y, call.count_out, call.mean_out)
    before = [array.tobytes() for array in watched]
    alive = (call.x, call.mean, call.prepared, call.arena, call.params.copy())
    change(call)
    assert call.run() == status, alive
    assert words in call.failure()
    assert [array.tobytes() for array in watched] == before


@pytest.mark.parametrize("name", ["inputs", "params", "state_in", "state_out", "outputs"])
def test_a_missing_table_is_refused(call: Call, name: str) -> None:
    assert call.run(**{name: None}) == NULL


def test_a_null_call_is_refused(call: Call) -> None:
    assert call.library.toy_run(None) == NULL
    assert call.library.toy_prepare(None) == NULL


def test_neighbours_do_not_overlap(call: Call) -> None:
    block = np.zeros((6, 4), np.float32)
    call.x, call.y = block[:3], block[3:]
    assert call.run() == OK
    call.x, call.y = block[3:], block[:3]
    assert call.run() == OK


def test_prepare_checks_its_call_too(call: Call) -> None:
    call.prepared = call.params[0]
    assert call.prepare() in (ALIGNMENT, OVERLAP)
    call.prepared = None  # type: ignore[assignment]
    assert call.prepare() == NULL


def test_prepare_does_not_read_state_that_changes(call: Call) -> None:
    call.count = None  # type: ignore[assignment]
    assert call.prepare() == OK


def test_prepared_on_a_param_is_refused(call: Call) -> None:
    call.params[1] = call.prepared
    assert call.prepare() == OVERLAP
    assert "layer.weight" in call.failure()


def test_a_failure_of_compiled_code_is_reported(call: Call) -> None:
    call.x[0, 0] = -1
    assert call.run() == KERNEL
    assert "3" in call.failure()
    call.x[0, 0] = 1
    assert call.run() == OK


def test_a_pool_of_another_version_is_refused(call: Call) -> None:
    own = (ctypes.c_uint32 * 8).from_address(call.library.toy_pool())
    copy = (ctypes.c_uint32 * 8)(*own)
    call.pool = ctypes.addressof(copy)
    assert call.run() == OK
    copy[1] += 1
    assert call.run() == POOL


def test_a_negative_length_is_refused(tmp_path: Path) -> None:
    x = Leaf("x", "float32", ("N",))
    y = Leaf("y", "float32", (("+", "N", -2), ("+", "N", -2)))
    signature = signature_of("toy", x=Group(LEAF, (x,)), y=Group(LEAF, (y,)))
    source = tmp_path / "entries.c"
    source.write_text(
        "int toy_entry_prepare(void) { return 0; }\nint toy_entry_run(void) { return 0; }\n"
    )
    made = link.link_shared(
        compile_c(source, tmp_path), render("toy", signature, 0, 0), "toy"
    )
    (tmp_path / "libnegative.so").write_bytes(made)
    call = Call(ctypes.CDLL(str(tmp_path / "libnegative.so")))
    call.params = []
    state: dict[str, Any] = {"state_in": [], "state_out": []}
    call.dims = np.array([1])
    assert call.run(**state) == DIMENSION
    call.dims = np.array([3])
    assert call.run(**state) == OK
