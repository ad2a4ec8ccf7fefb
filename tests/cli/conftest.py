"""The command line in this process, in a folder of its own."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from lxc.__main__ import run

MODELS = Path(__file__).parent / "models.py"
NET = ("models.py:net", "--input", "x=f32[N,3]", "--dim", "N=1..8")


@dataclass(frozen=True)
class Result:
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on the standard output."""
        return json.loads(self.out)


class Cli(Protocol):
    """A function that runs a command line."""

    def __call__(self, *arguments: str, status: int = 0) -> Result:
        """Run `lxc` with arguments and check how it ended."""


@pytest.fixture
def cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Cli:
    shutil.copy(MODELS, tmp_path / "models.py")
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str, status: int = 0) -> Result:
        capfd.readouterr()
        ended = run(arguments)
        printed = capfd.readouterr()
        assert ended == status, printed.err
        return Result(ended, printed.out, printed.err)

    return command


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small artifact with parameters drawn from a seed."""
    path = tmp_path_factory.mktemp("compiled") / "net.lxc"
    source = f"{MODELS}:net"
    targets = "x86-64-v2,x86-64-v3"
    assert run(["compile", source, *NET[1:], "-o", str(path), "--target", targets]) == 0
    return path


@pytest.fixture
def net(cli: Cli, compiled: Path, tmp_path: Path) -> Path:
    """Return the small artifact under the name net.lxc, where commands run."""
    return Path(shutil.copy(compiled, tmp_path / "net.lxc"))
