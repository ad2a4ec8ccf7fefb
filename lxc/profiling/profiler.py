"""Profile the code of an artifact for one processor."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from lxc.benchmarking.machine import cache_sizes, facts, usable_threads
from lxc.benchmarking.model_calls import Ready, placed
from lxc.calling import call, leaves_of
from lxc.ir.dim import evaluate_size
from lxc.ir.node import Node
from lxc.passes.precision import Precision
from lxc.passes.records import Records
from lxc.profiling.ceilings import Ceilings, MachineCeilings
from lxc.profiling.limits import Limit, Work, limit_of
from lxc.profiling.profile import Profile, Row, sorted_rows
from lxc.profiling.stamped_model import StampedModel, stamped_model
from lxc.profiling.trace import Trace, Tracer, measured, trace_of
from lxc.profiling.traffic import Traffic, traffic_in
from lxc.runtime import CompiledModel
from lxc.runtime.artifact import Artifact
from lxc.runtime.checkpoint import flatten_names, tree_from
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.memory import Array
from lxc.targets.llvm.stamped import COPY
from lxc.tree_paths import trees_by_key
from lxc.verification.given import Given

PREPARES = 3
OTHER_KERNELS = (
    "this version of lxc makes other kernels of the IR than the artifact holds; the times "
    "of kernels are those of the new ones, which `lxc upgrade` puts into the artifact"
)
OTHER_RESULTS = "the traced code gave other results than the code in the artifact"


@dataclass(frozen=True)
class Wish:
    """What to profile and how: code, threads, and for how many seconds.

    `records` are those that the artifact was compiled with.
    """

    target: TargetRecord
    threads: int
    seconds: float
    records: Records


def profiled(
    artifact: Artifact, given: Given, wish: Wish, say: Callable[[str], None]
) -> Profile:
    """Return the profile of an artifact's code on some values."""
    say(f"compiling {artifact.name} with time stamps")
    stamped = stamped_model(artifact, wish.target, wish.records, wish.threads)
    own = CompiledModel(artifact, target=wish.target.name, threads=wish.threads)
    machine = facts()
    plain, traced = (ready(model, given) for model in (own, stamped.model))
    same = results(plain) == results(traced)
    say(f"measuring calls for {wish.seconds:g} s")
    prepare = trace_of(stamped.library, preparing(traced, wish.threads), PREPARES)
    tracer = Tracer(stamped.library, placed(traced)[0])
    found = measured(placed(plain)[0], tracer, wish.seconds)
    say("measuring what this machine can do at most")
    ceilings = MachineCeilings(stamped.target, cache_sizes())
    rows = Rows(stamped, given.sizes, min(wish.threads, usable_threads()), ceilings)
    return Profile(
        artifact.signature.name,
        wish.target.name,
        wish.threads,
        given.sizes,
        sorted_rows(list(rows.of(found.trace))),
        sorted_rows(list(rows.of(prepare))),
        found,
        ceilings.to_json(),
        machine,
        list(notes(artifact, stamped, same=same)),
    )


def notes(artifact: Artifact, stamped: StampedModel, *, same: bool) -> Iterator[str]:
    """Yield what speaks against a profile, and what it lacks."""
    if not stamped.is_same:
        yield OTHER_KERNELS
    if not same:
        yield OTHER_RESULTS
    cards = [target.name for target in artifact.targets if target.images]
    if cards:
        yield f"kernels on cards are not profiled: {', '.join(cards)}"


def ready(model: CompiledModel, given: Given) -> Ready:
    """Return a model with its values as trees."""
    signature = model.signature
    ps = tree_from(given.params, signature.params, "params")
    st = tree_from(given.state, signature.state, "state")
    return Ready(model, trees_by_key(given.inputs), ps, st)


def preparing(own: Ready, threads: int) -> Callable[[], Any]:
    """Return what prepares the params of a model anew."""
    engine = own.model.engine
    leaves = engine.params.leaves(own.ps), engine.state.leaves(own.st)
    return partial(engine.preparer.make, *leaves, threads)


def results(own: Ready) -> list[bytes]:
    """Return the bits of outputs and new state of one call."""
    y, after = call(own.model, own.trees, own.ps, own.st)
    outputs = leaves_of(own.model.signature.outputs.tree, y)
    arrays = [*map(np.asarray, outputs), *flatten_names(after).values()]
    return [array.tobytes() for array in arrays]


@dataclass(frozen=True)
class Rows:
    """What is known of the kernels of a model, to make rows of their times.

    `threads` can run at once.
    """

    stamped: StampedModel
    sizes: Mapping[str, int]
    threads: int
    ceilings: Ceilings

    @cached_property
    def traffic(self) -> Mapping[Node, Traffic]:
        """The bytes that each kernel reads again and again."""
        program = self.stamped.program
        prepare = traffic_in(program.prepare, self.sizes)
        return {**prepare, **traffic_in(program.run, self.sizes)}

    def of(self, trace: Trace) -> Iterator[Row]:
        """Yield the rows of a trace, in the order of the first run of each kernel."""
        for number in dict.fromkeys(trace.numbers[2:].tolist()):
            times, calls = trace.of(number)
            noise = calls * trace.stamp
            if number == COPY:
                yield Row(None, {"ops": "copies"}, times, calls, 0, 0, noise)
            else:
                yield self.row(number, times, calls, noise)

    def row(self, number: int, times: Array, calls: int, noise: float) -> Row:
        """Return the row of a kernel."""
        cost, record = self.stamped.calls[number].kernel.cost, self.stamped.records[number]
        flops, moved = (
            calls * evaluate_size(size, self.sizes)
            for size in (cost.flops_now, cost.bytes_now)
        )
        limit = self.limit(number, flops // calls, moved // calls)
        if limit is not None:
            limit = Limit(limit.nanoseconds * calls, limit.bound)
        return Row(number, record, times, calls, flops, moved, noise, limit)

    def limit(self, number: int, flops: int, moved: int) -> Limit | None:
        """Return the limit of one run of a kernel; None where nobody measures it."""
        one, dtype = self.stamped.calls[number], self.stamped.records[number]["precision"]
        machine = self.stamped.target.machine
        if dtype == Precision.BF16 and (machine.has_bf16_dot or machine.has_bf16_tiles):
            return None
        threads = self.threads if one.kernel.cost.pays_threads else 1
        work = Work(flops, moved, dtype, threads)
        return limit_of(work, self.traffic[one.node], self.ceilings)
