"""lxc run: a compiled model on arrays from files."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file

import lxc
from lxc.runtime.checkpoint import flatten_names, write_checkpoint
from tests.cli.conftest import Cli
from tests.cli.models import net as model

X = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)


def expected(x: np.ndarray, seed: int = 0) -> np.ndarray:
    ps, st = lxc.setup(seed, model)
    y, _ = model(x, ps, lxc.testmode(st))
    return np.asarray(y)


@pytest.mark.parametrize("form", ["x.npy", "x.npz:key", "one.npz", "x.safetensors:key"])
def test_arrays_come_from_files(cli: Cli, net: Path, form: str) -> None:
    np.save("x.npy", X)
    np.savez_compressed("x.npz", key=X, other=X[:1])
    np.savez("one.npz", key=X)
    write_checkpoint("x.safetensors", {"key": X})
    cli("run", "net.lxc", "--input", f"x=@{form}", "--output", "y=@y.npy")
    np.testing.assert_allclose(np.load("y.npy"), expected(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("sizes", [(), ("--dim", "N=5")])
def test_elements_alone_get_their_shape_from_the_model(
    cli: Cli, net: Path, sizes: tuple[str, ...]
) -> None:
    X.tofile("x.raw")
    cli("run", "net.lxc", "--input", "x=@x.raw", *sizes, "--output", "y=@y.npy")
    np.testing.assert_allclose(np.load("y.npy"), expected(X), rtol=1e-5, atol=1e-6)


def test_an_array_comes_through_a_pipe(net: Path) -> None:
    array = io.BytesIO()
    np.save(array, X)
    command = (sys.executable, "-m", "lxc", "run", "net.lxc", "--input", "x=@-")
    saved = subprocess.run(
        (*command, "--output", "y=@y.npy"), input=array.getvalue(), capture_output=True
    )
    assert saved.returncode == 0, saved.stderr
    np.testing.assert_allclose(np.load("y.npy"), expected(X), rtol=1e-5, atol=1e-6)
    cut = subprocess.run(command, input=array.getvalue()[:-1], capture_output=True)
    assert cut.returncode == 2
    assert b"cannot read -: it ends before its last element" in cut.stderr


def test_all_outputs_go_into_a_folder(cli: Cli) -> None:
    source = ("models.py:several", "--input", "x=f32[5,3]", "--target", "x86-64-v2")
    cli("compile", *source, "-o", "several.lxc")
    np.save("x.npy", X)
    cli("run", "several.lxc", "--input", "x=@x.npy", "--save-outputs", "deep/results")
    (path,) = Path("deep/results").iterdir()
    assert path.name == "y.parts.1.0.npy"
    np.testing.assert_array_equal(np.load(path), X)


def test_a_fortran_ordered_array_means_the_same(cli: Cli, net: Path) -> None:
    np.savez("x.npz", key=np.asfortranarray(X))
    cli("run", "net.lxc", "--input", "x=@x.npz:key", "--output", "y=@y.npy")
    np.testing.assert_allclose(np.load("y.npy"), expected(X), rtol=1e-5, atol=1e-6)


def test_a_seed_gives_normal_numbers(cli: Cli, net: Path) -> None:
    arguments = ("run", "net.lxc", "--input", "x=rand(4)", "--dim", "N=6")
    cli(*arguments, "--output", "y=@y.npy")
    drawn = np.random.default_rng(4).standard_normal((6, 3)).astype(np.float32)
    np.testing.assert_allclose(np.load("y.npy"), expected(drawn), rtol=1e-5, atol=1e-6)


def test_zeros_take_the_smallest_size(cli: Cli, net: Path) -> None:
    said = cli("run", "net.lxc", "--input", "x=zeros", "--json").json
    (y,) = said["outputs"].values()
    assert (y["dtype"], y["shape"]) == ("float32", [1, 2])
    np.testing.assert_allclose([y["first"]], expected(X[:1] * 0), rtol=1e-5, atol=1e-6)


def test_a_summary_shows_type_and_first_values(cli: Cli, net: Path) -> None:
    np.save("x.npy", X)
    printed = cli("run", "net.lxc", "--input", "x=@x.npy").out
    assert "float32[5, 2]" in printed
    assert f"{expected(X)[0, 0]:.4}"[:5] in printed
    assert printed.rstrip().endswith("...")


def test_other_parameters_take_the_place_of_the_stored(cli: Cli, net: Path) -> None:
    ps, st = lxc.setup(5, model)
    write_checkpoint("p.safetensors", flatten_names(ps))
    write_checkpoint("s.safetensors", flatten_names(st))
    np.save("x.npy", X)
    files = ("--params", "p.safetensors", "--state-in", "s.safetensors")
    cli("run", "net.lxc", "--input", "x=@x.npy", *files, "--output", "y=@y.npy")
    np.testing.assert_allclose(np.load("y.npy"), expected(X, 5), rtol=1e-5, atol=1e-6)


def test_the_state_goes_round(cli: Cli) -> None:
    source = ("models.py:net", "--input", "x=f32[5,3]", "--mode", "train")
    cli("compile", *source, "--target", "x86-64-v2", "-o", "train.lxc")
    np.save("x.npy", X)
    run = ("run", "train.lxc", "--input", "x=@x.npy", "--state-out", "s.safetensors")
    cli(*run)
    cli(*run, "--state-in", "s.safetensors")
    ps, st = lxc.setup(0, model)
    st = lxc.trainmode(st)
    for _ in range(2):
        _, st = model(X, ps, st)
    stored = load_file("s.safetensors")
    for name, array in flatten_names(st).items():
        np.testing.assert_allclose(stored[name], array, rtol=1e-5, atol=1e-6)


def test_a_kaun_model_runs_with_its_key(cli: Cli) -> None:
    inputs = ("--input", "x=f32[2,3]", "--input", "rngs=u32[2]", "--mode", "train")
    cli("compile", "models.py:layer", *inputs, "--target", "x86-64-v2", "-o", "k.lxc")
    for name in ("a.npy", "b.npy"):
        made = ("--input", "x=rand(1)", "--input", "rngs=rand(2)")
        cli("run", "k.lxc", *made, "--output", f"y=@{name}")
    np.testing.assert_array_equal(np.load("a.npy"), np.load("b.npy"))


def test_bfloat16_comes_in_numpys_unnamed_form(cli: Cli) -> None:
    text = "graph @m lux { input %x: bf16[2] %0: bf16[2] = negate(%x) return %0 }"
    Path("m.lxir").write_text(text)
    cli("compile", "m.lxir", "--target", "x86-64-v2", "-o", "m.lxc")
    np.save("x.npy", np.array([1, -2], ml_dtypes.bfloat16))
    printed = cli("run", "m.lxc", "--input", "x=@x.npy").out
    assert "bfloat16[2]" in printed
    assert "-1 2" in printed


def test_numbers_that_json_lacks_become_words(cli: Cli) -> None:
    text = "graph @m lux { input %x: f32[3] %0: f32[3] = negate(%x) return %0 }"
    Path("m.lxir").write_text(text)
    cli("compile", "m.lxir", "--target", "x86-64-v2", "-o", "m.lxc")
    np.save("x.npy", np.array([np.inf, np.nan, 1], np.float32))
    (y,) = cli("run", "m.lxc", "--input", "x=@x.npy", "--json").json["outputs"].values()
    assert y["first"] == ["-inf", "nan", -1.0]


def test_a_chosen_target_runs(cli: Cli, net: Path) -> None:
    said = cli(
        "run", "net.lxc", "--input", "x=zeros", "--target", "x86-64-v2", "--json"
    ).json
    assert said["target"] == "x86-64-v2"


def test_a_compressed_bomb_is_not_unpacked(cli: Cli, net: Path) -> None:
    header = io.BytesIO()
    huge = {"descr": "<f4", "fortran_order": False, "shape": (1 << 34, 3)}
    np.lib.format.write_array_header_2_0(header, huge)
    with zipfile.ZipFile("bomb.npz", "w") as archive:
        archive.writestr("key.npy", header.getvalue())
    printed = cli("run", "net.lxc", "--input", "x=@bomb.npz:key", status=2).err
    assert "its header does not fit its contents" in printed
    np.savez_compressed("large.npz", key=np.zeros((10_000_000, 3), np.float32))
    printed = cli("run", "net.lxc", "--input", "x=@large.npz:key", status=6).err
    assert "larger than the input can be" in printed


def test_an_object_array_is_refused(cli: Cli, net: Path) -> None:
    np.save("x.npy", np.array([{}, []], object), allow_pickle=True)
    np.savez("x.npz", key=np.array([{}, []], object))
    for form in ("x.npy", "x.npz:key"):
        assert "cannot read" in cli("run", "net.lxc", "--input", f"x=@{form}", status=2).err


def test_parts_of_an_output_may_be_no_arrays(cli: Cli) -> None:
    source = ("models.py:several", "--input", "x=f32[5,3]", "--target", "x86-64-v2")
    cli("compile", *source, "-o", "several.lxc")
    np.save("x.npy", X)
    cli("run", "several.lxc", "--input", "x=@x.npy", "--output", "y.parts.1.0=@y.npy")
    np.testing.assert_array_equal(np.load("y.npy"), X)


def test_a_state_that_is_none_at_first_goes_round(cli: Cli) -> None:
    source = ("models.py:cell", "--input", "x=f32[N,3]", "--dim", "N=1..5")
    target = ("--target", "x86-64-v2")
    np.save("x.npy", X)
    cli("compile", *source, *target, "-o", "fresh.lxc")
    run = ("run", "fresh.lxc", "--input", "x=@x.npy", "--output", "y=@y.npy")
    cli(*run, "--state-out", "s.safetensors")
    assert set(load_file("s.safetensors")) == {"cell.rng", "carry.0", "carry.1"}
    cli(*run, "--state-in", "s.safetensors")
    second = np.load("y.npy")
    cli("compile", *source, *target, "-o", "warm.lxc", "--state", "s.safetensors")
    cli("run", "warm.lxc", "--input", "x=@x.npy", "--output", "y=@y.npy")
    np.testing.assert_array_equal(np.load("y.npy"), second)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"carry.0": None}, "carry.0 is missing"),
        ({"carry.2": X}, "carry.2 is not in the model"),
        ({"carry.1": X}, "carry.1 is float32[5, 3] instead of float32[5, 4]"),
    ],
)
def test_a_stored_state_with_half_a_carry_is_refused(
    cli: Cli, change: dict[str, np.ndarray | None], said: str
) -> None:
    zeros = np.zeros((5, 4), np.float32)
    arrays = {"cell.rng": np.zeros(2, np.uint32), "carry.0": zeros, "carry.1": zeros}
    given = {**arrays, **change}
    write_checkpoint(
        "s.safetensors", {name: a for name, a in given.items() if a is not None}
    )
    source = ("models.py:cell", "--input", "x=f32[5,3]", "--target", "x86-64-v2")
    failed = cli("compile", *source, "-o", "a.lxc", "--state", "s.safetensors", status=5)
    assert said in failed.err
