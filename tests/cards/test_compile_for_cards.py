"""What compiling for cards writes, as far as a machine without one can tell."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lxc
from lxc.errors import LxcError
from lxc.ir.parser import parse_graph
from lxc.runtime.artifact import Artifact, read
from lxc.runtime.cards.machine import Cards as FoundCards
from lxc.targets import TARGETS, targets_named
from lxc.targets.compile import CompiledTarget, build_artifact, compile_target, emit
from lxc.targets.cuda import compiled
from lxc.targets.cuda.architectures import ALL, CARDS
from lxc.targets.cuda.compiled import CardCode, Cards, lacks_of
from lxc.targets.cuda.images import usages
from lxc.targets.cuda.toolchain import disassembled, find_device_compiler
from tests.cards.emulated import Emulation, emulated
from tests.cards.limits import check_fits
from tests.conftest import Golden

GOLDEN = Path(__file__).parent.parent / "errors" / "golden"
NET = """
graph @net lux {
  dim N: 1..64
  input %x: f32[N, 24]
  param @0: f32[24, 40]
  tree inputs = *
  tree params = [*]
  tree state = []
  tree outputs = *

  %0: f32[N, 40] = dot_general(%x, @0) {lhs_batch = [], rhs_batch = [], \
lhs_contract = [1], rhs_contract = [0]} at head
  %1: f32[N, 40] = tanh(%0) {fast = false} at head
  return %1
}
"""
AGAIN = """
import sys
import lxc
from lxc.ir.parser import parse_graph

made = lxc.compile(parse_graph(sys.stdin.read()), target="cuda-sm90", name="net")
print(made.artifact.sha256)
"""


@pytest.fixture(scope="module")
def made() -> CompiledTarget:
    return compile_target(parse_graph(NET), TARGETS["cuda"], name="net")


@pytest.fixture(scope="module")
def code(made: CompiledTarget) -> CardCode:
    assert isinstance(made.built.code, CardCode)
    return made.built.code


def test_the_library_holds_an_image_for_each_kind_of_card(
    made: CompiledTarget, code: CardCode
) -> None:
    names = [image.architecture.name for image in code.images]
    assert names == ["sm_80", "sm_86", "sm_89", "sm_90a", "compute_80"]
    assert made.record.images == tuple(names)
    for image in code.images:
        assert image.content in made.built.library
        start = b"//" if image.architecture.is_text else b"\x7fELF"
        assert image.content.lstrip().startswith(start)
    assert b".target sm_80" in code.images[-1].content


def test_every_kernel_may_be_launched_on_every_kind_of_card(code: CardCode) -> None:
    kernels = code.lowered.library.kernels
    for image in code.images[:-1]:
        assert {*image.usage} == {*code.source.names} >= {one.name for one in kernels}
        for kernel in kernels:
            check_fits(kernel, image)


def test_the_manifest_says_what_kernels_take_of_each_card(made: CompiledTarget) -> None:
    (kernel,) = made.record.kernels
    assert kernel["layers"] == ["head"]
    assert [*kernel["cards"]] == [one.name for one in CARDS]
    fields = {"registers", "shared_bytes", "stack_bytes", "spilled_bytes"}
    assert all({*taken} == fields for taken in kernel["cards"].values())


def test_the_manifest_counts_what_a_launch_gives_a_block_to_share(
    made: CompiledTarget, code: CardCode
) -> None:
    """The assembler knows only of memory that a kernel has without being given more."""
    (kernel,), (record,) = code.lowered.library.kernels, made.record.kernels
    assert kernel.shared_bytes > 0
    for image in code.images[:-1]:
        taken = record["cards"][image.architecture.name]
        own = image.usage[kernel.name].shared_bytes
        assert taken["shared_bytes"] == own + kernel.shared_bytes


def test_a_model_is_saved_here_and_another_process_makes_the_same_bytes(
    tmp_path: Path,
) -> None:
    model = lxc.compile(parse_graph(NET), target="cuda-sm90", name="net")
    model.save(tmp_path / "net.lxc")
    saved = read(tmp_path / "net.lxc")
    assert saved.targets[0].images == ("sm_90a",)
    assert saved.targets[0].driver >= 12000
    root = Path(__file__).parent.parent.parent
    paths = f"{root}:{os.environ.get('PYTHONPATH', '')}"
    settings = {"PYTHONHASHSEED": "77", "PYTHONPATH": paths, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", AGAIN],
        input=NET,
        env={**os.environ, **settings, "LC_ALL": "tr_TR.UTF-8"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == model.artifact.sha256


@pytest.fixture(scope="module")
def both() -> Artifact:
    """Return an artifact for a processor and for cards, whose kernels are emulated."""
    targets = [TARGETS["x86-64-v2"], emulated(TARGETS["cuda"])]
    params = {"0": np.ones((24, 40), np.float32)}
    return read(build_artifact(parse_graph(NET), targets, name="net", params=params))


def test_processors_and_cards_share_one_artifact_and_its_weights(both: Artifact) -> None:
    assert [one.name for one in both.targets] == ["x86-64-v2", "cuda"]
    assert [bool(one.images) for one in both.targets] == [False, True]
    weights = [name for name in both.manifest.members if name.endswith(".safetensors")]
    assert weights == ["params.safetensors"]
    assert both.length("params.safetensors") > 24 * 40 * 4
    explained = both.read("explain.json")
    assert b'"x86-64-v2"' in explained
    assert b'"cuda"' in explained
    for target in both.targets:
        assert both.length(target.library) > 0


def test_stages_for_cards_are_text_of_the_kernels() -> None:
    graph, target = parse_graph(NET), TARGETS["cuda"]
    source = emit(graph, target, "cuda").decode()
    assert source.isascii()
    assert "#include" not in source
    assert 'extern "C" __global__' in source
    assert "packed" not in emit(graph, target, "lxir").decode()
    kernels = emit(graph, target, "tir").decode()
    assert "blockIdx.x" in kernels
    assert "lxc_launch" in kernels


def test_targets_for_cards_are_the_best_an_artifact_can_have() -> None:
    names = [one.name for one in targets_named(["cuda", "x86-64-v3", "cuda-sm80"])]
    assert names == ["x86-64-v3", "cuda-sm80", "cuda"]
    alone = [TARGETS[f"cuda-sm{one.capability}"].back_end.images for one in CARDS]
    assert alone == [(one.name,) for one in CARDS]
    assert TARGETS["cuda"].back_end.images == tuple(one.name for one in ALL)


def test_without_a_compiler_for_cards_the_command_that_gets_one_is_told(
    tmp_path: Path, golden: Golden
) -> None:
    place = str(tmp_path)
    with pytest.raises(LxcError) as compiler:
        find_device_compiler(programs=place, packages=[place])
    with pytest.raises(LxcError) as disassembler:
        disassembled(b"", programs=place, packages=[place])
    told = f"{compiler.value}\n{disassembler.value}\n"
    assert compiler.value.code == disassembler.value.code == "LXC-E0309"
    golden.compare(GOLDEN / "cards-without-tools.txt", told)


def program(folder: Path, name: str, text: str) -> str:
    """Write a shell script and return its folder, as one of those of PATH."""
    folder.mkdir()
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(folder)


def test_nvcc_comes_before_nvrtc_and_its_failure_is_told(tmp_path: Path) -> None:
    places = program(tmp_path / "bin", "nvcc", "echo unsupported host compiler >&2; exit 7")
    package(tmp_path / "packages", "nvidia_cuda_nvrtc", "libnvrtc.so.13")
    found = find_device_compiler(programs=places, packages=[str(tmp_path / "packages")])
    with pytest.raises(LxcError, match="nvcc failed with status 7") as caught:
        found.compile("", CARDS[0])
    assert caught.value.code == "LXC-E0310"
    assert "unsupported host compiler" in str(caught.value)


def package(folder: Path, name: str, file: str) -> None:
    """Write what is left of an installed package with one file."""
    about = folder / f"{name}-13.0.dist-info"
    about.mkdir(parents=True)
    (folder / file).write_text("not a library")
    text = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 13.0\n"
    (about / "METADATA").write_text(text)
    (about / "RECORD").write_text(f"{file},,\n")


def test_nvrtc_is_found_in_its_package_and_refused_if_it_is_broken(tmp_path: Path) -> None:
    package(tmp_path / "packages", "nvidia_cuda_nvrtc_cu12", "libnvrtc.so.12")
    with pytest.raises(LxcError, match="cannot map NVRTC") as caught:
        find_device_compiler(programs="", packages=[str(tmp_path / "packages")])
    assert caught.value.code == "LXC-E0310"


def test_instructions_are_those_that_nvdisasm_prints(tmp_path: Path) -> None:
    places = program(tmp_path / "bin", "nvdisasm", "/bin/cat $2")
    assert disassembled(b"IMAD R1, R2, R3\n", programs=places) == "IMAD R1, R2, R3\n"


NVCC = """\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'net_0' for 'sm_80'
ptxas info    : Function properties for net_0
    16 bytes stack frame, 8 bytes spill stores, 12 bytes spill loads
ptxas info    : Used 70 registers, used 1 barriers, 4096 bytes smem, 400 bytes cmem[0]
ptxas info    : Compiling entry function 'lxc_copies' for 'sm_80'
ptxas info    : Function properties for lxc_copies
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 26 registers, used 0 barriers, 384 bytes cmem[0]
"""


@pytest.mark.parametrize("indent", ["    ", "ptxas         .     "])
def test_what_the_assembler_says_is_read_by_kernel(indent: str) -> None:
    found = usages(NVCC.replace("\n    ", f"\n{indent}"))
    taken: dict[str, dict[str, Any]] = {name: one.to_json() for name, one in found.items()}
    assert taken["net_0"] == {
        "registers": 70,
        "shared_bytes": 4096,
        "stack_bytes": 16,
        "spilled_bytes": 12,
    }
    assert [*taken["lxc_copies"].values()] == [26, 0, 0, 0]


def test_dimensions_may_have_the_names_of_things_in_cuda() -> None:
    text = NET
    for name in ("half", "threadIdx", "min"):
        net = text.replace("dim N:", f"dim {name}:").replace("[N,", f"[{name},")
        assert emit(parse_graph(net), TARGETS["cuda-sm90"], "cubin")


@pytest.mark.parametrize(
    ("version", "capabilities", "images", "lacks"),
    [
        (13010, {0: 90}, ("sm_80", "sm_90a", "compute_80"), []),
        (13000, {0: 90}, ("sm_80", "sm_90a", "compute_80"), []),
        (12080, {0: 90}, ("sm_90a",), ["a driver for CUDA 13.0 or newer"]),
        (13000, {0: 120}, ("compute_80",), ["a driver for CUDA 13.1 or newer"]),
        (13010, {0: 120}, ("compute_80",), []),
        (13010, {0: 75, 1: 86}, ("sm_80",), []),
        (12080, {0: 75}, ("sm_80",), ["a card for sm_80"]),
        (0, {}, ("sm_80", "compute_80"), ["a card"]),
    ],
)
def test_what_a_machine_lacks_to_run_code_for_cards_is_said(
    version: int, capabilities: dict[int, int], images: tuple[str, ...], lacks: list[str]
) -> None:
    assert lacks_of(FoundCards(version, capabilities), images, 13010) == lacks


class Thirteen(Emulation):
    """A compiler of CUDA 13.1."""

    def driver(self) -> int:
        return 13010


class Missing(Emulation):
    """No compiler."""

    def driver(self) -> int:
        raise LxcError("LXC-E0309", "no compiler")


def test_the_oldest_compiler_counts_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = TARGETS["cuda-sm90"]
    assert isinstance(target.back_end, Cards)
    monkeypatch.setattr(compiled, "find_cards", lambda _: FoundCards(12040, {0: 90}))
    here, elsewhere = (
        replace(target.back_end, maker=maker) for maker in (Thirteen(), Missing())
    )
    assert here.lacks_to_run(target) == ["a driver for CUDA 13.0 or newer"]
    assert elsewhere.lacks_to_run(target) == []
