"""Models of every type of element, without params, state or dimensions."""

import platform
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lxc.errors import LxcError
from lxc.runtime import CompiledModel, artifact
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.signature import DTYPES, Group, Leaf, Signature
from lxc.structure import LEAF
from lxc.targets.llvm.c_abi import render
from lxc.targets.llvm.link import link_shared

ENTRIES = Path(__file__).parent / "entries"
BYTES = 24


def signature_of(dtype: str) -> Signature:
    shape = (BYTES // DTYPES[dtype].itemsize,)
    x, y = Leaf("x", dtype, shape), Leaf("y", dtype, shape)
    return Signature(
        "copy", "lux", "test", (), Group(LEAF, (x,)), Group(), Group(), Group(LEAF, (y,))
    )


def pack(signature: Signature, library: bytes) -> artifact.Artifact:
    target = TargetRecord("here", f"{platform.machine()}-linux-gnu", (), 0, 0)
    members = {target.library: library}
    return artifact.read(
        artifact.write(None, signature=signature, targets=[target], members=members)
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return code that moves bytes; elements of one byte need no alignment."""
    output = tmp_path_factory.mktemp("copy") / "copy.o"
    command = ["cc", "-c", "-O2", "-fPIC", str(ENTRIES / "copy.c"), "-o", str(output)]
    subprocess.run(command, check=True)
    sources = render("copy", signature_of("uint8"), 0, 0)
    return link_shared(output.read_bytes(), sources, "copy")


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_goes_in_and_comes_out(library: bytes, dtype: str) -> None:
    model = CompiledModel(pack(signature_of(dtype), library))
    x = np.arange(BYTES // DTYPES[dtype].itemsize).astype(DTYPES[dtype])
    y, state = model(x, {}, {})
    assert y.dtype == x.dtype
    assert y.tobytes() == x.tobytes()
    assert state == {}
    out = np.zeros_like(x)
    model.bind({}, {}).at(inputs=x, outputs=out)()
    assert out.tobytes() == x.tobytes()


def test_bfloat16_is_not_float16(library: bytes) -> None:
    model = CompiledModel(pack(signature_of("bfloat16"), library))
    with pytest.raises(LxcError) as caught:
        model(np.zeros(12, np.float16), {}, {})
    assert caught.value.expected == "x: bfloat16[12]"
    assert caught.value.actual == "x: float16[12]"


@pytest.mark.parametrize("code", [b"", b"\x7fELF", b"no library at all" * 10])
def test_code_that_cannot_be_mapped_is_a_coded_error(code: bytes) -> None:
    with pytest.raises(LxcError) as caught:
        CompiledModel(pack(signature_of("uint8"), code))
    assert caught.value.code == "LXC-E0407"


def test_a_library_of_another_model_is_a_coded_error(library: bytes) -> None:
    renamed = replace(signature_of("uint8"), name="paste")
    with pytest.raises(LxcError) as caught:
        CompiledModel(pack(renamed, library))
    assert caught.value.code == "LXC-E0407"
    assert "paste_run" in str(caught.value)
