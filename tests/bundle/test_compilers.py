"""Headers, examples and static libraries, as strict compilers and linkers take them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.bundle.conftest import STATIC, Made, build, printed

WORDY = ("-Wall", "-Wextra", "-pedantic-errors", "-Wconversion", "-Wshadow", "-Werror")
SPEECHES = [
    *(f"gcc -std={c} -x c" for c in ("c99", "c11", "c2x")),
    *(f"g++ -std={c} -x c++ -Wno-pedantic" for c in ("c++98", "c++11", "c++20")),
    *("clang -std=c11 -x c", "clang++ -std=c++20 -x c++"),
]


@pytest.mark.parametrize("command", SPEECHES)
def test_the_header_is_good_for_every_compiler(
    command: str, made: Made, kinds: Path, tmp_path: Path
) -> None:
    parts = command.split()
    if shutil.which(parts[0]) is None:
        pytest.skip(f"{parts[0]} is not installed")
    both = tmp_path / "both.c"
    both.write_text(
        '#include "kinds.h"\n#include "digits.h"\n#include "digits.h"\n'
        "#if DIGITS_ARENA_BYTES > 0 && DIGITS_OUTPUT_COUNT == 1\n"
        "int64_t elements(void);\n"
        "int64_t elements(void) { return DIGITS_INPUT_0_ELEMENTS(3); }\n#endif\n"
    )
    folders = [f"-I{folder}" for folder in (made("separate"), kinds)]
    link = ["-c", str(both), "-o", "both.o"]
    subprocess.run([*parts, *WORDY, *folders, *link], cwd=tmp_path, check=True)
    assert b"elements" in (tmp_path / "both.o").read_bytes()


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_examples_compile_without_a_warning(
    compiler: str, made: Made, kinds: Path, tmp_path: Path
) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    for folder in (made("separate"), made("embed"), made("none"), kinds):
        source = [f"-I{folder}", "-c", str(folder / "example.c"), "-o", "example.o"]
        command = [compiler, "-std=c11", *WORDY, *source]
        subprocess.run(command, cwd=tmp_path, check=True)


def test_the_static_library_fits_into_libraries_and_whole_programs(
    made: Made, tmp_path: Path
) -> None:
    folder = made("embed")
    whole = ("-Wl,--whole-archive", "libdigits.a", "-Wl,--no-whole-archive", *STATIC)
    strict = ("-shared", "-fPIC", "-flto", "-Wl,--no-undefined", "-Wl,-z,text")
    library = build(folder, folder / "example.c", tmp_path / "libown.so", *strict, *whole)
    said = printed("nm", "-D", "--defined-only", library)
    names = {line.split()[-1] for line in said.splitlines()}
    assert {"digits_run", "main"} <= names
    assert all(name == "main" or name.startswith("digits_") for name in names)
    for options in (
        ("-static",),
        ("-flto", "-O2", "-fvisibility=hidden", "-Wl,--gc-sections"),
    ):
        link = (*options, "libdigits.a", *STATIC)
        assert printed(build(folder, folder / "example.c", tmp_path / "own", *link))
