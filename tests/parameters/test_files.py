"""What is read, what is refused, and what is not told to a shell."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import lxc
from lxc import nn
from lxc.errors import LxcError
from lxc.parameters.files import arrays_in
from lxc.parameters.listing import SUMMED_AT_ONCE, statistics
from tests.parameters.test_torch import arrays_of, drawn


@pytest.mark.parametrize("name", ["w.pt", "W.PTH", "w.bin", "w.ckpt", "w.pkl", "w.pickle"])
def test_a_pickle_is_never_opened(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    torch.save({"w": torch.ones(2)}, path)
    with pytest.raises(LxcError, match="can run code") as caught:
        arrays_in(path)
    assert caught.value.code == "LXC-E0002"
    assert "weights_only=True" in str(caught.value.hint)


def test_the_command_for_a_pickle_converts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(torch.nn.Linear(3, 2).state_dict(), "w.pt")
    with pytest.raises(LxcError) as caught:
        arrays_in(Path("w.pt"))
    start, code, rest = str(caught.value.hint).split('"')
    assert (start, rest) == ("python -c ", "")
    exec(compile(code, "hint", "exec"), {})  # what the hint says, without a new process
    assert load_file("params.safetensors").keys() == {"weight", "bias"}


@pytest.mark.parametrize("name", ["a'); evil('.pt", "$(evil).h5", "`evil`.msgpack"])
def test_a_name_stays_out_of_the_command(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"?")
    with pytest.raises(LxcError) as caught:
        arrays_in(tmp_path / name)
    assert "evil" not in str(caught.value.hint)
    assert "FILE" in str(caught.value.hint)


def test_an_artifact_without_parameters_or_state_is_told(tmp_path: Path) -> None:
    model = nn.Chain(nn.BatchNorm(3), nn.Dropout(0.5), nn.Dense(3, 2))
    ps, st = lxc.setup(0, model)
    x = drawn(2, 3)
    m = lxc.compile(model, x, ps, lxc.testmode(st), target="x86-64-v2")
    m.save(tmp_path / "bare.lxc")
    with pytest.raises(LxcError) as caught:
        arrays_in(tmp_path / "bare.lxc")
    assert caught.value.code == "LXC-E0410"
    theirs = torch.nn.Sequential(torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 2))
    with pytest.raises(LxcError, match="no state to put") as caught:
        lxc.convert_params(arrays_of(theirs), m)
    assert caught.value.code == "LXC-E0410"
    m.save(tmp_path / "whole.lxc", state=lxc.testmode(st))
    made = lxc.convert_params(arrays_of(theirs), lxc.load(tmp_path / "whole.lxc"))
    by_layer = lxc.convert_params(arrays_of(theirs), model)
    y, _ = m(x, made.params, made.state)
    expected, _ = model(x, by_layer.params, lxc.testmode(by_layer.state))
    np.testing.assert_allclose(y, expected, rtol=2e-5, atol=2e-6)


def test_statistics_of_many_numbers_are_those_of_all() -> None:
    values = np.random.default_rng(0).normal(size=SUMMED_AT_ONCE + 5).astype(np.float32)
    values[3] = np.nan
    found = statistics(values)
    assert found.lowest == np.nanmin(values)
    assert found.highest == np.nanmax(values)
    assert found.mean == pytest.approx(
        float(np.nanmean(values, dtype=np.float64)), abs=1e-9
    )
    assert found.not_finite == 1
