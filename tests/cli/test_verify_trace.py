"""lxc verify finds the first kernel that goes wrong, and says how far results are off."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lxc.ir.node import Node
from lxc.runtime.artifact import read
from lxc.targets.cuda import launches
from lxc.targets.cuda.kernel import make_device_kernel
from lxc.targets.llvm import kernel_calls
from lxc.targets.llvm.kernel import make_kernel
from tests.cli.conftest import Cli
from tests.emulation.machines import cards

IR = "ir/traced.lxir"
WIDTHS = (3, 4, 5, 6, 7)
SIZES = ("--input", "x=f32[N,3]", "--dim", "N=1..8")
RANGES = (*SIZES, "--target", "x86-64-v3")
ZERO, OTHER = "value = [0x0p+0]", "value = [0x1p-2]"
ALTERED = 0.25


def write_source() -> None:
    """Write a model with layers of different sizes, and one of equal ones."""
    layers = [f"nn.Dense({a}, {b}, nn.relu)" for a, b in pairwise(WIDTHS)]
    layers.insert(2, f"nn.BatchNorm({WIDTHS[2]})")
    Path("chains.py").write_text(
        "from lxc import nn\n"
        f"net = nn.Chain({', '.join(layers)}, nn.Dense({WIDTHS[-1]}, 2))\n"
        "loop = nn.Recurrence(nn.GRUCell(3, 4))\n"
        "steps = nn.Chain(nn.Dense(3, 3), loop, nn.Dense(4, 2))\n"
        "even = nn.Chain(*[nn.Dense(3, 3, nn.relu) for _ in range(6)])\n"
    )


def planted(monkeypatch: pytest.MonkeyPatch, layer: str, op: str) -> None:
    """Let every compilation get a constant wrong, in the kernel of a layer with an op."""

    def wrong(make: Any, name: str, node: Node, *rest: Any, **options: Any) -> Any:
        ops = {inner.op.name for body in node.bodies for inner in body.nodes}
        if layer in node.location.layers and op in ops:
            node = replace(node, bodies=tuple(map(altered_body, node.bodies)))
        return make(name, node, *rest, **options)

    def altered_body(body: Any) -> Any:
        return replace(body, nodes=tuple(map(altered, body.nodes)))

    def altered(inner: Node) -> Node:
        if inner.op.name != "constant":
            return inner
        return replace(inner, attributes={**inner.attributes, "value": (ALTERED,)})

    monkeypatch.setattr(kernel_calls, "make_kernel", partial(wrong, make_kernel))
    on_card = partial(wrong, make_device_kernel)
    monkeypatch.setattr(launches, "make_device_kernel", on_card)


def altered_ir(path: Path, layer: str) -> None:
    """Let the IR in an artifact have another constant than the code, in one layer."""
    artifact = read(path)
    lines = artifact.read(IR).decode().splitlines(keepends=True)
    places = [i for i, line in enumerate(lines) if ZERO in line and f"at {layer} " in line]
    lines[places[0]] = lines[places[0]].replace(ZERO, OTHER)
    path.write_bytes(artifact.with_members({IR: "".join(lines).encode()}))


@pytest.fixture
def card() -> Iterator[None]:
    """Run code for cards on what stands in for one."""
    with cards():
        yield


def only_trace(said: Mapping[str, Any]) -> Any:
    """Return the trace of the only target."""
    (target,) = said["targets"]
    return target["trace"]


@pytest.mark.parametrize("target", ["x86-64-v3", "cuda"])
@pytest.mark.parametrize(
    ("layer", "op", "phase"),
    [("layer_4", "maximum", "run"), ("layer_3", "sqrt", "prepare")],
)
@pytest.mark.usefixtures("card")
def test_a_kernel_that_is_compiled_wrongly_is_named(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, target: str, layer: str, op: str, phase: str
) -> None:
    write_source()
    planted(monkeypatch, layer, op)
    cli("compile", "chains.py:net", *SIZES, "--target", target, "-o", "m.lxc")
    said = cli("verify", "m.lxc", "--json", status=1).json
    trace = only_trace(said)
    assert trace["reproduced"]
    assert 0 < trace["read"] <= trace["values"]
    found = trace["finding"]
    (suspect,) = found["suspects"]
    assert layer in suspect["layers"]
    assert op in suspect["op"]
    kernels = cli("inspect", "m.lxc", "--json").json["targets"][0]["kernels"]
    (named,) = [kernel for kernel in kernels if [kernel["name"]] == suspect["kernels"]]
    assert layer in named["layers"]
    assert found["phase"] == phase
    assert found["error"] > found["allowed"] >= found["numpy_error"]
    assert abs(found["found"] - found["exact"]) > 0
    printed = cli("verify", "m.lxc", status=1).out
    assert f"the first wrong value in {'a call' if phase == 'run' else phase} is" in printed
    assert f"({suspect['kernels'][0]})" in printed


def test_a_loop_is_named_with_the_kernels_of_its_steps(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_source()
    planted(monkeypatch, "layer_2", "logistic")
    shapes = ("--input", "x=f32[N,T,3]", "--dim", "T=1..9", *RANGES[2:])
    cli("compile", "chains.py:steps", *shapes, "-o", "m.lxc")
    trace = only_trace(cli("verify", "m.lxc", "--json", status=1).json)
    assert trace["reproduced"]
    (suspect,) = trace["finding"]["suspects"]
    assert suspect["layers"] == ["layer_2"]
    kernels = cli("inspect", "m.lxc", "--json").json["targets"][0]["kernels"]
    (wrong,) = [kernel["name"] for kernel in kernels if "logistic" in kernel["ops"]]
    assert wrong in suspect["kernels"]
    assert len(suspect["kernels"]) < len(kernels) // 2


def test_an_altered_number_in_a_library_is_found(cli: Cli) -> None:
    write_source()
    cli("compile", "chains.py:net", *RANGES, "-o", "m.lxc")
    path, member = Path("m.lxc"), "code/x86-64-v3/model.so"
    library, epsilon = read(path).read(member), np.float32(1e-5).tobytes()
    assert library.count(epsilon) == 1
    library = library.replace(epsilon, np.float32(1).tobytes())
    path.write_bytes(read(path).with_members({member: library}))
    trace = only_trace(cli("verify", "m.lxc", "--json", status=1).json)
    assert not trace["reproduced"]
    assert trace["finding"]["phase"] == "prepare"
    (suspect,) = trace["finding"]["suspects"]
    assert "sqrt" in suspect["op"]
    assert suspect["layers"] == ["layer_3"]


@pytest.mark.parametrize("target", ["x86-64-v3", "cuda"])
@pytest.mark.usefixtures("card")
def test_code_that_its_ir_does_not_become_is_read_itself(cli: Cli, target: str) -> None:
    write_source()
    for name, path in (("net", "m.lxc"), ("even", "even.lxc")):
        cli("compile", f"chains.py:{name}", *SIZES, "--target", target, "-o", path)
    altered_ir(Path("m.lxc"), "layer_5")
    trace = only_trace(cli("verify", "m.lxc", "--json", status=1).json)
    assert not trace["reproduced"]
    assert trace["finding"]["suspects"][-1]["layers"] == ["layer_5"]
    # Here the values of the first layers are overwritten by those of the last ones.
    altered_ir(Path("even.lxc"), "layer_2")
    trace = only_trace(cli("verify", "even.lxc", "--json", status=1).json)
    assert not trace["reproduced"]
    assert trace["read"] < trace["values"]
    suspects = [one["layers"] for one in trace["finding"]["suspects"]]
    assert ["layer_2"] in suspects
    assert ["layer_6"] not in suspects
    printed = cli("verify", "even.lxc", status=1).out
    assert "one of what is in front of it may be at fault too:" in printed


@pytest.mark.parametrize("target", ["x86-64-v3", "cuda"])
@pytest.mark.usefixtures("card")
def test_the_kernels_of_right_code_are_right(cli: Cli, target: str) -> None:
    write_source()
    cli("compile", "chains.py:net", *SIZES, "--target", target, "-o", "m.lxc")
    assert only_trace(cli("verify", "m.lxc", "--json").json) is None
    said = cli("verify", "m.lxc", "--trace", "--json").json
    trace = only_trace(said)
    assert said["agrees"]
    assert trace["reproduced"]
    assert trace["finding"] is None
    assert trace["read"] == trace["values"] > len(WIDTHS)
    assert "each of them is right" in cli("verify", "m.lxc", "--trace").out


def test_other_kernels_than_those_of_the_ir_are_told(cli: Cli) -> None:
    write_source()
    cli("compile", "chains.py:net", *RANGES, "-o", "m.lxc")
    path = Path("m.lxc")
    text = read(path).read(IR).decode().replace(" maximum(", " minimum(", 1)
    path.write_bytes(read(path).with_members({IR: text.encode()}))
    printed = cli("verify", "m.lxc", status=1).out
    assert "its first wrong kernel cannot be told: the IR becomes other kernels" in printed
    assert "minimum" in printed


def test_the_first_number_out_of_range_is_named(cli: Cli) -> None:
    Path("m.lxir").write_text(
        "graph @m lux {\n  input %x: f32[4]\n  %0: f32[4] = negate(%x)\n"
        "  %1: f32[4] = exp(%0)\n  %2: f32[4] = sqrt(%1)\n  return %2\n}\n"
    )
    cli("compile", "m.lxir", "--target", "x86-64-v3", "-o", "m.lxc")
    np.save("x.npy", np.array([1, 2, -100, -120], np.float32))
    said = cli("verify", "m.lxc", "--input", "x=@x.npy", "--json", status=1).json
    lost = said["out_of_range"]
    assert lost["op"].startswith("exp")
    assert (lost["found"], lost["count"]) == ("inf", 2)
    assert lost["exact"] == pytest.approx(np.exp(100))
    printed = cli("verify", "m.lxc", "--input", "x=@x.npy", "--histogram", status=1).out
    assert "first number out of range: exp" in printed
    assert "not finite" in printed
    np.save("x.npy", np.ones(4, np.float32))
    said = cli("verify", "m.lxc", "--input", "x=@x.npy", "--trace", "--json").json
    assert said["out_of_range"] is None


def test_a_histogram_counts_every_element(cli: Cli, net: Path) -> None:
    said = cli("verify", "net.lxc", "--json").json
    for target in said["targets"]:
        (result,) = target["results"]
        groups = result["histogram"]["groups"]
        assert sum(group["count"] for group in groups) == 5 * 2
        assert result["histogram"]["not_finite"] == 0
        bounds = [group["ulp"] for group in groups]
        assert bounds == sorted(bounds)
        assert bounds[-1] / 2 < result["max_ulp"] <= bounds[-1]
    printed = cli("verify", "net.lxc", "--histogram").out
    assert "x86-64-v2, distances in ULP" in printed
