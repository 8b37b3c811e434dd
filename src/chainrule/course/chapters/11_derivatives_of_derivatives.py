# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 11. Derivatives of derivatives
#
# A derivative is computed by sums and products. Sums and products make graphs. So a derivative
# has a graph, and can be differentiated itself. That sounds like a trick, and it is one of the
# most useful there are: it tells how long a step may be, jumps to the bottom of a bowl, and makes
# networks that obey laws of nature.
#
# After this chapter you can
#
# * compute second derivatives, and say what they mean,
# * say why a step of descent is too large or too small,
# * write Newton's method,
# * train a network not on examples, but on an equation.

# %%
import math
import random
import time

import chainrule
from chainrule import Value, derivative, grad, hessian, train_step
from chainrule.course import chart, check, show
from chainrule.nn import MLP
from chainrule.optim import Adam
from chainrule.viz import draw

# %% [markdown]
# ## The slope of the slope
#
# Drive along a hilly road. The *height* is the function. How steep it is, is the derivative. And
# how fast the steepness changes, whether you are going through a hollow or over a crest, is the
# derivative of that: the **second derivative**.


# %%
def hills(x):
    return chainrule.sin(x) + 0.3 * chainrule.sin(3 * x)


xs = [k / 25 for k in range(160)]
axes = chart("x", "")
axes.plot(xs, [hills(x) for x in xs], label="height", linewidth=2.5)
axes.plot(xs, [derivative(hills)(x) for x in xs], "--", label="steepness")
axes.plot(xs, [derivative(hills, n=2)(x) for x in xs], ":", label="how the steepness changes")
axes.legend()
show(axes)

# %% [markdown]
# Where the height has a top or a bottom, the dashed line crosses 0. In hollows the dotted line is
# positive, as the steepness grows from negative to positive; over crests it is negative.
#
# ### Exercise 11.1
#
# `f(x) = x**3 - 2*x` once more, from chapter 1. What is its second derivative at `x = 2`?
#
# <details><summary>Hint</summary>
#
# The first derivative is 3x² - 2. Take the derivative of that.
#
# </details>

# %%
answer = ...

check("11.1", answer)

# %% [markdown]
# ## Backward makes a graph
#
# How does the machine do it? `backward()` leaves *numbers* in `grad`, and numbers forget. But the
# same walk can be done with values instead. `grad(y, x, create_graph=True)` walks from `y` to `x`
# and multiplies and adds up, with `*` and `+` on values, and these take notes as always. Here is
# the derivative of `x * x * x` as a graph of its own:

# %%
x = Value(3.0, label="x")
y = x * x * x
dy = grad(y, x, create_graph=True)
dy.label = "dy/dx"
print("dy/dx =", dy.data)
show(draw(dy))

# %% [markdown]
# Follow it: the products of x with itself, put together as the chain rule says. All in all it
# computes 3x². And since it is a graph, it can be differentiated again, and again:

# %%
ddy = grad(dy, x, create_graph=True)
dddy = grad(ddy, x, create_graph=True)
print("second derivative:", ddy.data, " which is 6x")
print("third derivative: ", dddy.data, " which is 6")

# %% [markdown]
# ## How long may a step be?
#
# In chapter 7 you turned the learning rate until things exploded. Now you can compute where that
# happens. In a bowl with the second derivative `c`, a step of descent multiplies the distance
# from the bottom by `1 - lr * c`. It shrinks if that lies between -1 and 1: so `lr` must be below
# `2 / c`. At `1 / c` it hits the bottom in one step.
#
# So the sharper the bend, the shorter the steps. The trouble begins when there are two
# directions, one sharp and one shallow: the sharp one forbids long steps, and the shallow one
# would need them. Here is such a valley. Change the learning rate: the limit is `2 / 20 = 0.1`.


# %%
def valley(x, y):
    return 0.5 * x * x + 10 * y * y


lr = 0.09

x, y = Value(-8.0), Value(1.5)
path = []
for _ in range(25):
    path.append((x.data, y.data))
    by_x, by_y = grad(valley(x, y), [x, y])
    x.data -= lr * by_x
    y.data -= lr * by_y

axes = chart("x", "y")
across, along = [k / 10 - 10 for k in range(201)], [k / 20 - 2 for k in range(81)]
heights = [[valley(p, q) for p in across] for q in along]
axes.contour(across, along, heights, levels=[1, 4, 9, 16, 25, 36, 49], colors="#b0b8c0")
axes.plot(*zip(*path), ".-")
axes.set(xlim=(-10, 10), ylim=(-2, 2), title=f"after 25 steps: {valley(x, y).data:.3g}")
show(axes)

# %% [markdown]
# It zigzags from wall to wall, and crawls along the valley. This is what slows down the training
# of most networks, and what optimisers like Adam try to mend.
#
# All second derivatives together form a table: by each input, and then by each input. It is
# called the **Hessian**.

# %%
print(hessian(valley(x, y), [x, y]))

# %% [markdown]
# 1 in the one direction, 20 in the other, and nothing across: there it is, the shape of the
# valley in four numbers.
#
# ### Exercise 11.2
#
# By hand: the Hessian of `f(x, y) = x**2 * y + y**3` at `x = 2`, `y = 3`, as a list of two rows.
#
# <details><summary>Hint</summary>
#
# First the gradient: by x it is 2xy, by y it is x² + 3y². Then each of the two by x and by y.
#
# </details>

# %%
answer = ...

check("11.2", answer)

# %% [markdown]
# ## Newton's jump
#
# If the slope says which way is down, and the second derivative how fast the slope changes, then
# one can compute where the slope will be 0, and jump there:
#
#     x = x - slope / (slope of the slope)
#
# In a bowl made of a square that is exact, in one step. Elsewhere one has to jump a few times,
# but then it is breathtaking: the number of right digits *doubles* with each.
#
# ### Exercise 11.3
#
# Write one such step. `derivative(f)` and `derivative(f, n=2)` are functions.
#
# <details><summary>Hint</summary>
#
# It is the line above.
#
# </details>


# %%
def newton_step(f, x):
    return ...


check("11.3", newton_step)

# %% [markdown]
# This one runs a step of its own, so that you can compare. It looks for the bottom of `exp(x) -
# 2x`, which is at `log(2)`:


# %%
def bowl(x):
    return chainrule.exp(x) - 2 * x


x = 0.0
for step in range(6):
    print(f"step {step}: {x:.15f}, off by {abs(x - math.log(2)):.1e}")
    x = x - derivative(bowl)(x) / derivative(bowl, n=2)(x)

# %% [markdown]
# Why is not everything trained so? For a network of a million parameters the Hessian has a
# million times a million numbers. But pieces of it can be had cheaply, and much of modern
# optimisation lives from that.
#
# ## A network that solves an equation
#
# Here is the most astonishing use. A hot cup cools the faster the hotter it still is. As an
# equation: the temperature's *slope* is minus the temperature, `y' = -y`, and at the beginning `y
# = 1`. Which function of time does that?
#
# Let a network `y(x)` be the function. Nobody shows it examples of temperatures. The loss says
# only: *your slope plus your value should be 0, everywhere, and at 0 you should be 1.* The slope
# in the loss is a derivative by the input; to train, the loss is differentiated by the weights. A
# derivative of a derivative, in every step.

# %%
random.seed(3)
network = MLP(1, [8, 1], activation="tanh")


def loss(times):
    misses = []
    for t in times:
        t = Value(t)
        y = network([t])
        slope = grad(y, t, create_graph=True)
        misses.append((slope + y) ** 2)
    beginning = network([0.0]) - 1
    return sum(misses) / len(misses) + beginning**2


times = [k / 5 for k in range(16)]
step = train_step(loss, Adam(network.parameters(), lr=0.02))
start = time.perf_counter()
losses = [step(times) for _ in range(1500)]
print(f"loss {losses[-1]:.1e} after {time.perf_counter() - start:.1f} s")

axes = chart("time", "temperature")
axes.plot(times, [network([t]).data for t in times], "o", label="the network")
axes.plot(times, [math.exp(-t) for t in times], label="exp(-t)")
axes.legend()
show(axes)

# %% [markdown]
# It found the exponential function, from nothing but a law. Change the law, `slope + 2 * y`, or
# `slope - 1`, and see what it comes up with. (And take the curve for comparison out, or change it
# too.) Networks of this kind are used for heat, waves and flow, where nobody knows a formula.
#
# ## What you have now
#
# The backward pass is a program like another. So it can be drawn, compiled, and differentiated.
# You began with one number and the question which way it moves; you end up with machines that
# find functions. One chapter is left: the kind of network that everybody talks about.
