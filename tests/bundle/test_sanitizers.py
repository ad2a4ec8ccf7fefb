"""The C text of bundles under the sanitizers of the compiler."""

import subprocess
from pathlib import Path

import pytest

from lxc.bundling import contents_of, given_values
from lxc.passes.choices import DEFAULT
from lxc.targets.bundle.code import BundleCode
from lxc.targets.bundle.face import Contents
from lxc.targets.bundle.folder import bundle_sources
from tests.bundle.conftest import PROGRAMS, STATIC, WARNINGS, Made, Traced, build, printed


@pytest.fixture(scope="module", params=[True, False], ids=["embed", "separate"])
def contents(
    request: pytest.FixtureRequest, digits: Traced, digits_code: BundleCode
) -> Contents:
    values = given_values(digits_code, digits.params, digits.state)
    return contents_of(digits.graph, digits_code, values, DEFAULT, embed=request.param)


def write_sources(code: BundleCode, contents: Contents, folder: Path) -> None:
    """Write all that the compiler of a program needs to compile a library with it."""
    sources = bundle_sources(code, contents)
    (folder / "digits.h").write_text(sources.header)
    (folder / "face.c").write_text(sources.source)
    (folder / "support.c").write_text(sources.support)
    (folder / "model.o").write_bytes(code.object_bytes)
    for name, content in sources.files.items():
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("sanitizer", ["thread", "address,undefined"])
def test_bundles_are_clean_under_sanitizers(
    sanitizer: str, contents: Contents, digits_code: BundleCode, made: Made, tmp_path: Path
) -> None:
    flags = (f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all", "-O1", "-g")
    write_sources(digits_code, contents, tmp_path)
    command = ["cc", *WARNINGS, *flags, "-c", "face.c", "support.c"]
    subprocess.run(command, cwd=tmp_path, check=True)
    parts = (*flags, "face.o", "support.o", "model.o", *STATIC)
    folder = made("embed" if contents.embedded else "separate")
    file = [] if contents.embedded else [folder / "digits.safetensors"]
    example = build(tmp_path, folder / "example.c", tmp_path / "example", *parts)
    assert printed(example, *file).startswith("y: ")
    threads = build(tmp_path, PROGRAMS / "threads.c", tmp_path / "threads", *parts)
    assert printed(threads, *file) == "0 wrong\n"
    misuse = build(tmp_path, PROGRAMS / "misuse.c", tmp_path / "misuse", *parts)
    assert len(printed(misuse, *file, tmp_path / "model.o").splitlines()) == 4 + len(file)
