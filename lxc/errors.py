"""Every error a user can cause: one class, one printed form, one table of stable codes.

A code is `LXC-E` and four digits. The first two digits say which part of the work failed,
and that decides the exit status of the command line (`EXIT_STATUS`). Only the standard
library is imported here, so that every folder may import this file.
"""

from collections.abc import Sequence

EXIT_STATUS = {
    "00": 2,  # usage
    "01": 3,  # model: layers, set-up, tracing, types
    "02": 3,  # model: IR text, verification, passes
    "03": 4,  # target or toolchain
    "04": 5,  # artifact
    "05": 6,  # run
    "06": 7,  # resources
}

CODES = {
    # 00: usage
    "LXC-E0001": "an argument of a command or a function cannot be understood",
    "LXC-E0002": "a file cannot be read or written",
    "LXC-E0003": "the source does not name a model",
    # 01: model
    "LXC-E0101": "a layer was configured with values that contradict each other",
    "LXC-E0102": "a parameter or state tree has a key that cannot be a name",
    "LXC-E0103": "an operand has the wrong type or shape",
    "LXC-E0104": "Python asked a traced tensor for a value",
    "LXC-E0105": "a parameter or state tree does not fit the layer",
    "LXC-E0106": "a layer failed while it was traced",
    "LXC-E0107": "a traced tensor left the call that made it",
    "LXC-E0108": "random numbers were needed and no key was given",
    "LXC-E0109": "the state that a layer returned differs in structure from the one it got",
    "LXC-E0110": "a NumPy function that lxc does not have was called on a traced tensor",
    "LXC-E0111": "dimensions cannot be computed or compared",
    "LXC-E0112": "the context lacks a tensor that a layer needs",
    "LXC-E0113": "the Python source of a model failed",
    "LXC-E0114": "an ONNX file uses what lxc does not have",
    "LXC-E0115": "an ONNX file is damaged, or contradicts itself",
    # 02: IR
    "LXC-E0201": "a line of IR text cannot be parsed",
    "LXC-E0202": "a graph breaks an invariant of the IR",
    "LXC-E0203": "no pass has this name",
    "LXC-E0204": "a pass needs what the graph does not offer",
    # 03: target or toolchain
    "LXC-E0301": "no C compiler was found",
    "LXC-E0302": "the C compiler failed",
    "LXC-E0303": "the installed TVM packages are not the ones that lxc works with",
    "LXC-E0304": "a target has no code for an op",
    "LXC-E0305": "no target has this name, or this machine is not one of its kind",
    "LXC-E0306": "a package that a command needs is not installed",
    "LXC-E0307": "a file does not hold records of tuning",
    "LXC-E0308": "this machine does not run the code that is to be measured",
    "LXC-E0309": "no compiler for cards was found, or no tool that shows its code",
    "LXC-E0310": "the compiler for cards failed",
    "LXC-E0311": "compiling a model again gave other bytes",
    # 04: artifact
    "LXC-E0401": "the file is not an lxc artifact, or it is damaged",
    "LXC-E0402": "the manifest of an artifact breaks a rule of the format",
    "LXC-E0403": "the artifact was written in a newer format",
    "LXC-E0404": "the bytes of a member are not those that the manifest recorded",
    "LXC-E0405": "no target in the artifact fits this machine",
    "LXC-E0406": "the C library of this machine is older than the artifact needs",
    "LXC-E0407": "the library in the artifact cannot be loaded",
    "LXC-E0408": "a file that is not an artifact would be overwritten",
    "LXC-E0409": "a safetensors file is damaged or does not fit the model",
    "LXC-E0410": "the artifact does not hold what was asked for",
    # 05: run
    "LXC-E0501": "an input does not fit the compiled model",
    "LXC-E0502": "a parameter or state tree does not fit the compiled model",
    "LXC-E0503": "a dimension is out of the range that the model was compiled for",
    "LXC-E0504": "a setting in the state differs from the one compiled in",
    "LXC-E0505": "an argument of a call is missing or superfluous",
    "LXC-E0506": "an array given for an output does not fit",
    "LXC-E0507": "a frozen leaf of the state changed after it was bound",
    "LXC-E0508": "the compiled code reported a failure",
    "LXC-E0509": "leaves that are tied in the compiled model differ in a call",
    "LXC-E0510": "the card, or its driver, cannot be used",
    # 06: resources
    "LXC-E0601": "there is not enough memory",
    "LXC-E0602": "a model needs more memory than it may",
}


class LxcError(Exception):
    """A failure that the user can act on, printed as a summary line and a few named facts.

    `code` is stable across releases. `facts` are printed in the order given, one per line:
    `layer`, `op`, `expected`, `actual`, `hint`, whichever are known.
    """

    def __init__(
        self,
        code: str,
        summary: str,
        *,
        layer: str | None = None,
        op: str | None = None,
        expected: str | None = None,
        actual: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Keep the facts apart, so that a caller can add the place where it happened."""
        super().__init__(code, summary)
        self.code = code
        self.summary = summary
        self.layer = layer
        self.op = op
        self.expected = expected
        self.actual = actual
        self.hint = hint

    @property
    def exit_status(self) -> int:
        """The exit status of a command that ends with this error."""
        return EXIT_STATUS[self.code[5:7]]

    def __str__(self) -> str:
        """Print the form that every command and every golden file shows."""
        facts = (
            ("layer", self.layer),
            ("op", self.op),
            ("expected", self.expected),
            ("actual", self.actual),
            ("hint", self.hint),
        )
        lines = [f"error[{self.code}]: {printable(self.summary)}"]
        for name, fact in facts:
            if fact is not None:
                lines.append(f"  {name + ':':<9} {printable(fact)}")
        return "\n".join(lines)


class Mismatch(LxcError):
    """An operand that an op cannot take; raised by type rules, which know no layers."""

    def __init__(
        self,
        operand: str,
        expected: object,
        actual: object,
        *,
        because: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Show `expected` and `actual` one above the other, in IR syntax."""
        reason = f", because {because}" if because else ""
        super().__init__(
            "LXC-E0103",
            f"this {operand} does not fit",
            expected=f"{operand}: {expected}{reason}",
            actual=f"{operand}: {actual}",
            hint=hint,
        )
        self.operand = operand


class InternalError(Exception):
    """A broken promise of lxc: a pass or a lowering went wrong, not the user's model."""

    def __init__(self, where: str, problem: str) -> None:
        """Name the stage that failed and what it broke."""
        super().__init__(
            f"internal error in {where}: {problem}\n"
            "  This is a fault of lxc, not of the model. "
            "Please report it with the model and the command that shows it."
        )


def printable(text: str) -> str:
    """Return `text` with escapes for what a terminal would obey; lines stay lines."""
    return "".join(
        char
        if char.isprintable() or char in "\n\t"
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def one_of(words: Sequence[str]) -> str:
    """Join alternatives for a hint: `a`, `a or b`, `a, b or c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} or {words[-1]}"
