"""The blocks of docs/deploy-to-c.md: all of them are compiled and run, in order."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lxc.ir.evaluate import evaluate
from lxc.tree import flatten
from tests.bundle.conftest import ROOT, Traced

PAGE = ROOT / "docs" / "deploy-to-c.md"
BLOCK = re.compile(r"<!-- (file|command) (\S+) -->\n```\w*\n(.*?)\n```", re.DOTALL)
TOOLS = {"cmake": "cmake", "rust": "rustc", "pkg-config": "pkg-config"}


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Path]:
    """Return the commands of the page, and a folder with its files and its bundle."""
    folder = tmp_path_factory.mktemp("page")
    blocks = BLOCK.findall(PAGE.read_text("utf-8"))
    for kind, name, text in blocks:
        if kind == "file":
            (folder / name).write_text(f"{text}\n")
    (folder / "examples").symlink_to(ROOT / "examples")
    found = {name: text for kind, name, text in blocks if kind == "command"}
    lxc = f"{sys.executable} -P -m lxc"
    run(found["compile"].replace("lxc compile", f"{lxc} compile", 1), folder)
    return found, folder


def answers(tool: str) -> bool:
    """Return whether a tool is there and works; some are stand-ins that install it."""
    if shutil.which(tool) is None:
        return False
    asked = subprocess.run([tool, "--version"], capture_output=True, check=False)
    return asked.returncode == 0


def run(command: str, folder: Path, tool: str = "cc") -> str:
    """Return what a command of the page prints; skip where a tool is missing."""
    if not answers(tool):
        pytest.skip(f"{tool} is not installed")
    done = subprocess.run(
        ["bash", "-ec", command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def logits(digits: Traced) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the exact logits of an empty image, which all programs of the page print."""
    leaves = flatten(digits.ps)[0], flatten(digits.st)[0]
    x = np.zeros((1, 1, 8, 8), np.float32)
    (exact,), _ = evaluate(digits.graph, [x], *leaves, wide=True)
    return np.asarray(exact[0])


def test_the_example_runs(commands: tuple[dict[str, str], Path]) -> None:
    said = run(commands[0]["example"], commands[1]).splitlines()
    assert len(said) == 2
    assert said[0] == said[1]
    assert said[0].startswith("y: ")


@pytest.mark.parametrize("name", ["pkg-config", "cmake", "rust"])
def test_programs_in_other_languages_print_the_logits(
    name: str, commands: tuple[dict[str, str], Path], logits: list[float]
) -> None:
    said = run(commands[0][name], commands[1], TOOLS[name])
    printed = [float(line) for line in said.splitlines()[-10:]]
    np.testing.assert_allclose(printed, logits, rtol=1e-5, atol=1e-5)


def test_python_needs_no_more_than_ctypes(
    commands: tuple[dict[str, str], Path], logits: list[float]
) -> None:
    said = run(f"{sys.executable} -I -S classify.py", commands[1])
    np.testing.assert_allclose(
        [float(line) for line in said.splitlines()], logits, rtol=1e-5, atol=1e-5
    )


def test_the_bundle_builds_its_own_example_with_cmake(
    commands: tuple[dict[str, str], Path],
) -> None:
    build = "cmake -S digits -B own && cmake --build own && cd own && ctest"
    assert "100% tests passed" in run(build, commands[1], "cmake")


def test_an_installed_bundle_is_found_by_pkg_config(
    commands: tuple[dict[str, str], Path],
) -> None:
    place = "-DCMAKE_INSTALL_LIBDIR=lib/here -DCMAKE_INSTALL_PREFIX=/none"
    run(f"cmake -S digits -B installing {place}", commands[1], "cmake")
    run("cmake --build installing && cmake --install installing --prefix put", commands[1])
    asked = "PKG_CONFIG_PATH=put/lib/here/pkgconfig pkg-config --cflags --libs digits"
    link = f"$({asked}) -Wl,-rpath,$PWD/put/lib/here -o from_prefix"
    build = f"cp digits/example.c from_prefix.c && cc from_prefix.c {link}"
    values = "put/share/digits/digits.safetensors"
    said = run(f"{build} && ./from_prefix {values}", commands[1], "pkg-config")
    assert said.startswith("y: ")


def test_every_block_of_the_page_is_run() -> None:
    text = PAGE.read_text("utf-8")
    assert text.count("```") == 2 * len(BLOCK.findall(text))
