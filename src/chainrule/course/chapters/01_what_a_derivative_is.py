# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 1. What a derivative is
#
# Some networks write poems and some steer cars, and all of them learned by one trick: ask of
# every number inside *"if I made you a little larger, would the result get better or worse?"*,
# then move all of them a little. The answer to that question is a derivative. In this course you
# build the machine that answers it, from nothing, until it trains networks.
#
# After this chapter you can
#
# * say what a derivative is without the word "limit",
# * measure one, of any program that turns numbers into a number,
# * choose how far to nudge, and see why closer is not always better.
#
# **How the course works.** Run the cells from the top. Then change numbers and run them again:
# nothing here can break. Exercises are checked on the spot by `check`, which tells you what went
# wrong. Solutions are in the folder `solutions`, for after you have tried.

# %%
import math

from chainrule import Value, numerical_derivative, sin, sqrt
from chainrule.course import chart, check, show
from chainrule.viz import draw

# %% [markdown]
# ## Where this is going
#
# Here is a page of arithmetic with no meaning at all. It starts from two numbers, `a` and `b`,
# and after some detours arrives at one, `g`. The numbers are wrapped in a `Value`, and that is
# the only unusual thing about it.

# %%
a = Value(-4.0, label="a")
b = Value(2.0, label="b")
c = a + b
d = a * b + b**3
c += c + 1
c += 1 + c + (-a)
d += d * 2 + (b + a).relu()
d += 3 * d + (b - a).relu()
e = c - d
f = e**2
g = f / 2
g += 10 / f
print(f"g = {g.data:.4f}")

# %% [markdown]
# Now the question. If `a` were a little larger, what would `g` do? And `b`? One call answers
# both:

# %%
g.backward()
print(f"how g moves with a: {a.grad:.4f}")
print(f"how g moves with b: {b.grad:.4f}")

# %% [markdown]
# So for each tiny step that `a` goes up, `g` goes up some 139 times as far, and with `b` even 646
# times. You can believe that or try it: change `-4.0` above to `-3.999`, run both cells, and
# watch `g` rise by about 0.139.
#
# The machine knew because every `Value` remembers where it came from. This is everything that `g`
# remembers, from left to right:

# %%
show(draw(g))

# %% [markdown]
# In a few chapters you will have written all of this yourself. First we need to be quite sure of
# what the question means, and for that the plainest of functions will do.
#
# ## Derivative of one input
#
# A function of one number, which we will use on and off:


# %%
def f(x):
    return 3 * x**2 - 4 * x + 5


print("f(3) =", f(3.0))

# %% [markdown]
# Plot it, and it is a bowl. Stand on it at some place `x` and take a step of size `h` to the
# right. How far you rise, divided by how far you went, is how steep the bowl is under your feet:
# the slope of the dashed line.
#
# Change `x` and `h` and run the cell again. Try `h = 0.1`. Try standing on the other side.

# %%
x = 3.0
h = 1.0

slope = (f(x + h) - f(x)) / h

axes = chart("x", "f(x)")
xs = [k / 20 - 4 for k in range(181)]
axes.plot(xs, [f(x) for x in xs])
axes.plot(xs, [f(x) + slope * (other - x) for other in xs], "--", linewidth=1)
axes.plot([x, x + h], [f(x), f(x + h)], "o")
axes.set(ylim=(-10, 75), title=f"the slope is {slope:.4f}")
show(axes)

# %% [markdown]
# With a smaller step the line hugs the curve, and the number settles down:

# %%
for h in [1.0, 0.1, 0.01, 0.001, 0.0001]:
    print(f"h = {h:<7}  slope at 3: {(f(3 + h) - f(3)) / h:.6f}")

# %% [markdown]
# It settles at 14. That is the **derivative** of `f` at 3: what the slope becomes when the step
# is too small to matter. Nothing more is behind the word.
#
# It depends on where you stand. On the left of the bowl, a step to the right leads down, and the
# derivative is negative. Where the bowl is flat, it is 0:

# %%
for x in [-3.0, 2 / 3, 3.0]:
    print(f"at {x:6.3f} the slope is {(f(x + 0.0001) - f(x)) / 0.0001:8.3f}")

# %% [markdown]
# Take a moment with the sign. Positive: going right leads up. Negative: going right leads down.
# If you wanted to reach the bottom of the bowl blindfolded, the sign of the derivative is all you
# would need to know. That is how networks learn, and it is chapter 7.
#
# ### Exercise 1.1
#
# Let `g(x) = x**3 - 2*x`. What is its derivative at `x = 2`? Measure it with a small step, or
# remember the rule from school, or both.
#
# <details><summary>Hint</summary>
#
# By the rule, the derivative of x³ is 3x² and that of -2x is -2. To measure it, write a function
# like `f` above, and compute `(g(2 + h) - g(2)) / h` with a small `h`.
#
# </details>

# %%
answer = ...

check("1.1", answer)

# %% [markdown]
# ### Exercise 1.2
#
# Write that measurement as a function that works for every `f`, at every `x`.
#
# <details><summary>Hint</summary>
#
# How far did the result move? How far did the input move? Divide.
#
# </details>


# %%
def slope(f, x, h):
    return ...


check("1.2", slope)

# %% [markdown]
# ## The step size
#
# So `h` should be as small as possible. Should it? Let us go on where the table above ended. This
# is the slope of `exp` at 1, which ought to be e = 2.718281828... exactly:

# %%
for k in range(2, 17, 2):
    h = 10.0**-k
    found = (math.exp(1 + h) - math.exp(1)) / h
    print(f"h = 1e-{k:02}   slope {found:.12f}   error {abs(found - math.e):.1e}")

# %% [markdown]
# It gets better, and better, and then worse, until at the end it is nonsense. Two enemies are at
# work:
#
# * **A large step is inaccurate**, since the curve bends away from the line.
# * **A small step drowns in rounding.** A computer keeps some 16 digits. `exp(1 + h)` and
#   `exp(1)` agree in nearly all of them, and subtracting leaves only the last, which are rounded.
#
# Draw the error against the step, and there is a valley between the two. The second curve is a
# better way to measure, which is the next exercise.

# %%
steps = [10 ** (-k / 4) for k in range(61)]
one_sided = [abs((math.exp(1 + h) - math.exp(1)) / h - math.e) for h in steps]
symmetric = [abs((math.exp(1 + h) - math.exp(1 - h)) / (2 * h) - math.e) for h in steps]

axes = chart("step size h", "error of the slope")
axes.loglog(steps, one_sided, "o-", markersize=4, label="one-sided: (f(x+h) - f(x)) / h")
axes.loglog(steps, symmetric, "s-", markersize=4, label="symmetric: (f(x+h) - f(x-h)) / 2h")
axes.legend()
show(axes)

# %% [markdown]
# Read it from right to left, as `h` shrinks. The right slope of each valley is the curve's bend,
# the ragged left slope is rounding. Somewhere near h = 1e-8 the one-sided way is at its best, and
# gives about half of the digits. The symmetric way falls faster and so gets further down before
# the rounding comes.
#
# Keep this picture in mind: measured derivatives are never quite right. Soon we will have exact
# ones, and then measuring is how we check them.
#
# ### Exercise 1.3
#
# Write the symmetric measurement: one step to the right, one step to the left, and the slope
# between the two.
#
# <details><summary>Hint</summary>
#
# How far apart are the two places where `f` is asked?
#
# </details>


# %%
def symmetric_slope(f, x, h):
    return ...


check("1.3", symmetric_slope)

# %% [markdown]
# ## Several inputs
#
# Nothing changes when there are more inputs. There is one derivative for each: nudge that input
# and leave the others alone.

# %%
a, b, c = 2.0, -3.0, 10.0
h = 0.0001

d = a * b + c
print("d =", d)
print(f"nudging a: {((a + h) * b + c - d) / h:.4f}")
print(f"nudging b: {(a * (b + h) + c - d) / h:.4f}")
print(f"nudging c: {(a * b + (c + h) - d) / h:.4f}")

# %% [markdown]
# Try to see each number *before* you measure it. In `a * b`, whatever is added to `a` comes out
# multiplied by `b`: so `-3`. With `b` it is the other way round: `2`. And `c` is merely added, so
# a nudge to it arrives as it is: `1`. All of backpropagation is made of such small observations.
#
# The derivatives by all inputs together are called the **gradient**.
#
# ## The exercises
#
# Now a function that nobody can see through at a glance:
#
#     wild(a, b, c) = -a³ + sin(3b) - 1/c + b^2.5 - √a
#
# at the point (2, 3, 4). Find its gradient three times: by hand, by measuring, and, as a promise
# of what is to come, by machine.
#
# ### Exercise 1.4
#
# By hand. Give a list of three numbers, as code or as decimals: `[by_a, by_b, by_c]`.
#
# <details><summary>Hint: the rules needed</summary>
#
# * `x**n` has the derivative `n * x**(n - 1)`, for any number n: for 1/x, which is `x**-1`, and
#   for √x, which is `x**0.5`, as well.
# * `sin(k * x)` has `k * cos(k * x)`.
#
# Each input stands in two terms at most; terms without it stay where they are and contribute
# nothing.
#
# </details>
# <details><summary>Hint: the first one</summary>
#
# By a it is -3a² - 1/(2√a), in code `-3 * 2**2 - 1 / (2 * math.sqrt(2))`.
#
# </details>

# %%
answer = ...

check("1.4", answer)

# %% [markdown]
# ### Exercise 1.5
#
# By measuring. Write a function that takes any `f`, a `point` with as many numbers as `f` has
# inputs, and `h`, and returns the list of all derivatives. Use the symmetric way.
#
# <details><summary>Hint</summary>
#
# For each place `i` make two copies of the point, and nudge only the number at `i`: up in one,
# down in the other. `f(*point)` calls `f` with the numbers of a list.
#
# </details>


# %%
def gradient(f, point, h):
    return ...


check("1.5", gradient)

# %% [markdown]
# And by machine, for you to compare with: exact, and all three at once.


# %%
def wild(a, b, c):
    return -(a**3) + sin(3 * b) - 1 / c + b**2.5 - sqrt(a)


a, b, c = Value(2.0), Value(3.0), Value(4.0)
result = wild(a, b, c)
result.backward()
print("wild =", result.data)
print("by machine:        ", [round(x.grad, 6) for x in (a, b, c)])
measured = numerical_derivative(wild, [2.0, 3.0, 4.0], h=0.001)
print("measured, h = 0.001:", [round(x, 6) for x in measured])

# %% [markdown]
# ## What you have now
#
# A derivative is how far the result moves for a small move of an input: positive if they move
# together, negative if against each other, 0 if the result does not care, for now.
#
# Measuring it takes a run of the whole program for each input. A network has thousands of inputs,
# or billions. What is needed is a way to get *all* derivatives from *one* run, and for that,
# numbers must remember where they came from. That is the next chapter.
