"""What an artifact was compiled with, so that its IR can become the same code again."""

import re

from lxc.errors import LxcError
from lxc.passes.choices import Choices
from lxc.passes.records import NO_RECORDS, Records
from lxc.passes.records_text import digest_of
from lxc.runtime.artifact import Artifact
from lxc.verification.meaning import stored_plan

DIGEST = re.compile(r"(?:[0-9a-f]{64})?")


def stored_choices(artifact: Artifact, records: Records) -> Choices:
    """Return the choices that an artifact notes, with the records that it was made with."""
    digest = artifact.manifest.options.get("records", "")
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise LxcError("LXC-E0401", "the artifact's options cannot be understood")
    if digest and digest != digest_of(records):
        given = "other records" if records != NO_RECORDS else "no records"
        raise LxcError(
            "LXC-E0001",
            "the artifact was compiled with records of tuning that are not given",
            expected=f"records with SHA-256 {digest}",
            actual=given,
            hint="--records names the file that `lxc compile` read or wrote",
        )
    if records != NO_RECORDS and not digest:
        raise LxcError("LXC-E0001", "the artifact was compiled without records of tuning")
    return Choices(stored_exactness(artifact), stored_plan(artifact), records)


def stored_exactness(artifact: Artifact) -> bool:
    """Return whether a model was compiled for the tight error bounds."""
    exact = artifact.manifest.options.get("exact", False)
    if not isinstance(exact, bool):
        raise LxcError("LXC-E0401", "the artifact's options cannot be understood")
    return exact
