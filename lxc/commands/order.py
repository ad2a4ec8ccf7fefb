"""What `lxc compile` was asked to make of a model: an artifact, or a folder for C."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxc.bundling import Brought, bundle_of
from lxc.commands.bundle_folder import write_folder, written_folder
from lxc.commands.encoded import encoded_model
from lxc.commands.model import ModelOptions, TracedModel
from lxc.commands.reproduced import Request
from lxc.commands.screen import bytes_text
from lxc.commands.written import Written
from lxc.memory.limit import check_memory, needs_in
from lxc.passes import Choices
from lxc.runtime.artifact import read
from lxc.targets import Target
from lxc.targets.part import Parts


@dataclass(frozen=True)
class Order:
    """A traced model, and what it is to be compiled for."""

    model: TracedModel
    targets: tuple[Target, ...]
    name: str
    choices: Choices
    most: int | None

    def bundle(self, folder: Path, brought: Brought, kept: Parts | None) -> Written:
        """Write a folder for programs in C."""
        files = bundle_of(
            self.model.graph,
            self.targets[0],
            name=self.name,
            brought=brought,
            params=self.model.params,
            state=self.model.state,
            choices=self.choices,
            max_memory=self.most,
            kept=kept,
        )
        write_folder(folder, files)
        return written_folder(folder, files, self.targets[0].name, self.model.graph.mode)

    def encoded(self, told: Mapping[str, Any], kept: Parts | None) -> bytes:
        """Return the bytes of an artifact with `told` among its options."""
        names = [target.name for target in self.targets]
        encoded = encoded_model(self.model, names, self.name, self.choices, told, kept)
        check_memory(needs_in(read(encoded).manifest.memory), self.most)
        return encoded

    def again(
        self, source: str, options: Mapping[str, Any], told: Mapping[str, Any]
    ) -> Request:
        """Return what makes the same artifact once more."""
        asked = ModelOptions(source=source, **options)
        names = tuple(target.name for target in self.targets)
        return Request(asked, names, self.name, self.choices, told)

    def described(self, path: Path, encoded: bytes) -> Written:
        """Return what is to be said of an artifact in a file."""
        names, mode = [target.name for target in self.targets], self.model.graph.mode
        described = {
            "artifact": str(path),
            "bytes": len(encoded),
            "sha256": hashlib.sha256(encoded).hexdigest(),
            "targets": names,
            "mode": mode,
        }
        size = bytes_text(len(encoded))
        facts = [("artifact", f"{path} ({size})"), ("targets", ", ".join(names))]
        return Written(described, [*facts, ("mode", mode)])
