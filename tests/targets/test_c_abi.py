"""The C face of a model: its header, its checks, its pool, and how it is linked."""

import ctypes
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from hypothesis import given, settings
from hypothesis import strategies as st

from lxc.errors import InternalError, LxcError
from lxc.runtime.signature import Dim, Group, Leaf, Signature
from lxc.targets.llvm import link
from lxc.targets.llvm.c_abi import Sources, exports, render
from lxc.targets.llvm.toolchain import find_toolchain
from lxc.tree import EMPTY, LEAF, flatten

ENTRIES = Path(__file__).parent.parent / "runtime" / "entries" / "toy.c"
PROGRAMS = Path(__file__).parent / "programs"
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wvla", "-Werror")
OK, ARGUMENT, NULL, ALIGNMENT, DIMENSION, OVERLAP, POOL, KERNEL = range(8)


def toy_signature(name: str = "toy") -> Signature:
    params = {"layer": {"bias": LEAF, "weight": LEAF}}
    state = {"norm": {"mean": LEAF, "training": False}, "count": LEAF}
    return Signature(
        name,
        "lux",
        "test",
        (Dim("N", 1, 64),),
        Group(LEAF, (Leaf("x", "float32", ("N", 4)),)),
        Group(
            flatten(params)[1],
            (Leaf("layer.bias", "float32", (4,)), Leaf("layer.weight", "float32", (4,))),
        ),
        Group(
            flatten(state)[1],
            (Leaf("norm.mean", "float32", (4,), frozen=True), Leaf("count", "int32", ())),
        ),
        Group(LEAF, (Leaf("y", "float32", ("N", 4)),)),
        (Leaf("one", "float32", (4,)),),
    )


def sources(name: str = "toy") -> Sources:
    return render(name, toy_signature(name), 16, 1024)


def compile_c(text: Path, folder: Path, *flags: str) -> bytes:
    output = folder / "compiled.o"
    command = ["cc", "-c", "-O2", "-fPIC", *flags, str(text), "-o", str(output)]
    subprocess.run(command, check=True)
    return output.read_bytes()


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return compile_c(ENTRIES, tmp_path_factory.mktemp("toy"), "-DNAME=toy")


@pytest.fixture(scope="module")
def library(code: bytes) -> bytes:
    return link.link_shared(code, sources(), "toy")


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


@pytest.mark.parametrize(("code", "words", "change"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_call_is_refused_and_writes_nothing(
    call: Call, code: int, words: str, change: Change
) -> None:
    y, count, mean = call.y.copy(), call.count_out.copy(), call.mean_out.copy()
    kept = (
        call.x,
        call.y,
        call.count_out,
        call.mean_out,
        call.mean,
        call.prepared,
        call.arena,
    )
    change(call)
    assert call.run() == code
    assert words in call.failure()
    np.testing.assert_array_equal(kept[1], y)
    np.testing.assert_array_equal(kept[2], count)
    np.testing.assert_array_equal(kept[3], mean)


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


def test_an_extent_is_computed_in_c_as_in_python(tmp_path: Path) -> None:
    shape = (("//", ("+", "N", -5), 2), ("+", ("*", "N", 3), 1))
    leaf = Leaf("z", "float32", (("+", shape[0], 2), shape[1]))
    x = Leaf("x", "float32", ("N",))
    group = Group(flatten([LEAF])[1], (x,))
    signature = Signature("dims", "lux", "test", (Dim("N", 1, 64),), group, Group(), Group(),
        Group(LEAF, (leaf,)))  # fmt: skip
    rendered = render("dims", signature, 0, 0)
    (tmp_path / "dims.h").write_text(rendered.header)
    program = tmp_path / "main.c"
    program.write_text(
        '#include "dims.h"\n#include <stdio.h>\nint main(void) {\n'
        "for (int n = 1; n <= 64; ++n)\n"
        'printf("%lld\\n", (long long)DIMS_OUTPUT_0_ELEMENTS(n)); }\n'
    )
    subprocess.run(
        ["cc", *WARNINGS, str(program), "-o", str(tmp_path / "main")], check=True
    )
    said = subprocess.run(
        [tmp_path / "main"], check=True, capture_output=True
    ).stdout.split()
    expected = [int(np.prod(leaf.shape_at({"N": n}))) for n in range(1, 65)]
    assert [int(number) for number in said] == expected


def test_a_negative_length_is_refused(tmp_path: Path) -> None:
    x = Leaf("x", "float32", ("N",))
    y = Leaf("y", "float32", (("+", "N", -2), ("+", "N", -2)))
    signature = Signature("toy", "lux", "test", (Dim("N", 1, 64),), Group(LEAF, (x,)),
        Group(), Group(), Group(LEAF, (y,)))  # fmt: skip
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


def build(folder: Path, program: str, code: bytes, *flags: str) -> Path:
    """Compile a C program together with the generated sources."""
    rendered = sources()
    (folder / "toy.h").write_text(rendered.header)
    (folder / "toy_support.c").write_text(rendered.source)
    (folder / "model.o").write_bytes(code)
    command = ["cc", "-std=c11", "-O1", "-g", *flags, *WARNINGS, f"-I{folder}"]
    command += [str(PROGRAMS / program), "toy_support.c", "model.o", "-lm", "-pthread"]
    subprocess.run([*command, "-o", "program"], cwd=folder, check=True)
    return folder / "program"


def test_a_short_c_program_prints_the_right_number(
    library: bytes, code: bytes, tmp_path: Path
) -> None:
    (tmp_path / "libtoy.so").write_bytes(library)
    (tmp_path / "toy.h").write_text(sources().header)
    command = ["cc", "-std=c99", *WARNINGS, f"-I{tmp_path}", str(PROGRAMS / "ten_lines.c")]
    command += [f"-L{tmp_path}", "-ltoy", f"-Wl,-rpath,{tmp_path}", "-o"]
    subprocess.run([*command, str(tmp_path / "program")], check=True)
    said = subprocess.run([tmp_path / "program"], check=True, capture_output=True).stdout
    assert said == b"0 0 2.5\n"


def test_the_header_is_right_in_cpp_as_well(tmp_path: Path) -> None:
    (tmp_path / "toy.h").write_text(sources().header)
    (tmp_path / "main.cc").write_text('#include "toy.h"\n#include "toy.h"\ntoy_call c;\n')
    command = ["c++", "-std=c++11", *WARNINGS[:4], "-Werror", "-fsyntax-only", "main.cc"]
    subprocess.run(command, cwd=tmp_path, check=True)


def test_the_source_compiles_without_a_warning(tmp_path: Path) -> None:
    rendered = sources()
    (tmp_path / "toy.h").write_text(rendered.header)
    (tmp_path / "toy_support.c").write_text(rendered.source)
    command = ["cc", "-std=c11", "-O2", *WARNINGS, "-c", "toy_support.c"]
    subprocess.run(command, cwd=tmp_path, check=True)


@pytest.mark.parametrize("sanitizer", ["thread", "address,undefined"])
def test_pool_and_checks_are_clean_under_sanitizers(
    code: bytes, tmp_path: Path, sanitizer: str
) -> None:
    object_code = compile_c(
        ENTRIES, tmp_path, "-DNAME=toy", "-g", f"-fsanitize={sanitizer}", "-O1"
    )
    flags = (f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all")
    program = build(tmp_path, "stress.c", object_code, *flags)
    finished = subprocess.run([program], capture_output=True, check=False, timeout=300)
    assert finished.returncode == 0, finished.stderr.decode()[-4000:]
    assert finished.stdout == b"0 wrong\n"


def test_a_forked_child_uses_the_pool(code: bytes, tmp_path: Path) -> None:
    finished = subprocess.run(
        [build(tmp_path, "fork.c", code)], capture_output=True, check=False, timeout=60
    )
    assert finished.stdout == b"10 children\n", finished.stderr.decode()
    assert finished.returncode == 0


def dynamic(library: bytes) -> tuple[set[str], set[str]]:
    """Return the libraries a library needs and the names it defines for others."""
    elf = ELFFile(BytesIO(library))
    needed = set()
    for section in elf.iter_sections():
        if isinstance(section, DynamicSection):
            needed |= {
                tag.needed for tag in section.iter_tags() if tag.entry.d_tag == "DT_NEEDED"
            }
    symbols = elf.get_section_by_name(".dynsym").iter_symbols()
    return needed, {s.name for s in symbols if s.name and s.entry.st_shndx != "SHN_UNDEF"}


def test_a_library_needs_the_c_library_only_and_exports_five_names(library: bytes) -> None:
    needed, names = dynamic(library)
    assert needed <= {
        "libc.so.6",
        "libm.so.6",
        "ld-linux-x86-64.so.2",
        "ld-linux-aarch64.so.1",
    }
    assert names == set(exports("toy"))
    assert len(names) == 5


def test_a_library_has_no_executable_stack_and_stays_loaded(library: bytes) -> None:
    elf = ELFFile(BytesIO(library))
    stacks = [s for s in elf.iter_segments() if s.header.p_type == "PT_GNU_STACK"]
    assert len(stacks) == 1
    assert stacks[0].header.p_flags & 1 == 0
    tags = {
        tag.entry.d_tag: tag.entry.d_val
        for section in elf.iter_sections()
        if isinstance(section, DynamicSection)
        for tag in section.iter_tags()
    }
    assert tags["DT_FLAGS_1"] & 0x8
    assert "DT_RUNPATH" not in tags
    assert "DT_RPATH" not in tags


def test_the_recorded_glibc_is_one_that_the_library_asks_for(library: bytes) -> None:
    version = link.needed_glibc(library)
    assert re.fullmatch(r"2\.\d+", version)
    assert f"GLIBC_{version}".encode() in library


def test_a_library_is_the_same_wherever_it_is_made(
    code: bytes, library: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    before = os.umask(0o077)
    try:
        assert link.link_shared(code, sources(), "toy") == library
        static = link.link_static(code, sources(), "toy")
    finally:
        os.umask(before)
    monkeypatch.undo()
    assert link.link_static(code, sources(), "toy") == static
    assert list(tmp_path.iterdir()) == []


def test_two_models_fit_into_one_static_program(tmp_path: Path) -> None:
    names = ("one", "two")
    for name in names:
        code = compile_c(ENTRIES, tmp_path, f"-DNAME={name}")
        made = link.link_static(code, sources(name), name)
        (tmp_path / f"{name}.o").write_bytes(made)
        (tmp_path / f"{name}.h").write_text(sources(name).header)
    calls = "".join(f'printf("%d ", (int){name}_abi_version());' for name in names)
    pools = "one_pool() != two_pool()"
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\n#include "one.h"\n#include "two.h"\n'
        f'int main(void) {{ {calls} printf("%d\\n", {pools}); return 0; }}\n'
    )
    command = ["cc", *WARNINGS, "main.c", "one.o", "two.o", "-lm", "-pthread", "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    said = subprocess.run([tmp_path / "main"], check=True, capture_output=True).stdout
    assert said == b"1 1 1\n"


SERVICES = [
    "__TVMBackendAllocWorkspace",
    "__TVMBackendParallelBarrier",
    "__TVMFFIFunctionCall",
]


@pytest.mark.parametrize("service", SERVICES)
def test_code_that_needs_another_service_is_not_linked(
    tmp_path: Path, service: str
) -> None:
    source = tmp_path / "entries.c"
    source.write_text(
        f"__attribute__((weak)) void (*{service})(void) = 0;\n"
        "int toy_entry_prepare(void) { return 0; }\n"
        f"int toy_entry_run(void) {{ {service}(); return 0; }}\n"
    )
    with pytest.raises(InternalError, match=service):
        link.link_shared(compile_c(source, tmp_path), sources(), "toy")


def test_code_without_an_entry_is_not_linked(tmp_path: Path) -> None:
    source = tmp_path / "entries.c"
    source.write_text("int toy_entry_run(void) { return 0; }\n")
    with pytest.raises(InternalError, match="toy_entry_prepare"):
        link.link_shared(compile_c(source, tmp_path), sources(), "toy")


def test_code_that_calls_an_unknown_function_is_not_linked(tmp_path: Path) -> None:
    source = tmp_path / "entries.c"
    source.write_text(
        "void elsewhere(void);\nint toy_entry_prepare(void) { return 0; }\n"
        "int toy_entry_run(void) { elsewhere(); return 0; }\n"
    )
    with pytest.raises(LxcError) as caught:
        link.link_shared(compile_c(source, tmp_path), sources(), "toy")
    assert caught.value.code == "LXC-E0302"
    assert "elsewhere" in str(caught.value.actual)


def test_a_missing_compiler_is_named_with_the_way_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LxcError) as caught:
        find_toolchain()
    assert caught.value.code == "LXC-E0301"
    assert "apt install gcc" in str(caught.value.hint)
    with pytest.raises(LxcError, match="riscv-cc"):
        find_toolchain("riscv-cc")


def test_the_compiler_says_who_it_is() -> None:
    assert re.search(r"\d+\.\d+", link.compiler_version())


HOSTILE = [
    '"; system("rm -rf /"); //',
    "*/ int evil; /*",
    "a\nb",
    "a\\\nb",
    "??/",
    "é",
    "9",
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_of_a_model_gives_a_header_that_compiles(
    name: str, tmp_path: Path
) -> None:
    rendered = render(name, toy_signature(), 16, 1024)
    (tmp_path / "model.h").write_text(rendered.header, encoding="ascii")
    (tmp_path / "main.c").write_text('#include "model.h"\nint main(void) { return 0; }\n')
    command = ["cc", *WARNINGS, "-fsyntax-only", "main.c"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert re.fullmatch(r"\w+_run", exports(name)[-1], re.ASCII)


@settings(max_examples=50)
@given(st.text(max_size=30))
def test_no_name_of_a_leaf_reaches_the_text_unless_it_is_a_path(name: str) -> None:
    signature = toy_signature()
    group = Group(flatten({"w": LEAF})[1], (Leaf(name, "float32", (4,)),))
    hostile = Signature("m", "lux", "test", signature.dims, signature.inputs, group,
        Group(EMPTY), signature.outputs)  # fmt: skip
    if name == "w":
        assert "params[0]: w" in render("m", hostile, 0, 0).header
        return
    with pytest.raises(LxcError):
        render("m", hostile, 0, 0)


def test_rendering_is_the_same_every_time() -> None:
    assert sources() == sources()
    assert "1024" in sources().header
