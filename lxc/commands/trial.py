"""Compile a small model, run it and compare: what `lxc doctor` runs in another process."""

import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from lxc.compilation import compile
from lxc.errors import InternalError, LxcError
from lxc.frontend import setup, testmode
from lxc.ir import TensorSpec
from lxc.nn import Chain, Dense, relu
from lxc.runtime import load

CLOSE = 1e-5


def trial() -> str:
    """Return a line that says what worked; raise if something did not."""
    start = perf_counter()
    model = Chain(Dense(8, 16, relu), Dense(16, 4))
    ps, st = setup(0, model)
    st = testmode(st)
    compiled = compile(model, TensorSpec((2, 8)), ps, st, target="native", name="trial")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trial.lxc"
        compiled.save(path, params=ps, state=st)
        loaded = load(path)
        x = np.random.default_rng(0).standard_normal((2, 8)).astype(np.float32)
        result, _ = loaded(x, loaded.params, loaded.state)
    expected, _ = model(x, ps, st)
    error = float(np.abs(np.asarray(result) - np.asarray(expected)).max())
    if not error < CLOSE:
        raise InternalError("the trial", f"the compiled model is off by {error:.1e}")
    seconds = perf_counter() - start
    return f"a small model for {loaded.target.name} in {seconds:.1f} s, off by {error:.0e}"


def main() -> None:
    """Run the trial; failures are printed in their usual form."""
    try:
        print(trial())
    except (LxcError, InternalError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
