"""Parameters in files of their own, and what does not fit."""

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import lxc
from lxc import kaun, nn
from lxc.commands.leaves import SECTIONS, section_of
from lxc.errors import LxcError
from lxc.runtime.load_report import MOST_SHOWN, Difference, Unmatched

Array = np.ndarray[Any, Any]


def model() -> Any:
    return nn.Chain(nn.Dense(3, 4, nn.relu), nn.BatchNorm(4), nn.Dense(4, 2))


def saved(path: Path, **changes: Array | None) -> Path:
    """Write the parameters of seed 1 with some of them changed or, for None, left out."""
    ps, _ = lxc.setup(1, model())
    arrays: dict[str, Any] = {**lxc.flat_names(ps), **changes}
    save_file({n: a for n, a in arrays.items() if a is not None}, path / "p.safetensors")
    return path / "p.safetensors"


def test_parameters_come_back_as_read_only_views_of_the_file(tmp_path: Path) -> None:
    ps, _ = lxc.setup(1, model())
    lxc.save_params(tmp_path / "p.safetensors", ps)
    like, _ = lxc.setup(0, model())
    loaded, report = lxc.load_params(tmp_path / "p.safetensors", like)
    assert report.complete
    assert str(report) == "6 of 6 leaves loaded"
    for name, array in lxc.flat_names(loaded).items():
        np.testing.assert_array_equal(array, lxc.flat_names(ps)[name], strict=True)
        assert not array.flags.writeable
        assert not array.flags.owndata
    assert load_file(tmp_path / "p.safetensors").keys() == lxc.flat_names(ps).keys()


def test_loaded_parameters_run_in_an_artifact(tmp_path: Path) -> None:
    layer = nn.Dense(3, 2)
    ps, st = lxc.setup(1, layer)
    lxc.save_params(tmp_path / "p.safetensors", ps)
    loaded, _ = lxc.load_params(tmp_path / "p.safetensors", lxc.setup(0, layer)[0])
    x = np.ones((1, 3), np.float32)
    m = lxc.compile(layer, x, loaded, st, target="x86-64-v2")
    np.testing.assert_array_equal(m(x, loaded, st)[0], m(x, ps, st)[0])


def test_the_state_keeps_its_settings(tmp_path: Path) -> None:
    _, st = lxc.setup(0, model())
    lxc.save_params(tmp_path / "s.safetensors", st)
    again, report = lxc.load_params(tmp_path / "s.safetensors", lxc.testmode(st))
    assert report.loaded == 2
    assert again["layer_2"]["training"] is False


def test_variables_are_saved_and_loaded_as_a_whole(tmp_path: Path) -> None:
    layer = kaun.sequential([kaun.linear(2, 3), kaun.relu(), kaun.batch_norm(3)])
    vars = kaun.init(layer, rng=1)
    lxc.save_params(tmp_path / "v.safetensors", vars)
    again, report = lxc.load_params(tmp_path / "v.safetensors", kaun.init(layer))
    assert report.loaded == 6
    np.testing.assert_array_equal(again.params[0]["weight"], vars.params[0]["weight"])
    x = np.ones((2, 2), np.float32)
    np.testing.assert_array_equal(
        kaun.apply(layer, again, x)[0], kaun.apply(layer, vars, x)[0]
    )


@pytest.mark.parametrize(
    "dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64], ids=str
)
@pytest.mark.parametrize("stored", [np.float16, np.float32, np.float64], ids=str)
def test_floats_are_converted_to_the_type_of_the_model(
    tmp_path: Path, dtype: Any, stored: Any
) -> None:
    values = np.array([1.5, -0.25, 1e-3]).astype(stored)
    save_file({"w": values}, tmp_path / "p.safetensors")
    like = {"w": np.zeros(3, dtype)}
    loaded, report = lxc.load_params(tmp_path / "p.safetensors", like)
    assert loaded["w"].dtype == dtype
    np.testing.assert_array_equal(loaded["w"], values.astype(dtype))
    assert [d.name for d in report.cast] == ([] if dtype == stored else ["w"])


@pytest.mark.parametrize(
    ("stored", "wanted"), [(np.int32, np.float32), (np.float32, np.int32), (bool, np.int8)]
)
def test_nothing_but_floats_is_converted(tmp_path: Path, stored: Any, wanted: Any) -> None:
    save_file({"w": np.ones(3, stored)}, tmp_path / "p.safetensors")
    with pytest.raises(LxcError, match="does not fit") as caught:
        lxc.load_params(tmp_path / "p.safetensors", {"w": np.zeros(3, wanted)})
    assert caught.value.code == "LXC-E0409"


def test_columns_lose_their_axes_of_size_one(tmp_path: Path) -> None:
    bias = np.arange(4, dtype=np.float32)
    path = saved(tmp_path, **{"layer_1.bias": bias.reshape(4, 1)})
    loaded, report = lxc.load_params(path, lxc.setup(0, model())[0])
    np.testing.assert_array_equal(loaded["layer_1"]["bias"], bias)
    assert report.squeezed == (Difference("layer_1.bias", "float32[4]", "float32[4, 1]"),)
    conv = {"bias": np.zeros(4, np.float32), "weight": np.zeros((4, 1, 3, 1), np.float32)}
    save_file(
        {"bias": bias.reshape(1, 4, 1, 1), "weight": np.ones((4, 1, 3, 1), np.float32)},
        path,
    )
    loaded, _ = lxc.load_params(path, conv)
    np.testing.assert_array_equal(loaded["bias"], bias)
    save_file({**conv, "weight": np.ones((4, 1, 1, 3), np.float32)}, path)
    with pytest.raises(LxcError, match="weight does not fit"):
        lxc.load_params(path, conv)


def test_names_that_the_model_lacks_are_ignored_and_reported(tmp_path: Path) -> None:
    path = saved(tmp_path, step=np.zeros(1), optimizer=np.zeros(2))
    loaded, report = lxc.load_params(path, lxc.setup(0, model())[0])
    assert {entry.name for entry in report.unexpected} == {"optimizer", "step"}
    assert report.complete
    assert loaded.keys() == {"layer_1", "layer_2", "layer_3"}


def test_a_missing_leaf_is_an_error_that_offers_the_nearest_name(tmp_path: Path) -> None:
    kernel = np.zeros((4, 3), np.float32)
    path = saved(tmp_path, **{"layer_1.weight": None, "layer_1.kernel": kernel})
    with pytest.raises(LxcError) as caught:
        lxc.load_params(path, lxc.setup(0, model())[0])
    assert caught.value.code == "LXC-E0409"
    assert "layer_1.weight is missing; there is layer_1.kernel" in str(caught.value)
    like, _ = lxc.setup(0, model())
    loaded, report = lxc.load_params(path, like, strict=False)
    assert report.missing == (Unmatched("layer_1.weight", ("layer_1.kernel",)),)
    assert report.unexpected == (Unmatched("layer_1.kernel", ("layer_1.weight",)),)
    assert loaded["layer_1"]["weight"] is like["layer_1"]["weight"]
    assert not report.complete
    renamed, report = lxc.load_params(
        path, like, rename={"layer_1.weight": "layer_1.kernel"}
    )
    np.testing.assert_array_equal(renamed["layer_1"]["weight"], kernel)
    assert report.complete


def test_a_leaf_of_another_shape_is_an_error_with_both_types(tmp_path: Path) -> None:
    path = saved(tmp_path, **{"layer_3.weight": np.zeros((4, 2), np.float32)})
    like, _ = lxc.setup(0, model())
    with pytest.raises(LxcError) as caught:
        lxc.load_params(path, like)
    assert (
        "layer_3.weight does not fit: the model has float32[2, 4], found float32[4, 2]"
        in (str(caught.value))
    )
    loaded, report = lxc.load_params(path, like, strict=False)
    assert report.misshaped == (
        Difference("layer_3.weight", "float32[2, 4]", "float32[4, 2]"),
    )
    assert loaded["layer_3"]["weight"] is like["layer_3"]["weight"]
    assert report.loaded == 5


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        **{"layer_1.weight": None, "layer_3.bias": None, "layer_2.scale": np.zeros(5)},
    )
    with pytest.raises(LxcError) as caught:
        lxc.load_params(path, lxc.setup(0, model())[0])
    for name in ("layer_1.weight", "layer_3.bias", "layer_2.scale"):
        assert f"{name} " in str(caught.value.actual)


def test_what_may_be_absent_stays_none_or_is_loaded(tmp_path: Path) -> None:
    like = {"carry": None, "mean": np.zeros(2, np.float32)}
    lxc.save_params(tmp_path / "s.safetensors", like)
    assert list(load_file(tmp_path / "s.safetensors")) == ["mean"]
    loaded, report = lxc.load_params(tmp_path / "s.safetensors", like)
    assert loaded["carry"] is None
    assert report.complete
    lxc.save_params(tmp_path / "s.safetensors", {**like, "carry": np.ones(3)})
    loaded, report = lxc.load_params(tmp_path / "s.safetensors", like)
    assert loaded["carry"].tolist() == [1, 1, 1]
    assert report.unexpected == ()


def test_places_of_one_array_get_one_array(tmp_path: Path) -> None:
    tied = np.zeros(3, np.float32)
    like = {"embedding": tied, "head": [tied], "other": np.zeros(3, np.float32)}
    values = {"embedding": np.ones(3, np.float32), "other": np.ones(3, np.float32)}
    path = tmp_path / "p.safetensors"
    for stored in (values, {**values, "head.0": np.ones(3, np.float32)}):
        save_file(stored, path)
        loaded, report = lxc.load_params(path, like)
        assert loaded["head"][0] is loaded["embedding"]
        assert loaded["other"] is not loaded["embedding"]
        assert report.loaded == 3
    save_file({**values, "head.0": np.zeros(3, np.float32)}, path)
    with pytest.raises(LxcError, match=r"head\.0 does not fit.*the values of embedding"):
        lxc.load_params(path, like)


def test_a_report_shows_a_part_of_many_names(tmp_path: Path) -> None:
    like = {f"w{place}": np.zeros(1, np.float32) for place in range(MOST_SHOWN + 10)}
    save_file({"x": np.zeros(1)}, tmp_path / "p.safetensors")
    _, report = lxc.load_params(tmp_path / "p.safetensors", like, strict=False)
    assert len(report.missing) == MOST_SHOWN + 10
    assert "and 10 more missing" in str(report)
    assert len(str(report).splitlines()) == 1 + MOST_SHOWN + 1 + 1


def test_files_that_cannot_be_read_or_written_are_coded_errors(tmp_path: Path) -> None:
    for act in (
        lambda: lxc.load_params(tmp_path / "none.safetensors", {}),
        lambda: lxc.load_params(tmp_path, {}),
        lambda: lxc.save_params(tmp_path / "no" / "such.safetensors", {"a": np.zeros(1)}),
    ):
        with pytest.raises(LxcError) as caught:
            act()
        assert caught.value.code == "LXC-E0002"
    (tmp_path / "bad.safetensors").write_bytes(b"\0" * 20)
    with pytest.raises(LxcError) as caught:
        lxc.load_params(tmp_path / "bad.safetensors", {})
    assert caught.value.code == "LXC-E0409"


def test_the_command_line_finds_the_parts_of_variables(tmp_path: Path) -> None:
    layer = kaun.sequential([kaun.linear(2, 3), kaun.batch_norm(3)])
    lxc.save_params(tmp_path / "v.safetensors", kaun.init(layer))
    parts = [section_of(tmp_path / "v.safetensors", name) for name in SECTIONS]
    assert set(parts[0]) == {"0.weight", "0.bias", "1.scale", "1.bias"}
    assert set(parts[1]) == {"1.running_mean", "1.running_var"}
