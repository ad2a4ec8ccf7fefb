"""Read the innermost loops of whatever tests compile for processors.

The machine code of every sixteenth test, by its name, is read in every run; `--hot-loops`
reads that of all tests.
"""

from collections.abc import Callable, Generator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from lxc.targets.hot_loops import SYNTAX, faults, hot_loops
from lxc.targets.llvm import compiled
from lxc.targets.tvm_build import Generated, Processor, generate

ONE_OF = 16
KNOWN = frozenset(
    Path(__file__).with_name("known_faults.txt").read_text("utf-8").splitlines()
)
"""Names of tests, with their parameters, whose code has faults. One that has none fails."""


class Reader:
    """What is wrong with the loops of the code that the current test compiled."""

    def __init__(self, makes: Callable[..., Generated], *, reads_all: bool) -> None:
        """Read what is made, for some of the tests or for all."""
        self.makes = makes
        self.reads_all = reads_all
        self.reads = False
        self.found: list[str] = []
        self._read: dict[str, tuple[str, ...]] = {}

    def generated(self, functions: Mapping[Any, Any], processor: Processor) -> Generated:
        """Return machine code, and read it if the current test is among those."""
        made = self.makes(functions, processor)
        architecture = processor.triple.partition("-")[0]
        if self.reads and architecture in SYNTAX:
            key = sha256(made.object_bytes).hexdigest()
            if key not in self._read:
                loops = hot_loops(made.assembly, architecture)
                self._read[key] = tuple(one for loop in loops for one in faults(loop))
            self.found += self._read[key]
        return made

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin a test."""
        self.reads = self.reads_all or crc32(item.nodeid.encode()) % ONE_OF == 0
        self.found = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fail a test that would pass if its code has a fault, or lost a known one."""
        result = yield
        found, self.reads = self.found, False
        if item.name in KNOWN:
            lost = "its machine code has no fault any more: strike it from known_faults.txt"
            assert found or not self.reads_all, lost
        else:
            assert not found, "innermost loops of its machine code:\n" + "\n".join(found)
        return result


def read_hot_loops(config: pytest.Config) -> None:
    """Read loops from now on; tests that compile get their code through the reader."""
    reader = Reader(generate, reads_all=bool(config.getoption("--hot-loops")))
    patched = pytest.MonkeyPatch()
    patched.setattr(compiled, "generate", reader.generated)
    config.add_cleanup(patched.undo)
    config.pluginmanager.register(reader)
