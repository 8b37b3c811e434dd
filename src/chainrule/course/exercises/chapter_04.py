"""Exercises of chapter 4."""

from __future__ import annotations

from typing import Any

from chainrule.course.exercises.engines import value_class
from chainrule.course.exercises.orders import as_met, level_by_level
from chainrule.course.judging import Exercise, Wrong


def _operands_first(result: Any) -> list[Any]:
    order: list[Any] = []

    def visit(value: Any) -> None:
        if value not in order:
            for operand in value.operands:
                visit(operand)
            order.append(value)

    visit(result)
    return order


def _with_repeats(result: Any) -> list[Any]:
    return [x for operand in result.operands for x in _with_repeats(operand)] + [result]


def _too_early(order: list[Any]) -> list[str]:
    """The labels of the values that stand before one of their operands."""
    places = {value: place for place, value in enumerate(order)}
    return [v.label for v in order if any(places[v] < places.get(x, -1) for x in v.operands)]


_AB = "a, b = Value(2.0), Value(-3.0)\n"
_TWO_WAYS = "a = Value(2.0)\nb = a * a\nc = b * a\nd = c + b\n"
_LONG_WAY = _TWO_WAYS.replace("c = b * a", "c = (b * a) * a")
_OTHER_WAYS = _TWO_WAYS.replace("c + b", "b + c")
_LABELS = 'a.label, b.label, c.label, d.label = "abcd"\n'
_FOUR_LEAVES = "a, b, c, f = Value(2.0), Value(-3.0), Value(10.0), Value(-2.0)\n"
_CHAIN = f"{_FOUR_LEAVES}e = a * b\nd = e + c\nL = d * f\nL.backward()\n"
_PASSED_ON = "operand.grad += derivative * value.grad"
_ORDERED = "order = topological_order(self)"

EXERCISES = {
    "4.1": Exercise(
        right=15.0,
        because="6 by way of q, too early, and 9 by way of r. The right order gives 33.",
        wrong=[
            Wrong(33.0, "33 is right as a derivative, 3p² + 2p. The wrong order gives less."),
            Wrong(6.0, "That is what q passes on. Then comes r, which passes on to p, too."),
            Wrong(9.0, "That is what r passes on to p. Before it, q has passed on something."),
            Wrong(12.0, "q = p * p has p as an operand twice: it gets 3 * 1 for each."),
            Wrong(
                27.0, "That is the way through r alone, done right: q would pass on what r gave."
            ),
            Wrong(
                18.0,
                "The gradient of q is 4 at the end, but when it passes on there is only 1 in it.",
            ),
            Wrong(24.0, "q passes on only 1: the 3 from r come too late."),
        ],
        otherwise="s gives 1 to r and to q; q passes 3 * 1 on to p, twice; r passes 9 * 1 on.",
    ),
    "4.2": Exercise(
        name="topological_order",
        right=_operands_first,
        because="Each value once, and none before its operands.",
        wrong=[
            Wrong(
                _with_repeats,
                "Values that are used twice are on the list twice. Remember which ones you have "
                "seen, and visit no value again.",
            ),
            Wrong(
                lambda result: _operands_first(result)[::-1],
                "This is the order turned round, results first. It is what backward() needs in "
                "the end, by reversed(); the list itself is to have operands first.",
            ),
            Wrong(
                as_met,
                "It is right for some graphs only. You append a value before its operands and "
                "turn the list round: then a value can come in front of an operand that was met "
                "by a longer way. Append it after its operands were visited.",
            ),
            Wrong(
                level_by_level,
                "Going level by level, a value that is used near the result is put among the "
                "last, though something further away needs it as well.",
            ),
            Wrong(
                lambda result: [x for x in _operands_first(result) if x.operands],
                "The leaves are missing.",
            ),
            Wrong(
                lambda result: _operands_first(result)[:-1],
                "The result itself is missing.",
            ),
            Wrong(
                lambda result: list(result.operands),
                "These are the operands of the result. Theirs are needed, too, and so on.",
            ),
        ],
        otherwise="Visit the operands first, then append the value; and none twice.",
        programs=[
            f"{_TWO_WAYS}len(topological_order(d))",
            f"{_TWO_WAYS}len(set(topological_order(d)))",
            f"{_TWO_WAYS}{_LABELS}too_early(topological_order(d))",
            f"{_LONG_WAY}{_LABELS}too_early(topological_order(d))",
            f"{_OTHER_WAYS}{_LABELS}too_early(topological_order(d))",
            f"{_TWO_WAYS}{_LABELS}topological_order(d)[-1].label",
        ],
        names={"Value": value_class(), "too_early": _too_early},
    ),
    "4.3": Exercise(
        name="Value",
        right=value_class(),
        because="This is backpropagation. Every framework has these lines at its heart.",
        wrong=[
            Wrong(
                value_class(("def __mul__", "def mul")),
                "Your Value cannot multiply yet: do exercise 2.3 first.",
            ),
            Wrong(
                value_class(("def backward", "def backwards")),
                "Your Value has no method backward yet. Is it indented like the others, and saved?",
            ),
            Wrong(
                value_class((_PASSED_ON, _PASSED_ON.replace("+=", "="))),
                "a + a gives 1 where 2 is right: the second share overwrites the first. "
                "Write += where the gradient is passed on.",
            ),
            Wrong(
                value_class(("self.grad += 1.0", "pass")),
                "All gradients are 0: nothing times anything is nothing. Before the walk begins, "
                "the gradient of the result must be 1.",
            ),
            Wrong(
                value_class(("in reversed(order)", "in order")),
                "Only the result has a gradient: the walk begins with the leaves, which have "
                "nothing to pass on. Go through the order backwards, by reversed().",
            ),
            Wrong(
                value_class((_PASSED_ON, "operand.grad += derivative")),
                "The local derivatives arrive, but not multiplied by the gradient from above: "
                "that is the chain in the chain rule.",
            ),
            Wrong(
                value_class((_PASSED_ON, "operand.grad += value.grad")),
                "The gradient from above is passed on without the local derivative.",
            ),
            Wrong(
                value_class(("(other.data, self.data)", "(self.data, other.data)")),
                "In a product the operands have each other's gradient: a * b moves with a at the "
                "rate b. Swap the two derivatives.",
            ),
            Wrong(
                value_class(("(1.0, 1.0)", "(self.data, other.data)")),
                "A sum passes the gradient on as it is: both derivatives are 1.",
            ),
            Wrong(
                value_class((_ORDERED, "order = as_met(self)")),
                "Values pass on before all of their gradient has come. A value must come after "
                "all its users: take the topological order of exercise 4.2, reversed.",
            ),
            Wrong(
                value_class((_ORDERED, "order = level_by_level(self)")),
                "Some values pass on too early: level by level is not a topological order.",
            ),
            Wrong(
                value_class(("if value not in seen:", "if True:")),
                "Too much: values that are used twice are in the order twice, and pass on twice.",
            ),
            Wrong(
                value_class(
                    (
                        "            if value.operands:\n                value.grad",
                        "            value.grad",
                    )
                ),
                "A leaf that takes part in two results loses the gradient of the first: set no "
                "leaf's gradient to 0, that is for whoever uses the engine.",
            ),
        ],
        otherwise="Draw that graph on paper, and follow what each value passes on.",
        programs=[
            f"{_AB}c = a * b\nc.backward()\nc.grad",
            f"{_AB}c = a * b\nc.backward()\n[a.grad, b.grad]",
            f"{_AB}c = a + b\nc.backward()\n[a.grad, b.grad]",
            f"{_CHAIN}[a.grad, b.grad, c.grad, f.grad]",
            f"{_CHAIN}[e.grad, d.grad]",
            f"{_AB}c = a + a\nc.backward()\na.grad",
            f"{_TWO_WAYS}d.backward()\na.grad",
            f"{_LONG_WAY}d.backward()\na.grad",
            f"{_OTHER_WAYS}d.backward()\na.grad",
            f"{_AB}c = a * a\nc.backward()\nc = a + a\nc.backward()\na.grad",
        ],
    ),
    "4.4": Exercise(
        right=72.0,
        because="27 of the first call, and 9 + 6 * 6 of the second: t passes on 6 instead of 3.",
        wrong=[
            Wrong(
                54.0, "That is what ought to be there, and what is not: t still has 3 from before."
            ),
            Wrong(27.0, "Leaves add up: the second call adds to what the first one left."),
            Wrong(63.0, "t has 3 from before and gets 3 more. It passes on 6 to each of two x."),
            Wrong(45.0, "That is what the second call adds. The 27 of the first are still there."),
        ],
        otherwise="In the second call t passes on its new 3 and the old 3, twice, times x.",
    ),
}
