"""Solutions of chapter 6."""

from chainrule.course import check, load

# 6.1: each neuron has a weight for each input, and a bias.
check("6.1", 16 * (2 + 1) + 16 * (16 + 1) + 1 * (16 + 1))

# 6.2: -0.5 * (3 * x + 1) + 2, multiplied out.
check("6.2", [-0.5 * 3, -0.5 * 1 + 2])

# 6.3: the classes at the end of solutions/my_engine.py.
check("6.3", load("solutions/my_engine.py"))
