"""Kaun's initialisers: bounds, spread and errors."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest, norm, truncnorm, uniform

from lxc import kaun
from lxc.errors import LxcError
from tests.conformance.rows import row

HOST = "initial values are drawn in Python"
F32 = np.dtype(np.float32)
CUT = 0.87962566103423978
DTYPES = ("float16", "bfloat16", "float32", "float64")


def drawn(initializer: Any, *shape: int, dtype: Any = F32, seed: int = 0) -> Any:
    """Return what an initialiser draws from a seed."""
    return initializer(np.random.default_rng(seed), shape, np.dtype(dtype))


def follows(numbers: Any, law: Any) -> bool:
    """Return whether numbers may come from a law of scipy."""
    return bool(kstest(numbers.ravel().astype(np.float64), law.cdf).pvalue > 0.001)


@pytest.mark.parametrize(
    ("initializer", "value"),
    [
        pytest.param(kaun.zeros, 0, marks=row("INI-01a", eager_because=HOST)),
        pytest.param(kaun.ones, 1, marks=row("INI-01b", eager_because=HOST)),
        pytest.param(kaun.constant(2.5), 2.5, marks=row("INI-01c", eager_because=HOST)),
    ],
)
def test_constants_have_the_model_s_type(initializer: Any, value: float) -> None:
    for dtype in DTYPES:
        filled = kaun.init(kaun.linear(2, 3, weight_init=initializer), dtype).params
        assert filled["weight"].dtype.name == dtype
        assert (filled["weight"] == np.full((2, 3), value)).all()


@row("INI-02", eager_because=HOST)
@row("T43", eager_because=HOST)
@pytest.mark.parametrize("dtype", DTYPES)
def test_uniform_is_one_sided_and_below_its_scale(dtype: str) -> None:
    witness = kaun.make_vars([], [], dtype).dtype
    numbers = drawn(kaun.uniform(), 100_000, dtype=witness)
    assert numbers.dtype == witness
    assert numbers.min() >= 0
    assert numbers.max() < np.asarray(0.01, witness)
    assert numbers.astype(np.float64).mean() == pytest.approx(0.005, rel=0.01)
    assert follows(drawn(kaun.uniform(scale=3.0), 20_000), uniform(0, 3))


@row("INI-03", eager_because=HOST)
def test_normal_has_its_deviation() -> None:
    assert follows(drawn(kaun.normal(stddev=0.5), 20_000), norm(0, 0.5))
    assert drawn(kaun.normal(), 20_000).std() == pytest.approx(0.01, rel=0.02)


@row("INI-04", eager_because=HOST)
@pytest.mark.parametrize(
    ("mode", "count"), [("fan_in", 36), ("fan_out", 72), ("fan_avg", 54)]
)
def test_the_variance_is_scale_over_the_fan(mode: Any, count: int) -> None:
    deviation = (2 / count) ** 0.5
    half = 3**0.5 * deviation
    laws: dict[Any, Any] = {
        "normal": norm(0, deviation),
        "uniform": uniform(-half, 2 * half),
        "truncated_normal": truncnorm(-2, 2, 0, deviation / CUT),
    }
    for distribution, law in laws.items():
        made = kaun.variance_scaling(2.0, mode, distribution, in_axis=1, out_axis=0)
        rng = np.random.default_rng(1)
        numbers = np.concatenate([made(rng, (8, 4, 3, 3), F32) for _ in range(40)])
        assert follows(numbers, law)
        assert numbers.std() == pytest.approx(deviation, rel=0.03)


@row("INI-05", eager_because=HOST)
@row("T44", eager_because=HOST)
def test_fans_come_from_the_named_axes() -> None:
    kernels = [drawn(kaun.glorot_uniform(1, 0), 8, 4, 3, 3, seed=s) for s in range(20)]
    bound = (6 / (36 + 72)) ** 0.5
    assert bound == pytest.approx(0.235702, rel=1e-5)
    assert 0.99 * bound < np.abs(kernels).max() <= np.float32(bound)
    # The last two axes are the default: 3 * 32 inputs and 3 * 32 outputs.
    kernels = [drawn(kaun.glorot_uniform(), 8, 4, 3, 3, seed=s) for s in range(20)]
    assert np.abs(kernels).max() == pytest.approx((6 / 192) ** 0.5, rel=0.01)
    line = np.abs(drawn(kaun.glorot_uniform(in_axis=5), 50_000)).max()
    assert line == pytest.approx((6 / 100_000) ** 0.5, rel=0.01)
    # With both on one axis it counts once: 2 * 3 * 1000 inputs and outputs.
    cube = np.abs(drawn(kaun.glorot_uniform(0, 0), 2, 3, 1000)).max()
    assert cube == pytest.approx((6 / 12_000) ** 0.5, rel=0.01)
    points = [abs(float(drawn(kaun.glorot_uniform(), seed=s))) for s in range(500)]
    assert max(points) == pytest.approx(3**0.5, rel=0.02)


@pytest.mark.parametrize(
    ("initializer", "shape", "bound", "law"),
    [
        pytest.param(
            kaun.glorot_uniform(), (4, 2), 1, uniform(-1, 2),
            marks=row("INI-06a", eager_because=HOST),
        ),
        pytest.param(
            kaun.he_uniform(), (6, 7), 1, uniform(-1, 2),
            marks=row("INI-07a", eager_because=HOST),
        ),
        pytest.param(
            kaun.lecun_uniform(), (3, 5), 1, uniform(-1, 2),
            marks=row("INI-08a", eager_because=HOST),
        ),
        pytest.param(
            kaun.glorot_normal(), (6, 2), 1 / CUT, truncnorm(-2, 2, 0, 0.5 / CUT),
            marks=[row("INI-06b", eager_because=HOST), row("T43", eager_because=HOST)],
        ),
        pytest.param(
            kaun.he_normal(), (8, 3), 1 / CUT, truncnorm(-2, 2, 0, 0.5 / CUT),
            marks=[row("INI-07b", eager_because=HOST), row("T43", eager_because=HOST)],
        ),
        pytest.param(
            kaun.lecun_normal(), (4, 3), 1 / CUT, truncnorm(-2, 2, 0, 0.5 / CUT),
            marks=[row("INI-08b", eager_because=HOST), row("T43", eager_because=HOST)],
        ),
    ],
    ids=["glorot-u", "he-u", "lecun-u", "glorot-n", "he-n", "lecun-n"],
)  # fmt: skip
def test_bounds_and_laws(
    initializer: Any, shape: tuple[int, int], bound: float, law: Any
) -> None:
    rng = np.random.default_rng(0)
    numbers = np.concatenate([initializer(rng, shape, F32).ravel() for _ in range(2000)])
    assert follows(numbers, law)
    assert numbers.std() == pytest.approx(law.std(), rel=0.02)
    assert 0.97 * bound < np.abs(numbers).max() <= np.float32(bound)


@row("INI-09", eager_because=HOST)
@pytest.mark.parametrize(
    "make",
    [
        lambda: kaun.uniform(-1),
        lambda: kaun.uniform(float("nan")),
        lambda: kaun.normal(-1),
        lambda: kaun.variance_scaling(-1, "fan_in", "normal"),
        lambda: kaun.variance_scaling(1, "fan", "normal"),  # type: ignore[arg-type]
        lambda: kaun.variance_scaling(1, "fan_in", "cauchy"),  # type: ignore[arg-type]
        lambda: drawn(kaun.glorot_uniform(in_axis=2), 3, 4),
        lambda: drawn(kaun.glorot_uniform(out_axis=-3), 3, 4),
        lambda: drawn(kaun.glorot_uniform(), 0, 4),
        lambda: drawn(kaun.he_normal(), 0),
    ],
)
def test_values_that_make_no_sense_are_refused(make: Any) -> None:
    with pytest.raises(LxcError) as caught:
        make()
    assert caught.value.code == "LXC-E0101"
