"""The text of bundles: names, values that run does not read, sizes that are too large."""

import re
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

import lxc
from lxc import nn
from lxc.bundling import bundle_of
from lxc.errors import LxcError
from lxc.runtime.checkpoint import flatten_names
from lxc.runtime.signature import Leaf
from lxc.targets import target_named
from lxc.targets.bundle.check import MOST_ELEMENTS, drawn, expected, stride_of
from lxc.targets.bundle.names import STARTS, check_name
from lxc.targets.bundle.values import LARGEST_BLOB, Blob
from tests.bundle.conftest import Made

INIT = re.compile(r"([a-z][a-z0-9_]*)_init")
"""Functions that are declared for programs."""
FUNCTION = re.compile(
    r"/\*((?:[^*]|\*(?!/))+)\*/\n(\w[\w *]*?[ *])(?:kinds|digits)_(\w+)\([^;]*\);\n"
)


@pytest.fixture
def texts(kinds: Path) -> dict[str, str]:
    names = ("kinds.h", "example.c", "CMakeLists.txt", "kinds.pc")
    return {name: (kinds / name).read_text("ascii") for name in names}


def test_the_header_says_which_parameters_only_prepare_reads(texts: dict[str, str]) -> None:
    notes = dict(re.findall(r"/\* params\[\d+\]: (\S+) \S+ (.*)\*/", texts["kinds.h"]))
    marked = {name for name, note in notes.items() if "(prepare only)" in note}
    assert marked == {"dense.weight"}
    assert any("(constant)" in note for note in notes.values())


def test_every_function_states_what_it_returns_and_that_threads_may_call_it(
    texts: dict[str, str], made: Made
) -> None:
    declared = FUNCTION.findall(texts["kinds.h"])
    declared += FUNCTION.findall((made("none") / "digits.h").read_text("ascii"))
    assert {name for _, _, name in declared} == {
        *("abi_version", "last_error", "pool", "prepare", "run", "check_processor"),
        *("init", "release", "selftest"),
    }
    for comment, kind, name in declared:
        words = " ".join(comment.split())
        returned = "Returns LXC_OK" if kind == "int32_t " else "Never fails"
        assert returned in words, name
        assert re.search(r"(?i)any number of threads", words), name
    assert not re.search(r"\{\w+\}", texts["kinds.h"])
    assert all(len(line) < 125 for text in texts.values() for line in text.splitlines())


def test_no_name_of_a_model_breaks_its_files() -> None:
    model = nn.Dense(2, 2)
    ps, st = lxc.setup(0, model)
    graph = lxc.trace(model, np.zeros((1, 2), np.float32), ps, st)
    name = '"; system("rm -rf /") */'
    params, target = flatten_names(ps), target_named("x86-64-v2")
    files = bundle_of(graph, target, name=name, brought="separate", params=params, state={})
    for file in files:
        assert re.fullmatch(r"[A-Za-z0-9_.]+", file)
    for file in ("CMakeLists.txt", "example.c"):
        assert b"rm -rf" not in files[file]


@pytest.mark.parametrize("name", ["stdio", "Math", "c", "sem", "pthread_mutex"])
def test_names_of_the_c_library_are_refused(name: str) -> None:
    with pytest.raises(LxcError) as error:
        check_name(name)
    told = (error.value.code, error.value.hint)
    assert told == ("LXC-E0001", f"another name: --name {name}_model")
    check_name(f"{name}_model")


def test_no_function_of_this_c_library_can_be_hidden() -> None:
    with ELFFile.load_from_path(find_library_file()) as library:
        symbols = library.get_section_by_name(".dynsym")
        names = {symbol.name for symbol in symbols.iter_symbols()}
    starts = {found[1] for name in names if (found := INIT.fullmatch(name))}
    assert {"sem", "pthread_mutex"} <= starts <= set(STARTS.split())


def find_library_file() -> str:
    """Return the path of the C library of this process."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return next(line.split()[-1] for line in lines if line.endswith("/libc.so.6"))


def test_elements_of_a_check_lie_all_over_a_result() -> None:
    leaf = Leaf("y", "float32", (5000, 10))
    numbers = np.arange(50_000).reshape(5000, 10)
    some = expected(0, leaf, numbers, 1e-6)
    assert some.exact.size == MOST_ELEMENTS == len(set(some.exact))
    assert {int(one) % 10 for one in some.exact} == set(range(10))
    assert some.exact.max() - some.exact.min() > 45_000
    assert some.allowed == pytest.approx(1e-6 * 49_999)
    assert stride_of(0) == stride_of(1) == stride_of(MOST_ELEMENTS) == 1


def test_made_up_inputs_are_in_range_and_exact_in_every_type() -> None:
    rows = drawn(0, Leaf("i", "int32", (1000,), below=7), {})
    assert set(rows.tolist()) == set(range(7))
    wide = drawn(1, Leaf("x", "float64", (1000,)), {})
    assert -2 <= wide.min() < -1.9 < 1.9 < wide.max() < 2
    for kind in ("float16", "bfloat16", "float32"):
        narrow = drawn(1, Leaf("x", kind, (1000,)), {})
        np.testing.assert_array_equal(narrow.astype(np.float64), wide)
    assert not np.array_equal(wide, drawn(2, Leaf("x", "float64", (1000,)), {}))


def test_what_no_library_can_hold_is_refused() -> None:
    blob = Blob()
    blob.size = LARGEST_BLOB
    blob.check_size()
    blob.size += 1
    with pytest.raises(LxcError) as error:
        blob.check_size()
    assert (error.value.code, error.value.hint) == ("LXC-E0001", "--bundle-params separate")
