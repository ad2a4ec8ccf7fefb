"""lxc compile: a model in, one file out."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

import lxc
from lxc.ir.parser import parse
from lxc.runtime.artifact import read
from lxc.runtime.checkpoint import flatten_names, write_checkpoint
from tests.cli.conftest import NET, Cli
from tests.cli.models import net

V2 = ("--target", "x86-64-v2")
X = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)


def test_the_file_runs_like_the_model(cli: Cli) -> None:
    printed = cli("compile", *NET, *V2, "-o", "a.lxc", "--seed", "3").out
    assert "drawn with seed 3" in printed
    assert "x86-64-v2" in printed
    m = lxc.load("a.lxc")
    ps, st = lxc.setup(3, net)
    expected, _ = net(X, ps, lxc.testmode(st))
    result, state = m(X, m.params, m.state)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)
    assert state["layer_2"]["training"] is False


def test_json_says_what_was_written(cli: Cli) -> None:
    said = cli("compile", *NET, *V2, "-o", "digits.lxc", "--json", "--threads", "2").json
    contents = Path("digits.lxc").read_bytes()
    assert said["bytes"] == len(contents)
    assert said["sha256"] == hashlib.sha256(contents).hexdigest()
    assert (said["targets"], said["mode"]) == (["x86-64-v2"], "test")
    artifact = read("digits.lxc")
    assert artifact.signature.name == "digits"
    assert artifact.manifest.options == {
        "exact": False,
        "mode": "test",
        "precision": {"": "float32"},
        "seed": 0,
        "threads": 2,
    }


def test_notes_go_with_the_artifact(cli: Cli) -> None:
    notes = ("--note", "license=MIT", "--note", "training.data=digits, 3 = 2 + 1")
    cli("compile", *NET, *V2, "-o", "a.lxc", *notes)
    m = lxc.load("a.lxc")
    assert m.notes == {"license": "MIT", "training.data": "digits, 3 = 2 + 1"}
    printed = cli("inspect", "a.lxc").out
    assert "note license:" in printed
    cli("upgrade", "a.lxc", "-o", "b.lxc")
    assert lxc.load("b.lxc").notes == m.notes
    m.save("c.lxc", notes={"author": "Ada\x1b\nformat: 9"})
    assert lxc.load("c.lxc").notes == {"author": "Ada\x1b\nformat: 9"}
    assert "Ada\\x1b format: 9" in cli("inspect", "c.lxc").out


def test_memory_may_be_bounded(cli: Cli) -> None:
    cli("compile", *NET, *V2, "-o", "a.lxc")
    memory = read("a.lxc").manifest.memory
    total = memory["raw"] + memory["prepared"]["x86-64-v2"] + memory["arena"]["x86-64-v2"]
    cli("compile", *NET, *V2, "-o", "b.lxc", "--max-memory", f"{total}")
    bundle = ("--emit", "c-bundle", "-o", "bundle")
    cli("compile", *NET, *V2, *bundle, "--max-memory", f"{total / 1000}KB")
    said = cli(
        "compile", *NET, *V2, "-o", "c.lxc", "--max-memory", f"{total - 1}", status=7
    )
    assert f"{total:,} bytes" in said.err
    assert not Path("c.lxc").exists()
    with pytest.raises(lxc.LxcError, match="LXC-E0602"):
        lxc.compile(net, X, *lxc.setup(0, net), target="x86-64-v2", max_memory=total // 2)


def test_the_same_command_writes_the_same_bytes(cli: Cli) -> None:
    for name in ("a.lxc", "b.lxc"):
        cli("compile", *NET, *V2, "-o", name, "--name", "same")
    assert Path("a.lxc").read_bytes() == Path("b.lxc").read_bytes()


def test_a_second_process_writes_the_same_bytes(cli: Cli) -> None:
    options = ("--precision", "bf16", "--note", "license=MIT", "--threads", "1")
    cli("compile", *NET, *V2, *options, "-o", "a.lxc", "--check-reproducible")
    cli("compile", *NET, *V2, *options, "-o", "b.lxc", "--name", "a")
    assert Path("a.lxc").read_bytes() == Path("b.lxc").read_bytes()


def test_several_targets_share_one_file(compiled: Path) -> None:
    names = [target.name for target in read(compiled).targets]
    assert names == ["x86-64-v2", "x86-64-v3"]


def test_the_training_mode_updates_statistics(cli: Cli) -> None:
    cli("compile", *NET, *V2, "-o", "a.lxc", "--mode", "train")
    m = lxc.load("a.lxc")
    _, state = m(X, m.params, m.state)
    before = m.state["layer_2"]["running_mean"]
    assert not np.array_equal(before, state["layer_2"]["running_mean"])


def test_values_come_from_one_file_with_two_sections(cli: Cli) -> None:
    ps, st = lxc.setup(9, net)
    arrays = {f"params.{name}": array for name, array in flatten_names(ps).items()}
    arrays |= {f"state.{name}": array + 1 for name, array in flatten_names(st).items()}
    write_checkpoint("both.safetensors", arrays)
    said = cli(
        "compile", *NET, *V2, "-o", "a.lxc", "--params", "both.safetensors", "--json"
    )
    assert said.json["params"] == said.json["state"] == "both.safetensors"
    m = lxc.load("a.lxc")
    for name, array in flatten_names(m.params).items():
        np.testing.assert_array_equal(array, arrays[f"params.{name}"])
    for name, array in flatten_names(m.state).items():
        np.testing.assert_array_equal(array, arrays[f"state.{name}"])


def test_values_come_from_two_files(cli: Cli) -> None:
    ps, st = lxc.setup(9, net)
    write_checkpoint("p.safetensors", flatten_names(ps))
    write_checkpoint("s.safetensors", flatten_names(st))
    files = ("--params", "p.safetensors", "--state", "s.safetensors")
    cli("compile", *NET, *V2, "-o", "a.lxc", *files)
    weight = lxc.load("a.lxc").params["layer_1"]["weight"]
    np.testing.assert_array_equal(weight, ps["layer_1"]["weight"])


def test_parameters_alone_leave_the_state_of_set_up(cli: Cli) -> None:
    write_checkpoint("p.safetensors", flatten_names(lxc.setup(9, net)[0]))
    said = cli("compile", *NET, *V2, "-o", "a.lxc", "--params", "p.safetensors", "--json")
    assert said.json["state"] == "drawn with seed 0"


def test_a_function_is_called_for_its_model(cli: Cli) -> None:
    cli("compile", "models.py:make", "--input", "x=f32[1,3]", *V2, "-o", "a.lxc")
    assert str(read("a.lxc").signature.outputs.leaves[0]) == "float32[1, 5]"


def test_a_module_is_found_by_its_name(cli: Cli) -> None:
    cli("compile", "models:make", "--input", "x=f32[1,3]", *V2, "-o", "a.lxc")
    assert read("a.lxc").signature.calling == "lux"


def test_an_input_of_several_parts_is_numbered(cli: Cli) -> None:
    inputs = ("--input", "x.0=f32[2,3]", "--input", "x.1=f32[2,4]")
    cli("compile", "models.py:pair", *inputs, *V2, "-o", "a.lxc")
    assert [leaf.name for leaf in read("a.lxc").signature.inputs.leaves] == ["x.0", "x.1"]


def test_a_kaun_model_takes_its_key(cli: Cli) -> None:
    inputs = ("--input", "x=f32[2,3]", "--input", "rngs=u32[2]")
    cli("compile", "models.py:layer", *inputs, *V2, "--mode", "train", "-o", "a.lxc")
    signature = read("a.lxc").signature
    assert (signature.calling, signature.mode) == ("kaun", "train")
    assert [leaf.name for leaf in signature.inputs.leaves] == ["x", "rngs"]


def test_ir_text_compiles_too(cli: Cli) -> None:
    text = """graph @m lux {
  input %x: f32[2]
  param @w: f32[2]
  tree params = {w: *}
  %0: f32[2] = multiply(%x, @w)
  return %0
}"""
    Path("m.lxir").write_text(text)
    write_checkpoint("w.safetensors", {"w": np.array([2, 3], np.float32)})
    cli("compile", "m.lxir", *V2, "-o", "a.lxc", "--params", "w.safetensors")
    m = lxc.load("a.lxc")
    result, _ = m(np.array([5, 7], np.float32), m.params, {})
    np.testing.assert_array_equal(result, [10, 21])


@pytest.mark.parametrize(
    ("kind", "word"),
    [("lxir", "graph @"), ("tir", "def "), ("llvm", "define"), ("asm", ".text")],
)
def test_every_stage_can_be_written(cli: Cli, kind: str, word: str) -> None:
    assert word in cli("compile", *NET, *V2, "--emit", kind).out
    cli("compile", *NET, *V2, "--emit", kind, "-o", "stage.txt")
    assert word in Path("stage.txt").read_text()


def test_a_stage_without_target_is_for_the_most_portable(cli: Cli) -> None:
    plain = cli("compile", *NET, "--emit", "lxir")
    assert plain.err == ""
    assert plain.out == cli("compile", *NET, *V2, "--emit", "lxir").out
    assert "x86-64-v2" in cli("compile", *NET, "--emit", "lxir", "-v").err
    assert "no --target" not in cli("compile", *NET, *V2, "--emit", "lxir", "-v").err
    assert (
        cli("compile", *NET, "--emit", "asm").out
        == cli("compile", *NET, *V2, "--emit", "asm").out
    )
    several = ("--target", "llvm")
    assert "LXC-E0001" in cli("compile", *NET, *several, "--emit", "asm", status=2).err


def test_an_object_file_is_written(cli: Cli) -> None:
    cli("compile", *NET, *V2, "--emit", "obj", "-o", "m.o")
    assert Path("m.o").read_bytes().startswith(b"\x7fELF")


def test_every_stage_is_dumped_in_order(cli: Cli) -> None:
    cli("compile", *NET, *V2, "-o", "a.lxc", "--dump-ir", "stages")
    names = sorted(path.name for path in Path("stages").iterdir())
    assert names[0] == "00-traced.lxir"
    assert [name.partition("-")[2] for name in names[-3:]] == [
        "tir.tir",
        "llvm.ll",
        "assembly.s",
    ]
    assert [int(name[:2]) for name in names] == list(range(len(names)))
    parse(Path("stages/00-traced.lxir").read_text())


def test_steps_are_told_only_when_asked(cli: Cli) -> None:
    arguments = ("compile", *NET, *V2, "-o", "a.lxc")
    assert cli(*arguments).err == ""
    assert "compiling for x86-64-v2" in cli(*arguments, "-v").err


def test_a_foreign_file_is_replaced_only_by_force(cli: Cli) -> None:
    Path("a.lxc").write_text("precious")
    cli("compile", *NET, *V2, "-o", "a.lxc", status=5)
    assert Path("a.lxc").read_text() == "precious"
    cli("compile", *NET, *V2, "-o", "a.lxc", "--force")
    assert read("a.lxc").targets


def test_exact_leaves_out_algorithms_that_are_faster(cli: Cli) -> None:
    Path("conv.lxir").write_text("""graph @m lux {
  input %x: f32[1, 8, 12, 12]
  param @w: f32[8, 8, 3, 3]
  tree params = {w: *}
  %0: f32[1, 8, 10, 10] = conv(%x, @w) {strides = [1, 1], padding = [[0, 0], [0, 0]], \
lhs_dilation = [1, 1], rhs_dilation = [1, 1], groups = 1}
  return %0
}""")
    stage = ("compile", "conv.lxir", *V2, "--emit", "lxir")
    assert "winograd_conv" in cli(*stage).out
    exact = cli(*stage, "--exact").out
    assert "winograd_conv" not in exact
    assert "conv" in exact
    decided = ("explain", "conv.lxir", "--target", "x86-64-v2")
    assert "tiles of 4x4" in cli(*decided).out
    assert "tiles of 4x4" not in cli(*decided, "--exact").out


def test_a_model_for_cards_shows_its_stages_and_what_its_kernels_take(cli: Cli) -> None:
    card = ("--target", "cuda-sm80")
    assert "__global__" in cli("compile", *NET, *card, "--emit", "cuda").out
    cli("compile", *NET, *card, "--dump-ir", "stages", "-o", "net.lxc")
    files = sorted(path.name for path in Path("stages").iterdir())
    assert [name.partition("-")[2] for name in files[-3:]] == [
        "tir.tir",
        "cuda.cu",
        "text.ptx",
    ]
    assert ".target sm_80" in (Path("stages") / files[-1]).read_text()
    shown = cli("inspect", "net.lxc", "--kernels").out
    assert "cuda-sm80: built, and checked without a card" in shown
    assert "registers" in shown
    (target,) = cli("inspect", "net.lxc", "--json").json["targets"]
    assert target["images"] == ["sm_80"]
    taken = [kernel["cards"]["sm_80"]["registers"] for kernel in target["kernels"]]
    assert taken
    assert all(0 < registers <= 255 for registers in taken)
    assert cli("explain", *NET, *card).out == cli("explain", "net.lxc").out
