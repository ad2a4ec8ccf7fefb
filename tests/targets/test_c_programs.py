"""C programs around the generated header and source."""

import shutil
import subprocess
from pathlib import Path

import pytest

from lxc.targets.llvm import support
from tests.targets.toy import ENTRIES, WARNINGS, compile_c, sources

PROGRAMS = Path(__file__).parent / "programs"
SOURCES = ("face.c", "support.c")


def write_sources(folder: Path) -> None:
    """Write the header of the toy model, and what is compiled with its object."""
    rendered = sources()
    (folder / "toy.h").write_text(rendered.header)
    (folder / "face.c").write_text(rendered.source)
    (folder / "support.c").write_text(support.source())


def build(folder: Path, program: str, code: bytes, *flags: str) -> Path:
    """Compile a C program together with the generated sources."""
    write_sources(folder)
    (folder / "model.o").write_bytes(code)
    command = ["cc", "-std=c11", "-O1", "-g", *flags, *WARNINGS, f"-I{folder}"]
    command += [str(PROGRAMS / program), *SOURCES, "model.o", "-lm", "-pthread"]
    subprocess.run([*command, "-o", "program"], cwd=folder, check=True)
    return folder / "program"


def test_a_short_c_program_prints_the_right_number(
    library: bytes, code: bytes, tmp_path: Path
) -> None:
    (tmp_path / "libtoy.so").write_bytes(library)
    (tmp_path / "toy.h").write_text(sources().header)
    command = ["cc", "-std=c11", *WARNINGS, f"-I{tmp_path}", str(PROGRAMS / "ten_lines.c")]
    command += [f"-L{tmp_path}", "-ltoy", f"-Wl,-rpath,{tmp_path}", "-o"]
    subprocess.run([*command, str(tmp_path / "program")], check=True)
    said = subprocess.run([tmp_path / "program"], check=True, capture_output=True).stdout
    assert said == b"0 0 2.5\n"


def test_the_header_is_right_in_cpp_as_well(tmp_path: Path) -> None:
    (tmp_path / "toy.h").write_text(sources().header)
    (tmp_path / "main.cc").write_text('#include "toy.h"\n#include "toy.h"\ntoy_call c;\n')
    assert sources().header.count('extern "C" {') == 1
    command = ["c++", "-std=c++11", *WARNINGS[:4], "-Werror", "-fsyntax-only", "main.cc"]
    if shutil.which("c++"):
        subprocess.run(command, cwd=tmp_path, check=True)


def test_the_sources_compile_without_a_warning(tmp_path: Path) -> None:
    write_sources(tmp_path)
    command = ["cc", "-std=c11", "-O2", *WARNINGS, "-c", *SOURCES]
    subprocess.run(command, cwd=tmp_path, check=True)


@pytest.mark.parametrize("sanitizer", ["thread", "address,undefined"])
@pytest.mark.parametrize("name", ["stress.c", "busy.c"])
def test_pool_and_checks_are_clean_under_sanitizers(
    code: bytes, tmp_path: Path, name: str, sanitizer: str
) -> None:
    object_code = compile_c(
        ENTRIES / "toy.c", tmp_path, "-DNAME=toy", "-g", f"-fsanitize={sanitizer}", "-O1"
    )
    flags = (f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all")
    program = build(tmp_path, name, object_code, *flags)
    finished = subprocess.run([program], capture_output=True, check=False, timeout=300)
    assert finished.returncode == 0, finished.stderr.decode()[-4000:]
    assert finished.stdout == b"0 wrong\n"


def test_threads_have_the_same_share_of_the_tasks_in_every_region(
    code: bytes, tmp_path: Path
) -> None:
    finished = subprocess.run(
        [build(tmp_path, "shares.c", code)], capture_output=True, check=False, timeout=60
    )
    assert finished.stdout == b"0 wrong, 6 shared\n", finished.stderr.decode()


def test_a_forked_child_uses_the_pool(code: bytes, tmp_path: Path) -> None:
    finished = subprocess.run(
        [build(tmp_path, "fork.c", code)], capture_output=True, check=False, timeout=60
    )
    assert finished.stdout == b"10 children\n", finished.stderr.decode()
    assert finished.returncode == 0
