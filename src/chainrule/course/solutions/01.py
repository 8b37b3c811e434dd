"""Solutions of chapter 1."""

import math

from chainrule.course import check

# 1.1: the derivative of x**3 - 2*x is 3*x**2 - 2, at 2.
check("1.1", 3 * 2**2 - 2)


# 1.2: how far the result moved, over how far the input moved.
def slope(f, x, h):
    return (f(x + h) - f(x)) / h


check("1.2", slope)


# 1.3: the two places are 2h apart.
def symmetric_slope(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


check("1.3", symmetric_slope)

# 1.4: term by term.
a, b, c = 2, 3, 4
by_a = -3 * a**2 - 1 / (2 * math.sqrt(a))
by_b = 3 * math.cos(3 * b) + 2.5 * b**1.5
by_c = 1 / c**2
check("1.4", [by_a, by_b, by_c])


# 1.5: two copies of the point for each input.
def gradient(f, point, h):
    slopes = []
    for i in range(len(point)):
        up, down = list(point), list(point)
        up[i] += h
        down[i] -= h
        slopes.append((f(*up) - f(*down)) / (2 * h))
    return slopes


check("1.5", gradient)
