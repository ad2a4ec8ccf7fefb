"""Notes in an artifact: what people say of a model, such as its licence or its training.

They lie in the manifest among the options, and nothing acts on them.
"""

import re
from collections.abc import Mapping
from typing import Any

from lxc.errors import LxcError

NOTES = "notes"
MOST_NOTES = 64
LONGEST_NOTE = 4096
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,63}")


def checked_notes(notes: Mapping[str, str]) -> dict[str, str]:
    """Return notes by name, or refuse those that a manifest cannot have."""
    for name, note in notes.items():
        if not (isinstance(name, str) and NAME.fullmatch(name)):
            raise LxcError(
                "LXC-E0001",
                f"a note cannot have the name {name!r}",
                expected="a letter or _, then letters, digits, _ and .; 64 in all at most",
            )
        if not (isinstance(note, str) and len(note) <= LONGEST_NOTE):
            raise LxcError(
                "LXC-E0001",
                f"the note {name} is not text, or too long",
                expected=f"at most {LONGEST_NOTE} characters",
            )
    if len(notes) > MOST_NOTES:
        raise LxcError("LXC-E0001", f"there are more than {MOST_NOTES} notes")
    return dict(notes)


def notes_in(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the notes among the options of a manifest, which may come from anywhere."""
    found = options.get(NOTES)
    if not isinstance(found, dict):
        return {}
    return {name: note for name, note in found.items() if isinstance(note, str)}
