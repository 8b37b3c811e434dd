"""Exercises of chapter 8."""

from __future__ import annotations

from chainrule.course.judging import Exercise, Wrong

Pair = list[float]


def _larger(a: float, b: float, gradient: float) -> Pair:
    if a == b:
        return [gradient / 2, gradient / 2]
    return [gradient, 0.0] if a > b else [0.0, gradient]


def _smaller(a: float, b: float, gradient: float) -> Pair:
    return _larger(b, a, gradient)


def _larger_with_ties_to_both(a: float, b: float, gradient: float) -> Pair:
    return [gradient * (a >= b), gradient * (b >= a)]


def _larger_with_ties_to_a(a: float, b: float, gradient: float) -> Pair:
    return [gradient * (a >= b), gradient * (b > a)]


def _larger_with_ties_to_b(a: float, b: float, gradient: float) -> Pair:
    return [gradient * (a > b), gradient * (b >= a)]


EXERCISES = {
    "8.1": Exercise(
        right=11.0,
        because="6 from the first and 5 from the second.",
        wrong=[
            Wrong(5.0, "That is what the second adds. The 6 of the first are still there."),
            Wrong(6.0, "That is after the first call. The second adds its own."),
            Wrong(30.0, "Gradients of two results are added, not multiplied."),
            Wrong(14.0, "The derivative of x² at 3 is 6, not 9, which is its value."),
            Wrong(24.0, "The results' values are 9 and 15. Asked for is the gradient of x."),
            Wrong(
                21.0,
                "The derivative of 5x is 5, wherever x is.",
            ),
        ],
        otherwise="The derivative of x² at 3, plus that of 5x.",
    ),
    "8.2": Exercise(
        name="inverse_backward",
        right=lambda y, gradient: -y * y * gradient,
        because="With the result put aside, not even a division is needed.",
        wrong=[
            Wrong(
                lambda y, gradient: -y * y,
                "That is the local derivative. It is to be multiplied by the gradient from above.",
            ),
            Wrong(
                lambda y, gradient: y * y * gradient,
                "The sign: as x grows, 1/x falls.",
            ),
            Wrong(
                lambda y, gradient: -gradient / y**2,
                "-1/x² in terms of y = 1/x: 1/x² is y², not 1/y².",
            ),
            Wrong(
                lambda y, gradient: -y * gradient,
                "-1/x² is -y²: the square is missing.",
            ),
            Wrong(
                lambda y, gradient: y * gradient,
                "That multiplies by the result. The derivative of 1/x is -1/x², and 1/x is y.",
            ),
            Wrong(
                lambda y, gradient: -y * y + gradient,
                "In the chain rule the two are multiplied, not added.",
            ),
        ],
        otherwise="The local derivative -1/x², written with y = 1/x, times the gradient.",
        programs=["inverse_backward(0.5, 1.0)", "inverse_backward(-4.0, 3.0)"],
        within=1e-6,
    ),
    "8.3": Exercise(
        name="larger_backward",
        right=_larger,
        because="All to the one that was chosen, nothing to the other. relu is this, against 0.",
        wrong=[
            Wrong(
                _smaller,
                "It goes to the smaller one. A nudge to that one changes nothing, as long as it is "
                "smaller: its gradient is 0.",
            ),
            Wrong(
                lambda a, b, gradient: [gradient, gradient],
                "Both get everything: that is the backward of a + b. Here one of them has no say.",
            ),
            Wrong(
                lambda a, b, gradient: [gradient / 2, gradient / 2],
                "Half to each is for ties. Otherwise the larger one gets all.",
            ),
            Wrong(
                lambda a, b, gradient: [float(a > b) + (a == b) / 2, float(b > a) + (a == b) / 2],
                "These are the local derivatives: multiply them by the gradient from above.",
            ),
            Wrong(
                lambda a, b, gradient: max(a, b) * gradient,
                "One number is returned, and two operands wait for one each.",
            ),
            Wrong(
                _larger_with_ties_to_both,
                "At a tie both get all of it, which is twice as much as there is: half to each.",
            ),
            Wrong(
                _larger_with_ties_to_a,
                "At a tie everything goes to a; half to each is asked for.",
            ),
            Wrong(
                _larger_with_ties_to_b,
                "At a tie everything goes to b; half to each is asked for.",
            ),
        ],
        otherwise="The larger one gets the gradient from above, the other one 0.",
        programs=[
            "larger_backward(3.0, 1.0, 5.0)",
            "larger_backward(-1.0, 2.0, 0.5)",
            "larger_backward(2.0, 2.0, 3.0)",
        ],
        within=1e-6,
    ),
}
