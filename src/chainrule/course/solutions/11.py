"""Solutions of chapter 11."""

from chainrule import derivative
from chainrule.course import check

# 11.1: x**3 - 2*x, then 3*x**2 - 2, then 6*x.
check("11.1", 6 * 2)

# 11.2: the gradient is [2*x*y, x**2 + 3*y**2].
x, y = 2.0, 3.0
check("11.2", [[2 * y, 2 * x], [2 * x, 6 * y]])


# 11.3: to where the slope would be 0.
def newton_step(f, x):
    return x - derivative(f)(x) / derivative(f, n=2)(x)


check("11.3", newton_step)
