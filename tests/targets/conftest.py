"""Fixtures: every back end, and the toy model as an object and as a library."""

from typing import Any

import pytest

from lxc.targets.llvm.link import link_shared
from tests.targets.backends import Backend, backends
from tests.targets.toy import ENTRIES, compile_c, sources


@pytest.fixture(params=backends(), scope="module")
def target(request: pytest.FixtureRequest) -> Backend:
    backend: Any = request.param
    assert isinstance(backend, Backend)
    return backend


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return compile_c(ENTRIES / "toy.c", tmp_path_factory.mktemp("toy"), "-DNAME=toy")


@pytest.fixture(scope="module")
def library(code: bytes) -> bytes:
    return link_shared(code, sources(), "toy")
