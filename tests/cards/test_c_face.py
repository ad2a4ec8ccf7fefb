"""C programs around the header and the library of a model for cards."""

import shutil
import subprocess
from pathlib import Path

import pytest

from lxc.targets.cuda import support
from tests.cards.emulated import built_driver
from tests.cards.toy import ENTRIES, sources
from tests.targets.toy import WARNINGS

PROGRAMS = Path(__file__).parent / "programs"
FLAGS = ("-std=gnu11", "-O1", "-g", *WARNINGS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the sources of the model."""
    rendered = sources()
    (tmp_path / "toy.h").write_text(rendered.header)
    (tmp_path / "face.c").write_text(rendered.source)
    (tmp_path / "support.c").write_text(support.source())
    for name, content in rendered.files.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_the_sources_compile_without_a_warning(folder: Path) -> None:
    command = ["cc", "-std=c11", "-O2", *WARNINGS, "-c", "face.c", "support.c"]
    subprocess.run(command, cwd=folder, check=True)


def test_the_header_says_where_memory_is_and_is_right_in_cpp(folder: Path) -> None:
    header = (folder / "toy.h").read_text()
    said = " ".join(header.replace("\n  ", "").split())
    assert "Every address in the tables of a call, and those of `prepared`" in said
    for code in ("LXC_EDEVICE", "LXC_EMEMORY"):
        assert header.count(code) >= 2
    (folder / "main.cc").write_text('#include "toy.h"\n#include "toy.h"\ntoy_call c;\n')
    command = ["c++", "-std=c++11", *WARNINGS[:4], "-Werror", "-fsyntax-only", "main.cc"]
    if shutil.which("c++"):
        subprocess.run(command, cwd=folder, check=True)


def build(folder: Path, program: str, sanitizer: str) -> None:
    """Build a program with the model in it, beside the driver of these tests."""
    built_driver(folder)
    files = [str(PROGRAMS / program), str(ENTRIES / "toy.c"), "face.c", "support.c"]
    command = ["cc", *FLAGS, f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all", "-I."]
    command += [*files, "-o", "program", "-ldl", "-pthread", "-Wl,-rpath,$ORIGIN"]
    command += ["-L.", "-l:libcuda.so.1", "-Wl,--no-as-needed"]
    subprocess.run(command, cwd=folder, check=True)


def run(folder: Path, *arguments: str) -> None:
    """Fail unless the program finds everything right."""
    command = ["./program", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()[:4000]


@pytest.mark.parametrize("sanitizer", ["address,undefined", "thread"])
def test_a_program_without_cuda_computes_on_the_card(folder: Path, sanitizer: str) -> None:
    """The library is clean under sanitizers, with many threads and many mistakes."""
    build(folder, "card.c", sanitizer)
    run(folder)


def test_a_context_lives_as_long_as_the_model_needs_it(folder: Path) -> None:
    """The primary one is retained; one of the caller may go when the model was closed."""
    build(folder, "contexts.c", "address,undefined")
    for case in ("primary", "own", "beside", "without a kernel"):
        run(folder, case)
