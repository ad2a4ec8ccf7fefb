"""A compiled model that can be called like the layer it came from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from lxc.errors import LxcError
from lxc.runtime import checkpoint
from lxc.runtime.artifact import Artifact, store
from lxc.runtime.bound import Bound
from lxc.runtime.buffers import PARAMS, STATE, Gatherer
from lxc.runtime.cards.engine import open_card
from lxc.runtime.cards.machine import find_cards
from lxc.runtime.engine import Engine
from lxc.runtime.features import Machine, check_glibc, choice, choose, this_machine
from lxc.runtime.host_engine import HostEngine, check_threads
from lxc.runtime.library import map_library
from lxc.runtime.manifest import TargetRecord
from lxc.runtime.notebook import artifact_html
from lxc.runtime.notes import NOTES, checked_notes, notes_in
from lxc.runtime.signature import Group, Signature

LUX = ("params", "state")
KAUN = ("vars", "rngs", "ctx")


class CompiledModel:
    """A compiled model; any number of threads may call it at once.

    A model of the Lux family is called as `y, state = m(x, params, state)`; one of the Kaun
    family as `y, vars = m(x, vars, rngs=None, ctx=None)`. Both take `out=`, arrays of the
    caller for the outputs, `threads=`, and on a card `stream=`. A call is a pure function
    of its arguments. The arrays of 4 KiB or more that it makes begin at a multiple of 64
    bytes, which is quicker to store to than where arrays of NumPy begin.
    """

    def __init__(
        self,
        artifact: Artifact,
        *,
        target: str | None = None,
        threads: int | None = None,
        card: int | None = None,
        at_once: bool = True,
    ) -> None:
        """Map the code of `artifact` that fits this machine best, or that for `target`.

        `threads` is the number for calls that do not say; None means all there are. `card`
        is the number of the card that may be used; None means the first that fits. If not
        `at_once`, the code is mapped for the first call: a model for other machines can be
        saved here.
        """
        self.artifact = artifact
        self._wanted = target, threads, card
        if at_once:
            self.engine = self._mapped()

    @cached_property
    def engine(self) -> Engine:
        """The code that fits this machine, mapped, with what reads and builds its trees."""
        return self._mapped()

    @property
    def target(self) -> TargetRecord:
        """What the artifact says about the code that is mapped."""
        return self.engine.target

    @property
    def choice(self) -> str:
        """Which target was taken, and why none behind it in the artifact was."""
        targets, machine = self._candidates()
        return choice(targets, machine, self.target.name)

    def _candidates(self) -> tuple[tuple[TargetRecord, ...], Machine]:
        """Return the targets to choose from, and the machine that is to run one."""
        target, _, card = self._wanted
        targets, machine = named(self.artifact, target), this_machine()
        if any(one.images for one in targets):
            machine = replace(machine, cards=find_cards(card))
        return targets, machine

    def _mapped(self) -> Engine:
        """Return an engine with the code that fits this machine best."""
        _, threads, _ = self._wanted
        artifact = self.artifact
        targets, machine = self._candidates()
        chosen = choose(targets, machine)
        check_glibc(chosen, machine)
        count = 0 if threads is None else check_threads(threads)
        if chosen.images:
            return open_card(artifact, chosen, machine.cards.first_for(chosen))
        return HostEngine(artifact, chosen, map_library(artifact, chosen), count)

    @property
    def signature(self) -> Signature:
        """Names, types, shapes and trees of everything that goes in and comes out."""
        return self.artifact.signature

    @cached_property
    def params(self) -> Any:
        """The params stored in the artifact: a tree of read-only arrays."""
        return self.stored("params", self.signature.params)

    @cached_property
    def state(self) -> Any:
        """The state stored in the artifact: a tree of read-only arrays."""
        return self.stored("state", self.signature.state)

    def stored(self, what: str, group: Group) -> Any:
        """Return a tree that is stored in the artifact."""
        member = f"{what}.safetensors"
        if member not in self.artifact:
            raise LxcError(
                "LXC-E0410",
                f"the artifact holds no {what}",
                hint=f"save the model with {what}=, or read them from another file",
            )
        found = checkpoint.decode(self.artifact.view(member))
        return checkpoint.tree_from(found.arrays, group, what)

    @property
    def notes(self) -> dict[str, str]:
        """What was written into the artifact about the model, by name."""
        return notes_in(self.artifact.manifest.options)

    def _repr_html_(self) -> str:
        """Return what the model takes, returns and runs on, for a notebook."""
        return artifact_html(self.artifact)

    def __call__(self, x: Any, *trees: Any, **options: Any) -> tuple[Any, Any]:
        """Return the outputs and the new state, or the new vars."""
        is_lux = self.engine.is_lux
        if is_lux and not options and len(trees) == 2:
            return self.call_lux(x, trees[0], trees[1])
        check_arguments(is_lux, trees, options)
        if is_lux:
            return self.call_lux(x, *trees, **options)
        return self.call_kaun(x, *trees, **options)

    def call_lux(
        self,
        x: Any,
        params: Any,
        state: Any,
        *,
        out: Any = None,
        threads: int | None = None,
        stream: Any = None,
    ) -> tuple[Any, Any]:
        """Return outputs and new state."""
        engine = self.engine
        is_usual = threads is None and stream is None
        way = engine.usual if is_usual else engine.way(threads, stream)
        leaves = engine.state.leaves(state)
        prepared = engine.preparer.get(engine.params.leaves(params), leaves, way)
        return engine.run(prepared, engine.inputs.leaves(x), leaves, out, way)

    def call_kaun(
        self,
        x: Any,
        vars: Any,
        rngs: Any = None,
        ctx: Any = None,
        *,
        out: Any = None,
        threads: int | None = None,
        stream: Any = None,
    ) -> tuple[Any, Any]:
        """Return outputs and new vars."""
        engine = self.engine
        way = engine.way(threads, stream)
        leaves = engine.state.leaves(vars.state)
        prepared = engine.preparer.get(engine.params.leaves(vars.params), leaves, way)
        inputs = engine.kaun_inputs(x, rngs, ctx)
        y, state = engine.run(prepared, inputs, leaves, out, way)
        return y, replace(vars, state=state)

    def bind(self, params: Any, state: Any = None, *, threads: int | None = None) -> Bound:
        """Return the model with a copy of its params and frozen state, prepared once.

        A model of the Kaun family is bound to its vars alone: `m.bind(vars)`.
        """
        if self.signature.calling == "kaun" and state is None:
            params, state = params.params, params.state
        return Bound(self.engine, params, state, self.engine.way(threads, None))

    def to_machine(self, tree: Any) -> Any:
        """Return a tree with its arrays where the model runs, for any number of calls.

        On a card these are `CardArray`s; on processors they are the arrays themselves.
        """
        return self.engine.to_machine(tree)

    def save(
        self,
        path: Path | str,
        *,
        params: Any = None,
        state: Any = None,
        notes: Mapping[str, str] | None = None,
        force: bool = False,
    ) -> None:
        """Write the artifact to `path`, with these trees and notes in place of its own.

        `notes` are texts by name for those who get the file, such as its licence.
        """
        told = {} if notes is None else {NOTES: checked_notes(notes)}
        members: dict[str, bytes] = {}
        for what, tree, gatherer in (
            ("params", params, Gatherer(self.signature.params, PARAMS)),
            ("state", state, Gatherer(self.signature.state, STATE)),
        ):
            if tree is not None:
                members[f"{what}.safetensors"] = checkpoint.encode(gatherer.named(tree))
        store(Path(path), self.artifact.with_members(members, told), force=force)


def named(artifact: Artifact, target: str | None) -> tuple[TargetRecord, ...]:
    """Return the targets to choose from."""
    found = tuple(t for t in artifact.targets if target in (None, t.name))
    if found or target is None:
        return found
    raise LxcError(
        "LXC-E0410",
        f"the artifact holds no code for {target}",
        expected=", ".join(t.name for t in artifact.targets),
    )


def check_arguments(is_lux: bool, trees: Sequence[Any], options: Mapping[str, Any]) -> None:
    """Refuse a call whose arguments are not those of the model."""
    names = LUX if is_lux else KAUN
    given = names[: len(trees)]
    form = "m(x, params, state)" if is_lux else "m(x, vars, rngs=, ctx=)"
    for name in options:
        if name in given or name not in (*names, "out", "threads", "stream"):
            wrong = f"gets {name} twice" if name in given else f"does not take {name}="
            raise LxcError("LXC-E0505", f"the model {wrong}", expected=form)
    if len(trees) > len(names):
        raise LxcError(
            "LXC-E0505",
            "the model gets too many arguments",
            expected=form,
            actual=f"{len(trees)} behind x",
        )
    for name in names[: 2 if is_lux else 1]:
        if name not in given and name not in options:
            raise LxcError("LXC-E0505", f"the model gets no {name}", expected=form)
