"""A graph that was built once, run again and again as an array program."""

from __future__ import annotations

import collections

from chainrule.compiler.derive import derive
from chainrule.compiler.graph import Packed, read
from chainrule.compiler.lift import lift as lift_graph
from chainrule.compiler.passes import described, run
from chainrule.compiler.program import Given
from chainrule.engine import Value
from chainrule.errors import ArgumentError, missing_extra

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def lift(output: Value) -> Lifted:
    """Turn the graph of a value into an array program, which runs it anew at array speed.

    The program is the expression as it was built: a Python `if` on a number stays decided the way
    it was. What may change from run to run is the data of the leaves; all else is computed anew
    from it. A value made by `detach()` or under `no_grad()` is a leaf.

    Args:
        output: the value; a loss, say.

    Raises:
        ArgumentError: `output` is not a value.
        MissingExtraError: when it is first run, if NumPy is not installed.

    >>> a, b = Value(2.0), Value(3.0)
    >>> lifted = lift(a * b + a)
    >>> lifted()
    8.0
    >>> b.data = 4.0
    >>> lifted.backward()
    10.0
    >>> a.grad, b.grad
    (5.0, 2.0)
    """
    return Lifted(output)


class Lifted:
    """The array program of a graph, with the leaves that it reads.

    Attributes:
        leaves: the leaves of the graph, in the order in which the program has them.
        program: the forward program; `print` shows it line by line.
        scalars: the graph.
    """

    def __init__(self, output: Value) -> None:
        if type(output) is not Value:
            raise ArgumentError(f"lift needs a value, not {output!r}")
        graph, values = read(output)
        program, leaves, _ = lift_graph(graph)
        self.program, self._log = run(program)
        self.leaves = [values[leaf] for leaf in leaves]
        self._ops = collections.Counter(op for op in graph.ops if op)
        self._values = len(graph.ops)
        self.scalars = Packed(graph, values)
        self._forward: Any = None
        self._backward: Any = None

    def __call__(self) -> float:
        """The output, computed from the leaves' data as they are now."""
        if self._forward is None:
            self._forward = _runner(self.program)
        return self._run(self._forward)

    def backward(self, gradient: float = 1.0) -> float:
        """Compute the output anew, and add to each leaf's `grad` its derivative by that leaf.

        Values between leaves and output are left as they are.

        Args:
            gradient: what the derivatives are multiplied by.

        Returns:
            The output.
        """
        number = self._run(self.runner)
        for leaf, slope in zip(self.leaves, self.runner.outputs[-1].tolist()):
            leaf.grad += gradient * slope
        return number

    @property
    def runner(self) -> Any:
        """What runs the backward pass, which contains the forward pass.

        Raises:
            MissingExtraError: NumPy is not installed.
        """
        if self._backward is None:
            self._backward = self._derived()
        return self._backward

    @property
    def source(self) -> str:
        """The generated source of the backward pass."""
        return str(self.runner.source)

    def explain(self) -> str:
        """What became of the graph, in words and counts.

        >>> print(lift(Value(2.0) * 3 + 1).explain())
        5 values became 1 instruction: 1 sum
        from 1 mul, 1 add
        factors of 1 and -1 and copies are left out: 1 (same bits)
        numbers are folded into scales: 1 (rounding order only)
        """
        kinds = collections.Counter(
            type(made).__name__.lower()
            for made in self.program.instructions
            if not isinstance(made, Given)
        )
        count = len(self.program)
        ops = ", ".join(f"{n:,} {op}" for op, n in self._ops.items() if op != "constant")
        made = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
        plural = "" if count == 1 else "s"
        became = f"{self._values:,} values became {count} instruction{plural}: {made}"
        return "\n".join([became, f"from {ops}", *described(self._log)])

    def _derived(self) -> Any:
        program, _ = run(derive(self.program))
        return _runner(program)

    def _run(self, runner: Any) -> float:
        runner.leaves[:] = [leaf.data for leaf in self.leaves]
        runner.run()
        return float(runner.outputs[0][0])


def _runner(program: Any) -> Any:
    try:
        from chainrule.compiler.backends.numpy import Runner
    except ImportError:
        raise missing_extra("numpy", "train", "running a lifted graph") from None
    return Runner(program)
