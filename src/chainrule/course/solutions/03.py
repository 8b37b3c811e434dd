"""Solutions of chapter 3."""

import math

from chainrule.course import check

# 3.1: dM/dt = 1 and dM/ds = r; p has one way to M, q has two.
p, q, r = 3.0, -1.0, 4.0
check("3.1", [r, r + 1, p + q])

# 3.2: L moves by the gradient of e times the nudge.
check("3.2", -8 + -2 * 0.05)

# 3.3: through tanh comes 1 - o**2, and a product swaps its operands.
slope = 1 - 0.6**2
check("3.3", [0.5 * slope, -1.0 * slope, slope])


# 3.4: forward, then back.
def neuron_gradients(x1, x2, w1, w2, b):
    o = math.tanh(x1 * w1 + x2 * w2 + b)
    by_sum = 1 - o**2
    return [x1 * by_sum, x2 * by_sum, by_sum]


check("3.4", neuron_gradients)
