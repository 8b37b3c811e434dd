# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5. More operations, and your own
#
# An engine of `+` and `*` is a bicycle with one pedal. This chapter adds the rest: numbers on
# either side, subtraction, division, powers, `exp`, `tanh` and `relu`. Each takes a line or two,
# because each needs the same two things: a value, and a local derivative. At the end you add an
# operation that did not exist before.
#
# After this chapter you can
#
# * make Python's operators work with plain numbers on either side,
# * build operations from others, and get their derivatives for nothing,
# * say how large an operation may be (as large as you like),
# * register an operation of your own, and have its derivative checked.

# %%
import subprocess
import sys

import chainrule
from chainrule import Value, exp, gradcheck, softmax
from chainrule.course import chart, check, load, show
from chainrule.viz import draw

# %% [markdown]
# ## Numbers on either side
#
# Your engine cannot do `a + 1` yet: the 1 has no `data`. That is easily mended: whatever is no
# `Value` is wrapped into one first. With `2 * a` it is worse. Python asks the *left* side first,
# and the integer 2 has never heard of your class:

# %%
print((2).__mul__(Value(3.0)))

# %% [markdown]
# *NotImplemented* means: not my business. Then Python turns to the right side, and asks with
# another name: `a.__rmul__(2)`, the *reflected* operator. If the class has it, all is well:

# %%
a = Value(4.0, label="a")
for text in ("a + 1", "1 + a", "2 * a", "2 - a", "1 / a", "2 ** a"):
    result = eval(text)
    print(f"{text} = {result.data}")

# %% [markdown]
# For `+` and `*` the sides do not matter, and the reflected operator may call the ordinary one.
# For `-`, `/` and `**` they do. `2 - a` asks for `a.__rsub__(2)`, in which `self` is what stands
# on the *right*. Mixing that up is the classic mistake: everything runs, and the sign is wrong.
#
# ## More ops
#
# How much has to be written down anew? Less than one would think. Subtraction is adding the
# negative. The negative is multiplying by -1. Division is multiplying by the other one to the
# power of -1:
#
#     a - b   is   a + (b * -1)
#     a / b   is   a * b**-1
#
# The derivatives need no thought: they come from the parts, by the chain rule. Only the power
# itself is new.
#
# ### Exercise 5.1
#
# `y = x**n` for a fixed number `n`. Write its local derivative: how fast `y` moves with `x`.
#
# <details><summary>Hint</summary>
#
# The rule was in chapter 1: the exponent comes to the front, and falls by 1 where it was.
#
# </details>


# %%
def power_derivative(x, n):
    return ...


check("5.1", power_derivative)

# %% [markdown]
# `exp` is the friendliest of all functions: its derivative is itself. With it, `tanh` can be
# taken apart. It is
#
#     tanh(x) = (e - 1) / (e + 1)     where e = exp(2x)
#
# Here is the neuron of chapter 3 once more, once with `tanh` as one op and once with `tanh` in
# pieces.


# %%
def in_one(n):
    return n.tanh()


def in_pieces(n):
    e = (2 * n).exp()
    return (e - 1) / (e + 1)


def neuron(squash):
    x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
    w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
    b = Value(6.8813735870195432, label="b")
    n = x1 * w1 + x2 * w2 + b
    n.label = "n"
    o = squash(n)
    o.label = "o"
    o.backward()
    return o, [x1, w1, x2, w2, b]


for squash in (in_one, in_pieces):
    o, leaves = neuron(squash)
    print(f"{squash.__name__}: o = {o.data:.4f}")
    print("   ", "  ".join(f"{leaf.label} {leaf.grad:.4f}" for leaf in leaves))

# %%
o, _ = neuron(in_pieces)
show(draw(o))

# %% [markdown]
# Four ops more, and the same gradients. Find `n` in the drawing: what used to be one step with
# the derivative `1 - o²` is now a walk through a division, a sum, a difference and an `exp`. All
# of them together multiply out to `1 - o²`.
#
# ## How large may an op be?
#
# So is `tanh` an op, or four? It is up to you. **An op can be as large as you like, as long as
# you know its local derivative.** A whole network could be one op. `+` and `*` are not more
# fundamental than `tanh`; they are merely smaller.

# %%
for squash in (in_one, in_pieces):
    x = Value(0.8813735870195432)
    y = squash(x)
    y.backward()
    count = len(chainrule.engine.operands_first(y))
    print(f"{squash.__name__}: {count} values, derivative {x.grad:.4f}")

# %% [markdown]
# Larger ops mean fewer values, so less memory and less time. Smaller ops mean fewer derivatives
# to know and to get wrong. All libraries sit somewhere between.
#
# ## A function with a corner
#
# One more op is needed, and it is the simplest: `relu`. What is below 0 becomes 0, what is above
# stays. It has largely replaced `tanh` in networks, because it costs next to nothing and its
# slope does not fade for large inputs.

# %%
axes = chart("x", "relu(x) and its slope")
xs = [k / 50 - 2 for k in range(201)]
axes.plot(xs, [Value(x).relu().data for x in xs], label="relu(x)")
slopes = [chainrule.derivative(chainrule.relu)(x) for x in xs]
axes.plot(xs, slopes, ".", markersize=3, label="its slope")
axes.legend()
show(axes)

# %% [markdown]
# What is the derivative at the corner itself, at 0? There is none. The slope is 0 to the left and
# 1 to the right, and a choice must be made; the libraries take 0. It hardly matters, since a
# number is hardly ever exactly 0. Hardly: so chainrule's table of ops says for every corner what
# is chosen there.

# %%
for name in ("exp", "tanh", "relu", "abs"):
    row = chainrule.TABLE[name]
    print(f"{name}: the derivative is {row.derivatives[0]}")
    if row.at_kink:
        print(f"      at the corner: {row.at_kink}")

# %% [markdown]
# ## An op of your own
#
# That table is open. Give a function, and its derivative as a formula in the names of the
# arguments (and `y` for the result), and it becomes an op like all others: with a method, a
# drawing, a gradient, even second derivatives.


# %%
@chainrule.op("3 * x**2")
def cube(x):
    return x * x * x


x = Value(1.5, label="x")
y = cube(x)
y.backward()
print(cube, "  at 1.5:", y.data, x.grad)
print("checked by nudging:", gradcheck(cube, [1.5]))

# %% [markdown]
# `gradcheck` nudges, as you did in chapter 1, and compares. If the formula is wrong, it says
# where:


# %%
@chainrule.op("3 * x")
def wrong_cube(x):
    return x * x * x


try:
    gradcheck(wrong_cube, [1.5])
except chainrule.errors.GradientCheckError as error:
    print(error)

# %% [markdown]
# ### Exercise 5.2
#
# The bell curve, `bell(x) = exp(-x²)`, is the shape of a bump. Give its derivative as a text,
# like `"3 * x**2"` above. You may use `x`, and `y` for `bell(x)` itself.
#
# <details><summary>Hint</summary>
#
# Chain rule: the derivative of `exp` at its argument is the result itself, `y`. Times the
# derivative of the argument, `-x * x`.
#
# </details>

# %%
rule = ...

check("5.2", rule)

# %% [markdown]
# Here is the bump, and its slope by your rule. Until there is a rule, the slope is taken to be 0.


# %%
@chainrule.op(rule if isinstance(rule, str) else "0 * x")
def bell(x):
    return exp(-x * x)


axes = chart("x", "")
axes.plot(xs, [bell(x) for x in xs], label="bell(x)")
axes.plot(xs, [chainrule.derivative(bell)(x) for x in xs], "--", label="its slope")
axes.legend()
show(axes)

# %% [markdown]
# ## Four scores and a surprise
#
# With `exp`, `log` and division one can build what stands at the end of most networks. Say a
# network gives four scores, one for each of four animals. The higher, the more it believes in
# that one. **Softmax** makes probabilities of scores: take `exp` of each, and divide by the sum.

# %%
logits = [Value(0.0, "cat"), Value(3.0, "dog"), Value(-2.0, "eel"), Value(1.0, "fox")]
probabilities = softmax(logits)
for score, p in zip(logits, probabilities):
    print(f"{score.label}: score {score.data:4.1f}, probability {p.data:.4f}")

# %% [markdown]
# Now it turns out to be a fox. How surprised should the network be? The usual measure is the
# *negative logarithm* of the probability that it gave to the truth: 0 if it was certain, larger
# the less it believed in it.

# %%
surprise = -probabilities[3].log()
print(f"surprise: {surprise.data:.10f}")

# %% [markdown]
# ### Exercise 5.3
#
# The gradient of the surprise by the four scores, as a list: by hand, by your own engine, by
# nudging, or by calling `backward()` above. There is a pattern in it. Compare it with the
# probabilities!
#
# <details><summary>Hint</summary>
#
# `surprise.backward()`, and then the `grad` of each of the `logits`. The pattern: three of the
# numbers you have seen before, and the fourth is one of them minus 1.
#
# </details>

# %%
answer = ...

check("5.3", answer)

# %% [markdown]
# The pattern is worth remembering: *probability minus truth*. The network is pushed to lower each
# wrong score by as much as it believed in it, and to raise the right one by what is missing to 1.
# Nobody designed that; it falls out of the chain rule.
#
# ## Your engine, part three
#
# ### Exercise 5.4
#
# Give your engine the rest: numbers on either side, `-a`, `a - b`, `a / b`, `a**n` for numbers
# `n`, and the methods `exp()`, `tanh()` and `relu()`.
#
# <details><summary>Hint: wrapping numbers</summary>
#
# A function outside of the class, used at the beginning of `__add__` and `__mul__`:
#
#     def as_value(x):
#         return x if isinstance(x, Value) else Value(x)
#
# </details>
# <details><summary>Hint: reflected operators</summary>
#
#     def __radd__(self, other):
#         return as_value(other) + self
#
# In this form none of them can be turned round by mistake.
#
# </details>
# <details><summary>Hint: functions</summary>
#
#     def tanh(self):
#         y = math.tanh(self.data)
#         return Value(y, (self,), "tanh", (1 - y * y,))
#
# One operand, so the tuples have one element. Mind the comma.
#
# </details>

# %%
mine = load("my_engine.py")

check("5.4", mine.Value)

# %% [markdown]
# And now a stricter judge. `chainrule grade` puts an engine through more than seventy programs,
# and explains what it finds. You can also call it in a terminal. (Networks come in the next
# chapter; they are missing still.)

# %%
if hasattr(mine.Value, "backward"):
    command = [sys.executable, "-m", "chainrule", "grade", "my_engine.py"]
    print(subprocess.run(command, capture_output=True, text=True, encoding="utf-8").stdout)
else:
    print("There is little to grade yet: your engine has no backward().")

# %% [markdown]
# ## What you have now
#
# All of the lecture's operations, and the way to any other: a value, a local derivative, done.
# Your engine can now differentiate nearly anything that can be written in Python. It is time to
# build something with it that learns.
