"""lxc upgrade: the model of an artifact, compiled again by this lxc."""

from pathlib import Path
from typing import Any

import click

from lxc.commands.cached import cache_options, chosen_cache
from lxc.commands.group import verb, verbosity
from lxc.commands.screen import bytes_text, print_facts, print_json, progress
from lxc.commands.tuning import records_option
from lxc.errors import printable
from lxc.record_file import given_records
from lxc.runtime.artifact import Artifact, read, store
from lxc.upgrading import upgraded


@verb(
    "lxc upgrade net.lxc -o new.lxc\n"
    "  lxc upgrade net.lxc -o net.lxc --target x86-64-v3,aarch64-linux"
)
@click.argument("artifact", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="File to write."
)
@click.option(
    "--target", "targets", multiple=True, help="Other targets than those that it has."
)
@records_option
@cache_options
@click.option("--force", is_flag=True, help="Replace a file that is not an artifact.")
def command(
    artifact: Path,
    output: Path,
    targets: tuple[str, ...],
    records: Path | None,
    cache: Path | None,
    no_cache: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Compile the IR in ARTIFACT again, with the options that it was compiled with.

    Parameters, state and values for checks are taken over byte for byte. What was measured
    by --tune is no part of an artifact: --records gives it again. The output may be the
    artifact itself, which is replaced when all is done.
    """
    old = read(artifact)
    old.verify()
    with progress(verbosity()) as say:
        say(f"compiling {artifact} again")
        encoded = upgraded(
            old,
            [word for text in targets for word in text.split(",")],
            records=given_records(records),
            kept=chosen_cache(cache, no_cache, say),
        )
        store(output, encoded, force=force)
    show(output, old, read(encoded), as_json=as_json)


def show(output: Path, old: Artifact, new: Artifact, *, as_json: bool) -> None:
    """Print what was written, and which versions and options are others now."""
    changes = {
        f"{kind} {name}": [before.get(name), after.get(name)]
        for kind, before, after in (
            ("version of", old.manifest.versions, new.manifest.versions),
            ("option", old.manifest.options, new.manifest.options),
        )
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    }
    names = [[target.name for target in one.targets] for one in (old, new)]
    if as_json:
        print_json(
            {
                "artifact": str(output),
                "bytes": new.size,
                "sha256": new.sha256,
                "targets": names[1],
                "targets_before": names[0],
                "changes": changes,
            }
        )
        return
    facts: list[tuple[str, Any]] = [
        ("artifact", f"{output} ({bytes_text(new.size)}, was {bytes_text(old.size)})"),
        ("targets", arrow(*(", ".join(one) for one in names))),
    ]
    facts += [(name, arrow(*map(told, pair))) for name, pair in changes.items()]
    print_facts([(printable(name), printable(str(value))) for name, value in facts])


def arrow(before: str, after: str) -> str:
    """Return a text for what was and what is."""
    return after if before == after else f"{before} -> {after}"


def told(value: Any) -> str:
    """Return a value of the manifest for people."""
    return "none" if value is None else str(value)[:120]
