"""Records: which of several ways to compute something was measured to be the fastest.

Records are an input of a compilation, as the model is: what is compiled follows from them
and never from a clock. Where there is no record, cost models decide.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from lxc.ir.dim import Dim
from lxc.ir.machine import Machine
from lxc.ir.node import Node
from lxc.ir.work_text import dims_text, work_line, work_text

About = Literal["tiles", "algorithm"]
KEY_DIGITS = 32


@dataclass(frozen=True)
class Subject:
    """Work that can be done in several ways; `line` names it for people.

    Equal work for equal machines has an equal key.
    """

    about: About
    machine: str
    line: str
    key: str


def subject_of(about: About, node: Node, dims: Sequence[Dim], machine: Machine) -> Subject:
    """Return the subject that the work of a node is."""
    work = work_text(node)
    named = {*re.findall(r"\w+", work)}
    bounds = dims_text([dim for dim in dims if dim.name in named])
    text = f"{about}\n{machine}\n{bounds}\n{work}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Subject(about, machine.name, work_line(node), digest[:KEY_DIGITS])


@dataclass(frozen=True)
class Record:
    """The fastest way to do some work, the one that cost models prefer, and their times.

    `nanoseconds` also has other ways that were measured. Nothing but `choice` matters for
    what is compiled.
    """

    about: str
    machine: str
    line: str
    choice: str
    modelled: str
    nanoseconds: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return the record as a file holds it."""
        return {**vars(self), "nanoseconds": dict(self.nanoseconds)}


@dataclass(frozen=True)
class Answer:
    """Which of several ways was taken, and what a record says of it.

    The first of the options is the one that cost models prefer.
    """

    subject: Subject
    options: tuple[str, ...]
    record: Record | None

    @property
    def place(self) -> int:
        """The place of the way that was taken among the options."""
        return self.options.index(self.taken)

    @property
    def taken(self) -> str:
        """The way that was taken."""
        if self.record is not None and self.record.choice in self.options:
            return self.record.choice
        return self.options[0]

    @property
    def is_tuned(self) -> bool:
        """Whether a record decided."""
        return self.record is not None and self.record.choice == self.taken

    @property
    def reason(self) -> str:
        """What the record says, in words; empty if there is none."""
        if self.record is None:
            return ""
        if not self.is_tuned:
            return f"the record asks for {self.record.choice}, which is no way any more"
        times = self.record.nanoseconds
        known = [name for name in (self.taken, self.record.modelled) if name in times]
        told = [f"{times[name] / 1000:.1f} us for {name}" for name in dict.fromkeys(known)]
        return f"tuned: measured {', '.join(told)}" if told else "tuned by a record"


@dataclass(frozen=True)
class Records:
    """Records by the keys of their subjects.

    `settled` are digests of subjects with options of which none was faster than the first
    by enough to be a record; nothing follows from them but that they need not be measured
    again. `measured_on` says where all of that was found out.
    """

    entries: Mapping[str, Record] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()
    measured_on: Mapping[str, str] = field(default_factory=dict)

    def answer(self, subject: Subject, options: Sequence[str]) -> Answer:
        """Return which of the options to take."""
        return Answer(subject, tuple(options), self.entries.get(subject.key))

    def knows(self, answer: Answer) -> bool:
        """Return whether these options of a subject were measured already."""
        return answer.is_tuned or settled_key(answer) in self.settled

    def with_record(self, answer: Answer, record: Record) -> "Records":
        """Return records with one more, in place of what was known of its subject."""
        entries = {**self.entries, answer.subject.key: record}
        return replace(self, entries=entries, settled=self.settled - {settled_key(answer)})

    def with_settled(self, answer: Answer) -> "Records":
        """Return records with a subject for which cost models decide rightly."""
        key = answer.subject.key
        entries = {name: one for name, one in self.entries.items() if name != key}
        return replace(self, entries=entries, settled=self.settled | {settled_key(answer)})


def settled_key(answer: Answer) -> str:
    """Return a digest of a subject and its options."""
    text = "\n".join((answer.subject.key, *answer.options))
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_DIGITS]


NO_RECORDS = Records()
"""What is known where nothing was measured."""
