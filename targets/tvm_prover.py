"""What TVM can prove of indices and conditions."""

from lxc.targets.tvm_api import Expr, Index, as_index

# isort: split
# That file checks which tvm it is and how it is imported, so it comes first.
from tvm import tirx
from tvm.ir import Range
from tvm.sym import Analyzer


class Prover:
    """What is known of loop counters, to simplify indices and to decide conditions."""

    def __init__(self) -> None:
        """Know nothing."""
        self._analyzer = Analyzer()

    def bind(self, counter: Expr, low: Index, extent: Index) -> None:
        """Note that a variable runs over `extent` numbers from `low`."""
        self._analyzer.bind(counter, Range(as_index(low), as_index(low + extent)))

    def simplify(self, value: Index) -> Index:
        """Return a simpler form of an index."""
        if isinstance(value, int):
            return value
        result = self._analyzer.simplify(value)
        return int(result.value) if isinstance(result, tirx.IntImm) else result

    def most(self, value: Index) -> int:
        """Return what an index is never above."""
        if isinstance(value, int):
            return value
        return int(self._analyzer.const_int_bound(value).max_value)

    def holds(self, condition: Expr | bool) -> bool:
        """Return whether a condition is certain."""
        return (
            condition
            if isinstance(condition, bool)
            else self._analyzer.can_prove(condition)
        )
