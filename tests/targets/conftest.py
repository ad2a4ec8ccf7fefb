"""Fixtures: every back end, and the toy model as an object and as a library."""

import pytest

from lxc.targets.llvm.link import link_shared
from tests.targets.backends import Backend, backends
from tests.targets.toy import ENTRIES, compile_c, sources


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the back ends when tests are collected: options are not read before that."""
    if "back_end" in metafunc.fixturenames:
        metafunc.parametrize("back_end", backends(), scope="module")


@pytest.fixture(scope="module")
def target(back_end: Backend) -> Backend:
    return back_end


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return compile_c(ENTRIES / "toy.c", tmp_path_factory.mktemp("toy"), "-DNAME=toy")


@pytest.fixture(scope="module")
def library(code: bytes) -> bytes:
    return link_shared(code, sources(), "toy")
