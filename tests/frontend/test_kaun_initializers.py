"""Kaun's initialisers: bounds, spread and errors."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest, norm, truncnorm, uniform

from lxc import kaun
from lxc.errors import LxcError

F32 = np.dtype(np.float32)


def draws(initializer: Any, *shape: int, dtype: Any = F32) -> Any:
    return initializer(np.random.default_rng(0), shape, np.dtype(dtype))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_ini_01_constants_have_the_model_s_type(dtype: str) -> None:
    for initializer, value in ((kaun.zeros, 0), (kaun.ones, 1), (kaun.constant(2.5), 2.5)):
        filled = draws(initializer, 2, 3, dtype=dtype)
        assert filled.dtype == dtype
        assert (filled == np.full((2, 3), value)).all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_ini_02_uniform_is_one_sided_and_below_its_scale(dtype: str) -> None:
    drawn = draws(kaun.uniform(), 100_000, dtype=dtype)
    assert drawn.dtype == dtype
    assert drawn.min() >= 0
    assert drawn.max() < np.asarray(0.01, dtype)
    wide = draws(kaun.uniform(scale=3.0), 20_000)
    assert kstest(wide, uniform(0, 3).cdf).pvalue > 0.001


def test_ini_03_normal_has_its_deviation() -> None:
    drawn = draws(kaun.normal(stddev=0.5), 20_000)
    assert kstest(drawn, norm(0, 0.5).cdf).pvalue > 0.001
    assert draws(kaun.normal(), 20_000).std() == pytest.approx(0.01, rel=0.02)


OTHER: Any = "cauchy"
SHAPE = (8, 4, 3, 3)
CONV = {"in_axis": 1, "out_axis": 0}


@pytest.mark.parametrize(
    ("mode", "count"), [("fan_in", 36), ("fan_out", 72), ("fan_avg", 54)]
)
def test_ini_04_the_variance_is_scale_over_the_fan(mode: Any, count: int) -> None:
    deviation = (2 / count) ** 0.5
    half = 3**0.5 * deviation
    cut = deviation / 0.87962566103423978
    laws: dict[Any, Any] = {
        "normal": norm(0, deviation),
        "uniform": uniform(-half, 2 * half),
        "truncated_normal": truncnorm(-2, 2, 0, cut),
    }
    for distribution, law in laws.items():
        made = kaun.variance_scaling(2.0, mode, distribution, **CONV)
        rng = np.random.default_rng(1)
        drawn = np.concatenate([made(rng, SHAPE, F32).ravel() for _ in range(40)])
        assert kstest(drawn, law.cdf).pvalue > 0.001
        assert drawn.std() == pytest.approx(deviation, rel=0.03)


def test_ini_05_fans_follow_the_rank() -> None:
    assert np.abs(draws(kaun.glorot_uniform(), 50_000)).max() == pytest.approx(
        (6 / 100_000) ** 0.5, rel=0.01
    )
    rng = np.random.default_rng(0)
    scalars = [abs(float(kaun.glorot_uniform()(rng, (), F32))) for _ in range(500)]
    assert max(scalars) == pytest.approx(3**0.5, rel=0.02)
    kernel = draws(kaun.glorot_uniform(**CONV), 80, 40, 3, 3)
    assert np.abs(kernel).max() == pytest.approx((6 / 1080) ** 0.5, rel=0.01)


@pytest.mark.parametrize(
    ("initializer", "bound"),
    [
        (kaun.glorot_uniform(), (6 / 600) ** 0.5),
        (kaun.he_uniform(), (6 / 200) ** 0.5),
        (kaun.lecun_uniform(), (3 / 200) ** 0.5),
    ],
    ids=["glorot", "he", "lecun"],
)
def test_ini_06_07_08_uniform_bounds(initializer: Any, bound: float) -> None:
    drawn = draws(initializer, 200, 400)
    assert kstest(drawn.ravel(), uniform(-bound, 2 * bound).cdf).pvalue > 0.001
    assert 0.999 * bound < np.abs(drawn).max() <= bound * (1 + 1e-6)


@pytest.mark.parametrize(
    ("initializer", "deviation"),
    [
        (kaun.glorot_normal(), (2 / 600) ** 0.5),
        (kaun.he_normal(), (2 / 200) ** 0.5),
        (kaun.lecun_normal(), (1 / 200) ** 0.5),
    ],
    ids=["glorot", "he", "lecun"],
)
def test_ini_06_07_08_normals_are_cut_and_keep_their_variance(
    initializer: Any, deviation: float
) -> None:
    drawn = draws(initializer, 200, 400)
    assert drawn.std() == pytest.approx(deviation, rel=0.01)
    assert np.abs(drawn).max() <= 2 * deviation / 0.8796 * (1 + 1e-6)
    assert np.abs(drawn).max() > 2.2 * deviation


@pytest.mark.parametrize(
    "make",
    [
        lambda: kaun.uniform(-1),
        lambda: kaun.normal(-1),
        lambda: kaun.variance_scaling(-1, "fan_in", "normal"),
        lambda: kaun.variance_scaling(1, OTHER, "normal"),
        lambda: kaun.variance_scaling(1, "fan_in", OTHER),
        lambda: draws(kaun.glorot_uniform(in_axis=2), 3, 4),
        lambda: draws(kaun.glorot_uniform(out_axis=-3), 3, 4),
        lambda: draws(kaun.glorot_uniform(), 0, 4),
    ],
)
def test_ini_09_values_that_make_no_sense_are_refused(make: Any) -> None:
    with pytest.raises(LxcError) as error:
        make()
    assert error.value.code == "LXC-E0101"
