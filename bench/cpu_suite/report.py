"""The results of a run as tables and lines of text."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from cpu_suite.contenders import CONTENDERS, FROM_C, IN_BF16
from cpu_suite.outcome import Outcome, Result

TITLE = (
    "microseconds per call: median (minimum); ratio: the best float32 peer to lxc; "
    "bf16: OpenVINO's default to lxc-bf16; * computes in less than float32"
)
CHECKS = "largest error against float64, relative to the largest output; seconds to build"


def times(results: Sequence[Result], names: Sequence[str]) -> Table:
    """Return the table of medians and minima, of ratios and of what binds a case."""
    names = [name for name in names if name not in FROM_C]
    with_half = set(IN_BF16) <= set(names)
    half = ["bf16", "(min)"] if with_half else []
    headings = ["ratio", "(min)", *half, "of bound", "bound", *map(marked, names)]
    table = columns(TITLE, headings)
    for result in results:
        best = result.best("median")
        cells = [
            timed(result.outcomes[name], best is not None and name == best[0])
            for name in names
        ]
        ratios = [result.ratio(number) for number in ("median", "least")]
        if with_half:
            ratios += [result.ratio_in_bf16(number) for number in ("median", "least")]
        texts = map(ratio_text, ratios)
        table.add_row(escape(result.name), *texts, *bound_texts(result), *cells)
    return table


def columns(title: str, headings: Sequence[str]) -> Table:
    """Return an empty table: the case, and numbers."""
    table = Table(title=title, title_justify="left", header_style="bold")
    table.add_column("case", no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def marked(name: str) -> str:
    """Return a name, with a star if it computes in less than float32."""
    return f"{name} *" if CONTENDERS[name].computes_less else name


def ratio_text(ratio: float | None) -> str:
    """Return a ratio, or a dash."""
    return "-" if ratio is None else f"{ratio:.2f}"


def bound_texts(result: Result) -> tuple[str, str]:
    """Return the share of the bound that lxc reaches at its fastest, and the bound."""
    bound, own = result.bound(), result.outcomes.get("lxc")
    if bound is None:
        return "-", "-"
    share = f"{bound[1] / own.least:.0%}" if own is not None and own.seconds else "-"
    return share, f"{bound[0]} {microseconds(bound[1])}"


def timed(outcome: Outcome, is_best: bool) -> str:
    """Return what stands in the table for an outcome: never nothing."""
    if not outcome.seconds:
        return f"[red]{outcome.status}[/]"
    text = f"{microseconds(outcome.median)} ({microseconds(outcome.least)})"
    text = text if outcome.status == "ok" else f"{text} {outcome.status}"
    return f"[bold]{text}[/]" if is_best else text


def microseconds(seconds: float) -> str:
    """Return a time with three digits or more."""
    number = seconds * 1e6
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def times_from_c(results: Sequence[Result]) -> Table | None:
    """Return the table of calls from C; None if there are none."""
    found = [result for result in results if FROM_C[1] in result.outcomes]
    if not found:
        return None
    table = columns(
        "microseconds per call from C: median (minimum)", ["ratio", "(min)", *FROM_C]
    )
    for result in found:
        cells = [timed(result.outcomes[name], False) for name in FROM_C]
        ratios = [ratio_text(result.ratio_from_c(number)) for number in ("median", "least")]
        table.add_row(escape(result.name), *ratios, *cells)
    return table


def checks(results: Sequence[Result], names: Sequence[str]) -> Table:
    """Return the table of errors against float64, and of seconds to build."""
    table = columns(CHECKS, list(names))
    for result in results:
        cells = [checked(result.outcomes.get(name)) for name in names]
        table.add_row(escape(result.name), *cells)
    return table


def checked(outcome: Outcome | None) -> str:
    """Return the error and the seconds to build; a dash for who does not run the case."""
    if outcome is None:
        return "-"
    if outcome.error is None or outcome.build_seconds is None:
        return f"[red]{outcome.status}[/]"
    text = f"{outcome.error:.0e}; {outcome.build_seconds:.1f}"
    return f"[red]{text} wrong[/]" if outcome.status == "wrong" else text


def problems(results: Sequence[Result]) -> list[str]:
    """Return a line for everything that is missing or went wrong, each once."""
    lines: dict[str, list[str]] = {}
    for result in results:
        for name, outcome in result.outcomes.items():
            if outcome.status != "ok":
                detail = f": {outcome.detail}" if outcome.detail else ""
                lines.setdefault(f"{name} {outcome.status}{detail}", []).append(result.name)
    return [f"{line} [{listed(cases)}]" for line, cases in lines.items()]


def listed(cases: Sequence[str]) -> str:
    """Return the first few names and how many more there are."""
    rest = f", and {len(cases) - 3} more" if len(cases) > 3 else ""
    return ", ".join(cases[:3]) + rest


def line_of(result: Result) -> str:
    """Return one line about a case, for while the run goes on."""
    parts = [
        f"{name} {microseconds(outcome.median) if outcome.seconds else outcome.status}"
        for name, outcome in result.outcomes.items()
    ]
    return f"{result.name}: {ratio_text(result.ratio('median'))} | {', '.join(parts)}"
