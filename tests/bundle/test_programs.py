"""Programs in C around bundles: what they print, what they need, what they are refused."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

from lxc.bundling import Brought
from lxc.ir.evaluate import evaluate
from lxc.runtime.checkpoint import decode, encode
from lxc.tree import flatten
from tests.bundle.conftest import (
    PROGRAMS,
    STATIC,
    Made,
    Traced,
    build,
    printed,
    shared,
)
from tests.bundle.models import kinds_bundle

LARGEST_CODE = 200_000
HEAP = {"malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign"}


@pytest.mark.parametrize("brought", ["separate", "embed"])
def test_the_example_prints_what_the_model_computes(
    brought: Brought, made: Made, digits: Traced, tmp_path: Path
) -> None:
    folder = made(brought)
    source = folder / "example.c"
    dynamic = build(folder, source, tmp_path / "dynamic", *shared(folder, "digits"))
    static = build(folder, source, tmp_path / "static", "libdigits.a", *STATIC)
    said = printed(dynamic, cwd=folder)
    assert printed(static, cwd=folder) == said
    name, *numbers = said.split()
    x = (np.arange(128) % 8 / 8).astype(np.float32).reshape(2, 1, 8, 8)
    leaves = flatten(digits.ps)[0], flatten(digits.st)[0]
    (exact,), _ = evaluate(digits.graph, [x], *leaves, wide=True)
    assert name == "y:"
    np.testing.assert_allclose(np.array(numbers, float), exact[0], rtol=0, atol=2e-5)


def test_an_example_that_brings_its_own_parameters_runs(made: Made, tmp_path: Path) -> None:
    folder = made("none")
    source, output = folder / "example.c", tmp_path / "example"
    said = printed(build(folder, source, output, *shared(folder, "digits")))
    assert len(said.split()) == 11
    assert not list(folder.glob("*.safetensors"))
    assert "digits_init" not in (folder / "digits.h").read_text()


def test_values_of_every_type_agree_with_their_references(
    kinds: Path, tmp_path: Path
) -> None:
    program = build(kinds, kinds / "example.c", tmp_path / "kinds", *shared(kinds, "kinds"))
    lines = dict(line.split(":", 1) for line in printed(program).splitlines())
    assert lines["y.i64"].split() == ["0", "2", "4", "6", "8", "10"]
    assert lines["y.far"].split()[:2] == ["-inf", "-2.07944155"]


@pytest.mark.parametrize("static", [False, True])
def test_two_bundles_live_in_one_program(
    static: bool, made: Made, kinds: Path, tmp_path: Path
) -> None:
    folder = made("separate")
    link: tuple[str, ...] = (f"{folder}/libdigits.a", f"{kinds}/libkinds.a", *STATIC)
    if not static:
        link = (*shared(folder, "digits"), *shared(kinds, "kinds"))
    program = build(folder, PROGRAMS / "two.c", tmp_path / "two", f"-I{kinds}", *link)
    assert printed(program, folder / "digits.safetensors") == "0 0 1\n"


def sizes(library: bytes) -> dict[str, int]:
    """Return the size of every section that is loaded."""
    sections = ELFFile(BytesIO(library)).iter_sections()
    return {s.name: s.data_size for s in sections if s.header.sh_flags & 2}


def test_code_is_small_and_needs_the_c_library_only(made: Made) -> None:
    for brought in ("separate", "embed", "none"):
        library = (made(brought) / "libdigits.so").read_bytes()
        found = sizes(library)
        code = sum(found.values()) - found.get(".lxc_values", 0)
        print(f"{brought}: {code} bytes of code, {found.get('.lxc_values', 0)} of values")
        assert 10_000 < code < LARGEST_CODE
        tags = ELFFile(BytesIO(library)).get_section_by_name(".dynamic")
        assert isinstance(tags, DynamicSection)
        needed = {tag.needed for tag in tags.iter_tags("DT_NEEDED")}
        assert needed <= {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}
        assert [tag.soname for tag in tags.iter_tags("DT_SONAME")] == ["libdigits.so"]


def test_no_code_of_a_bundle_takes_memory_from_the_heap(made: Made) -> None:
    said = printed("nm", "--undefined-only", made("separate") / "libdigits.a")
    wanted = {line.split()[-1] for line in said.splitlines() if " U " in line}
    assert {"mmap", "munmap"} <= wanted
    assert wanted & HEAP == set()
    assert not any(name.startswith(("_Z", "TVM", "__TVM")) for name in wanted)


@pytest.mark.parametrize("brought", ["separate", "embed"])
def test_calls_ask_nothing_of_the_heap(
    brought: Brought, made: Made, tmp_path: Path
) -> None:
    folder = made(brought)
    link = shared(folder, "digits")
    program = build(folder, PROGRAMS / "heap.c", tmp_path / "heap", *link)
    file = [folder / "digits.safetensors"] if brought == "separate" else []
    assert printed(program, *file) == "0 0 1\n"


def test_too_little_memory_is_told_and_nothing_is_left_behind(
    made: Made, tmp_path: Path
) -> None:
    folder = made("separate")
    source, link = PROGRAMS / "memory.c", shared(folder, "digits")
    program = build(folder, source, tmp_path / "memory", *link)
    assert printed(program, folder / "digits.safetensors", timeout=60) == "1 1 0\n"


def test_wrong_calls_are_refused_with_a_reason(made: Made, tmp_path: Path) -> None:
    folder = made("separate")
    source, link = PROGRAMS / "wrong_calls.c", shared(folder, "digits")
    program = build(folder, source, tmp_path / "wrong_calls", *link)
    lines = printed(program, folder / "digits.safetensors").splitlines()
    assert [re.sub(r"\d{2,}", "N", line) for line in lines] == [
        "1 the call has size 4, and N is expected",
        "1 the call has size 4, and N is expected",
        "1 the values have size 4, and N is expected",
        "2 the table of the params is missing",
        "1 the values are in use: release them first",
        "3 arena is not aligned to N bytes",
        "1 flags and reserved must be 0, threads not negative",
        "2 the table of the inputs is missing",
        "2 prepared is NULL",
        "6 a function of the pool is NULL",
        "3 input x is not aligned to its elements of 4 bytes",
        "5 output y, which is written, overlaps input x",
        "2 output y is NULL",
        "4 N is N, outside 1 to N",
        "2 the table of the params is missing",
    ]


def broken_files(folder: Path, where: Path) -> Mapping[str, Path]:
    """Return the values of a bundle, changed in several ways."""
    content = (folder / "digits.safetensors").read_bytes()
    arrays = {
        name: array.copy() for name, array in decode(memoryview(content)).arrays.items()
    }
    arrays["params.layer_10.bias"][3] += 1
    renamed = content.replace(b"layer_10.bias", b"layer_10.bais")
    files = {
        "none": None,
        "short": content[:-1],
        "renamed": renamed,
        "changed": encode(arrays),
        "empty": b"",
    }
    for name, changed in files.items():
        if changed is not None:
            (where / name).write_bytes(changed)
    os.mkfifo(where / "pipe")
    return {name: where / name for name in files}


def test_what_does_not_fit_is_refused_with_a_reason(made: Made, tmp_path: Path) -> None:
    folder = made("separate")
    files = broken_files(folder, tmp_path)
    link = shared(folder, "digits")
    program = build(folder, PROGRAMS / "misuse.c", tmp_path / "misuse", *link)
    paths = [folder / "digits.safetensors", *files.values(), tmp_path, tmp_path / "pipe"]
    lines = printed(program, *paths, timeout=60).splitlines()
    length = (folder / "digits.safetensors").stat().st_size
    expected = [
        "2 there is no place for the values",
        r"1 the values have size 8, and \d+ is expected",
        "1 flags must be 0",
        "2 the path of the values is NULL",
        "10 cannot open .*/none: No such file or directory",
        rf"10 .*/short is not a file of {length} bytes",
        "10 .*/renamed holds the values of another model",
        r"12 output y: element 3 is \S+, not \S+ \+- \S+",
        rf"10 .*/empty is not a file of {length} bytes",
        rf"10 {tmp_path} is not a file of {length} bytes",
        rf"10 {tmp_path}/pipe is not a file of {length} bytes",
    ]
    assert len(lines) == len(expected)
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line), line


def test_a_path_is_refused_where_the_library_has_the_values(
    made: Made, tmp_path: Path
) -> None:
    folder = made("embed")
    link = shared(folder, "digits")
    program = build(folder, PROGRAMS / "misuse.c", tmp_path / "misuse", *link)
    last = printed(program).splitlines()[-1]
    assert last == "1 the values are in the library: path must be NULL"


def test_a_processor_that_lacks_something_is_told_so(made: Made, tmp_path: Path) -> None:
    emulator = shutil.which("qemu-x86_64")
    if emulator is None:
        pytest.skip("qemu-x86_64 is not installed (Debian: qemu-user)")
    folder = made("embed")
    link = ("libdigits.a", *STATIC)
    program = build(folder, folder / "example.c", tmp_path / "example", *link)
    command = (emulator, "-cpu", "Nehalem", str(program))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "the check: this processor lacks avx\n")
    assert printed(emulator, "-cpu", "max", program).startswith("y:")


def test_the_files_of_a_bundle_are_the_same_wherever_they_are_made(
    kinds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = os.umask(0o077)
    try:
        again = kinds_bundle()
    finally:
        os.umask(before)
    for name, content in again.items():
        assert (kinds / name).read_bytes() == content, name
    assert list(tmp_path.iterdir()) == []
