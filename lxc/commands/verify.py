"""lxc verify: the code in an artifact against the IR in it, run in float64."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from lxc.commands.given_values import values_for
from lxc.commands.group import verb
from lxc.commands.screen import print_json, print_table
from lxc.errors import LxcError, printable
from lxc.runtime.artifact import read
from lxc.verification.given import Given
from lxc.verification.judgement import Judgement
from lxc.verification.layer_errors import LayerError
from lxc.verification.meaning import Meaning, stored_graph, stored_plan
from lxc.verification.target_check import Verified, verify

DIFFERS = 1
RESULT_COLUMNS = (
    "result",
    "error",
    "allowed",
    "NumPy's",
    "max ULP",
    "99.9% ULP",
    "cosine",
    "",
)
LAYER_COLUMNS = ("layer", "product", "precision", "error", "allowed", "")


@verb("lxc verify digits.lxc --input x=@images.npy")
@click.argument("artifact", type=click.Path(path_type=Path))
@click.option("--input", "inputs", multiple=True, help="x=@x.npy, x=zeros, x=rand(7), ...")
@click.option("--dim", "dims", multiple=True, help="Size for made-up inputs: N=8.")
@click.option("--params", type=click.Path(path_type=Path), help="Safetensors file.")
@click.option("--state", type=click.Path(path_type=Path), help="Safetensors file.")
@click.pass_context
def command(
    context: click.Context,
    artifact: Path,
    inputs: tuple[str, ...],
    dims: tuple[str, ...],
    params: Path | None,
    state: Path | None,
    as_json: bool,
) -> None:
    """Run the code in ARTIFACT and compare it with the model's IR, computed in float64.

    Every target that this machine runs is compared. Inputs that are not given are drawn,
    and so are parameters and state that neither a file nor the artifact has; the same in
    every run. Exit status 1 if a result is further off than it may be.
    """
    opened = read(artifact)
    opened.verify()
    graph, plan = stored_graph(opened), stored_plan(opened)
    given = values_for(opened, inputs, dims, {"params": params, "state": state})
    signature = opened.signature
    meaning = Meaning(graph, signature, plan, given.ordered(signature))
    verified = [verify(opened, record, meaning, given) for record in opened.targets]
    refuse_nothing(verified)
    losses = meaning.losses()
    if as_json:
        print_json(described(artifact, given, verified, losses))
    else:
        show(artifact, given, verified, losses)
    if not (all(one.agrees for one in verified) and all(one.agrees for one in losses)):
        context.exit(DIFFERS)


def refuse_nothing(verified: Sequence[Verified]) -> None:
    """Raise if no code could run: nothing was compared."""
    if all(one.reason for one in verified):
        raise LxcError(
            "LXC-E0405",
            "the artifact holds no code that this machine can run",
            actual="; ".join(f"{one.target}: {one.reason}" for one in verified),
        )


def described(
    path: Path, given: Given, verified: Sequence[Verified], losses: Sequence[LayerError]
) -> dict[str, Any]:
    """Return everything for `json`."""
    return {
        "artifact": str(path),
        "agrees": all(one.agrees for one in verified) and all(one.agrees for one in losses),
        "dimensions": dict(given.sizes),
        "origins": dict(given.origins),
        "targets": [
            {
                "name": one.target,
                "ran": not one.reason,
                "reason": one.reason,
                "agrees": one.agrees,
                "results": [found.to_json() for found in one.judgements],
            }
            for one in verified
        ],
        "layers": [one.to_json() for one in losses],
    }


def show(
    path: Path, given: Given, verified: Sequence[Verified], losses: Sequence[LayerError]
) -> None:
    """Print everything for people."""
    origins = "; ".join(f"{name}: {text}" for name, text in given.origins.items())
    sizes = ", ".join(f"{name}={size}" for name, size in given.sizes.items())
    click.echo(printable(f"{origins}{f'; {sizes}' if sizes else ''}"))
    for one in verified:
        if one.reason:
            click.echo(printable(f"{one.target} was not run: {one.reason}"))
            continue
        rows = [judgement_row(found) for found in one.judgements]
        print_table(f"{one.target}, errors by the largest result", RESULT_COLUMNS, rows)
    if losses:
        title = "lower precision, given exact factors"
        print_table(title, LAYER_COLUMNS, [loss_row(loss) for loss in losses])
    ran = [one for one in verified if not one.reason]
    wrong = [one.target for one in ran if not one.agrees]
    wrong += [loss.layer for loss in losses if not loss.agrees]
    verdict = f"differs from its IR: {', '.join(wrong)}" if wrong else "agrees with its IR"
    click.echo(printable(f"{path} {verdict}"))


def judgement_row(found: Judgement) -> tuple[str, ...]:
    """Return the judgement of one result as texts."""
    numbers = (found.error, found.allowed, found.numpy)
    units = (found.most_ulp, found.high_ulp)
    return (
        printable(found.name),
        *(f"{one:.1e}" for one in numbers),
        *("" if one is None else f"{one:.1f}" for one in units),
        "" if found.cosine is None else f"{found.cosine:.9f}",
        "" if found.agrees else "DIFFERS",
    )


def loss_row(loss: LayerError) -> tuple[str, ...]:
    """Return what one product loses as texts."""
    return (
        printable(loss.layer),
        loss.product,
        loss.precision,
        f"{loss.error:.1e}",
        f"{loss.allowed:.1e}",
        "" if loss.agrees else "DIFFERS",
    )
