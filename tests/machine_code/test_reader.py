"""A test fails if the machine code that it compiled has a fault it is not known for."""

from types import SimpleNamespace
from typing import Any

import pytest

from lxc.targets.tvm_build import Processor
from tests.machine_code import reader
from tests.machine_code.reader import Reader

CALLING = """
.LBB0_1:
	vmulps	%zmm0, %zmm1, %zmm2
	callq	expf@PLT
	jne	.LBB0_1
	retq
"""
LEVEL = Processor("x86_64-unknown-linux-gnu", "x86-64-v4")


def end_of_test(item: Any, assembly: str) -> None:
    """Run the hooks around a test that compiles to `assembly`."""
    made: Any = SimpleNamespace(object_bytes=assembly.encode(), assembly=assembly)
    hooks = Reader(lambda functions, processor: made, reads_all=True)
    hooks.pytest_runtest_setup(item)
    call = hooks.pytest_runtest_call(item)
    next(call)
    assert hooks.generated({}, LEVEL) is made
    with pytest.raises(StopIteration):
        call.send(None)


def test_a_fault_fails_a_test(request: pytest.FixtureRequest) -> None:
    end_of_test(request.node, CALLING.replace("callq\texpf@PLT", "incq\t%rax"))
    with pytest.raises(AssertionError, match="expf"):
        end_of_test(request.node, CALLING)


def test_a_known_fault_is_there(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "KNOWN", frozenset({request.node.name}))
    end_of_test(request.node, CALLING)
    with pytest.raises(AssertionError, match="strike it"):
        end_of_test(request.node, "")
