"""What is installed is what is here; a machine that only runs artifacts needs little."""

import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
LINKED = ("frontend", "ir", "passes", "runtime", "targets")
RUNTIME_PACKAGES = ("numpy", "ml_dtypes", "safetensors", "click")
BLOCKER = """
import importlib.abc, runpy, sys

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tvm", "tvm_ffi", "networkx", "rich"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
sys.argv = ["lxc", *sys.argv[1:]]
"""
RUN_COMMAND = BLOCKER + "runpy.run_module('lxc', run_name='__main__')\n"


def settings() -> Any:
    """Return what pyproject.toml tells setuptools."""
    with (ROOT / "pyproject.toml").open("rb") as stream:
        return tomllib.load(stream)["tool"]["setuptools"]


def package_of(folder: Path) -> str:
    """Return the import name of a folder."""
    parts = folder.relative_to(ROOT).parts
    return ".".join(parts if parts[0] == "lxc" else ("lxc", *parts))


def package_folders() -> list[Path]:
    """Return every folder that is a package, links not followed."""
    starts = [ROOT / name for name in (*LINKED, "lxc")]
    inits = [init for start in starts for init in start.rglob("__init__.py")]
    return [init.parent for init in inits if not any(p.is_symlink() for p in init.parents)]


def test_every_package_is_listed() -> None:
    assert sorted(settings()["packages"]) == sorted(map(package_of, package_folders()))


def test_every_folder_with_python_in_it_is_a_package() -> None:
    folders = {
        path.parent
        for name in (*LINKED, "lxc")
        for path in (ROOT / name).rglob("*.py")
        if not any(parent.is_symlink() for parent in path.parents)
    }
    assert folders == set(package_folders())


def test_the_five_links_lead_to_the_folders() -> None:
    links = {path.name for path in (ROOT / "lxc").iterdir() if path.is_symlink()}
    assert links == set(LINKED)
    for name in LINKED:
        assert (ROOT / "lxc" / name).readlink() == Path("..") / name
        assert settings()["package-dir"][f"lxc.{name}"] == name


def test_every_file_that_is_no_python_is_package_data() -> None:
    listed = settings()["package-data"]
    for folder in package_folders():
        patterns = listed.get(package_of(folder), [])
        for path in folder.iterdir():
            if path.is_file() and path.suffix not in (".py", ".pyc"):
                assert any(path.match(pattern) for pattern in patterns), path


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this checkout, built from a copy of it."""
    copy = tmp_path_factory.mktemp("source")
    for name in (*LINKED, "lxc"):
        for path in (ROOT / name).rglob("*"):
            inside = path.relative_to(ROOT)
            linked = any(parent.is_symlink() for parent in path.parents)
            if path.is_file() and not linked and path.suffix != ".pyc":
                (copy / inside).parent.mkdir(parents=True, exist_ok=True)
                (copy / inside).write_bytes(path.read_bytes())
    for name in ("pyproject.toml", "README.md"):
        (copy / name).write_bytes((ROOT / name).read_bytes())
    made = tmp_path_factory.mktemp("wheel")
    command = ["pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", str(made), str(copy)]
    done = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = made.glob("*.whl")
    return path


def test_the_wheel_holds_every_file_under_its_import_name(wheel: Path) -> None:
    expected = {
        f"{package_of(folder).replace('.', '/')}/{path.name}"
        for folder in package_folders()
        for path in folder.iterdir()
        if path.is_file() and path.suffix != ".pyc"
    }
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        entry = next(n for n in archive.namelist() if n.endswith("entry_points.txt"))
        assert "lxc = lxc.__main__:main" in archive.read(entry).decode()
    assert names == expected


def blocked(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code where TVM, networkx and rich cannot be imported."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_runtime_imports_without_the_compiler() -> None:
    loaded = "print([n for n in ('tvm', 'networkx', 'rich', 'click') if n in sys.modules])"
    done = blocked(f"{BLOCKER}\nimport lxc.runtime\n{loaded}")
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


@pytest.mark.parametrize("verb", ["run", "inspect", "bench"])
def test_artifacts_need_no_compiler(verb: str) -> None:
    done = blocked(RUN_COMMAND, verb, "--help")
    assert done.returncode == 0, done.stderr
    assert f"lxc {verb}" in done.stdout


def test_a_verb_that_compiles_says_what_is_missing() -> None:
    done = blocked(RUN_COMMAND, "compile", "--help")
    assert done.returncode == 4
    assert "error[LXC-E0306]" in done.stderr
    assert "pip install lxc" in done.stderr


@pytest.fixture(scope="session")
def small_artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an artifact made here, for a machine that cannot compile."""
    folder = tmp_path_factory.mktemp("artifact")
    text = "graph @m lux { input %x: f32[3] %0: f32[3] = negate(%x) return %0 }"
    (folder / "m.lxir").write_text(text)
    command = [
        "compile",
        f"{folder}/m.lxir",
        "-o",
        f"{folder}/m.lxc",
        "--target",
        "x86-64-v2",
    ]
    subprocess.run([sys.executable, "-m", "lxc", *command], cwd=ROOT, check=True)
    return folder / "m.lxc"


def test_an_artifact_runs_where_the_compiler_is_missing(small_artifact: Path) -> None:
    done = blocked(RUN_COMMAND, "run", str(small_artifact), "--input", "x=zeros")
    assert done.returncode == 0, done.stderr
    assert "float32[3]" in done.stdout
    done = blocked(RUN_COMMAND, "inspect", str(small_artifact))
    assert done.returncode == 0, done.stderr
    assert "x86-64-v2" in done.stdout


@pytest.mark.slow
def test_an_artifact_runs_in_an_environment_without_the_compiler(
    wheel: Path, small_artifact: Path, tmp_path: Path
) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    programs = tmp_path / "env" / "bin"
    install = [str(programs / "pip"), "install", "--quiet"]
    subprocess.run([*install, "--no-deps", str(wheel)], check=True)
    subprocess.run([*install, *RUNTIME_PACKAGES], check=True)
    for arguments in (
        ["run", str(small_artifact), "--input", "x=zeros"],
        ["inspect", str(small_artifact)],
    ):
        done = subprocess.run(
            [str(programs / "lxc"), *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    listed = subprocess.run(
        [str(programs / "pip"), "list"], capture_output=True, text=True, check=True
    )
    assert "tvm" not in listed.stdout
