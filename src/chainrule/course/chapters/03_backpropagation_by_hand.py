# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 3. Backpropagation by hand
#
# You have a graph. You want to know, for every value in it, how the result moves when that value
# does. There is a way to fill in all of these numbers in one walk from right to left, with
# nothing but multiplication and addition. Do it by hand twice, and it will never be a mystery
# again.
#
# After this chapter you can
#
# * state the chain rule, and say why rates multiply,
# * fill in the gradients of a graph with a pencil,
# * check any one of them by nudging,
# * predict which way each input of a neuron pushes its output.

# %%
import math

from chainrule import Value, explore
from chainrule.course import chart, check, show
from chainrule.viz import draw

# %% [markdown]
# ## Rates multiply
#
# One more sack of flour makes 40 more loaves. One more loaf earns 3 more coins. So one more sack
# earns 120 more coins: `40 * 3`. Nobody would think of *adding* the 40 and the 3.
#
# That is the **chain rule**, all of it. If `x` moves `y` at some rate, and `y` moves `z` at some
# rate, then `x` moves `z` at the product of the two.
#
# The trick of backpropagation is to start at the *end*. The coins' rate by the coins themselves
# is 1. If you know how the coins move with the loaves, you need to know only one more small thing
# to find how they move with the flour: how the loaves do. That small thing, from one op to the
# next, is called the **local derivative**.

# %%
loaves_per_sack = 40
coins_per_loaf = 3

print("coins per sack:", loaves_per_sack * coins_per_loaf)

# %% [markdown]
# ## Backpropagation by hand: an expression
#
# Here is the graph of the last chapter with one more step at its end, `L = d * f`:

# %%
a = Value(2.0, label="a")
b = Value(-3.0, label="b")
c = Value(10.0, label="c")
f = Value(-2.0, label="f")

e = a * b
e.label = "e"
d = e + c
d.label = "d"
L = d * f
L.label = "L"
show(draw(L))

# %% [markdown]
# Every box has a line `grad`, and all are 0. In it goes the answer to: *if this value moved a
# little, how many times as far would L move?*
#
# **The end.** If `L` moves by some amount, `L` moves by that amount. The rate is 1.

# %%
L.grad = 1.0

# %% [markdown]
# **`L = d * f`.** Whatever is added to `d` arrives multiplied by `f`. And the other way round. A
# product gives each operand the *other* operand's number:

# %%
d.grad = f.data * L.grad
f.grad = d.data * L.grad

print("dL/dd =", d.grad)
print("dL/df =", f.grad)

# %% [markdown]
# Do not believe it. Nudge! This function computes `L` from scratch, but adds a little to one
# value on the way, be it a leaf or in the middle:


# %%
def nudged(label, h):
    leaf = {x.label: x.data + h * (x.label == label) for x in (a, b, c, f)}
    e = leaf["a"] * leaf["b"] + h * (label == "e")
    d = e + leaf["c"] + h * (label == "d")
    return d * leaf["f"] + h * (label == "L")


def measured(label, h=0.0001):
    return (nudged(label, h) - nudged(label, 0)) / h


print("L =", nudged("nothing", 0))
print(f"dL/dd by nudging: {measured('d'):.4f}")
print(f"dL/df by nudging: {measured('f'):.4f}")

# %% [markdown]
# **`d = e + c`.** Now the step that all of this chapter is about. We want `dL/dc`. What we can
# see is that `c` moves `d` at the rate 1: a sum passes on a nudge as it is. And we know already
# that `d` moves `L` at the rate -2. Rates multiply: `1 * -2`.
#
# The 1 is the local derivative, which knows nothing but this one op. The -2 came *from above*. A
# plus sign is a pipe: what arrives from above goes to both operands, unchanged.

# %%
c.grad = 1.0 * d.grad
e.grad = 1.0 * d.grad

print(f"dL/dc = {c.grad}, by nudging {measured('c'):.4f}")
print(f"dL/de = {e.grad}, by nudging {measured('e'):.4f}")

# %% [markdown]
# **`e = a * b`.** A product again: the other operand's number, times what comes from above.

# %%
a.grad = b.data * e.grad
b.grad = a.data * e.grad

print(f"dL/da = {a.grad}, by nudging {measured('a'):.4f}")
print(f"dL/db = {b.grad}, by nudging {measured('b'):.4f}")

# %% [markdown]
# Done. Look at the numbers behind `grad`, from right to left, and find each of these steps:

# %%
show(draw(L))

# %% [markdown]
# ### Exercise 3.1
#
# Your turn, with a twist. What are the derivatives of `M` by `p`, `q` and `r`?
#
#     p, q, r = 3.0, -1.0, 4.0
#     s = p + q
#     t = s * r
#     M = t + q
#
# Give a list, `[by_p, by_q, by_r]`.
#
# <details><summary>Hint</summary>
#
# There are two ways from `q` to `M`: through `s`, and straight to the end. Nudge `q` in your
# mind: both ways carry the nudge, and what arrives at the end is the sum.
#
# </details>

# %%
answer = ...

check("3.1", answer)

# %% [markdown]
# ## One step of optimisation
#
# What is all this good for? Suppose you want `L` to be larger. You may turn four knobs: the
# leaves `a`, `b`, `c` and `f`. The gradient of each says which way to turn it: along its sign.
# Let us move each a little along its gradient:

# %%
step = 0.01

new_a, new_b, new_c, new_f = [leaf.data + step * leaf.grad for leaf in (a, b, c, f)]
print(f"L was {L.data}, and is now {(new_a * new_b + new_c) * new_f:.6f}")

# %% [markdown]
# `L` went up, as ordered. That is one step of optimisation, and training a network is nothing but
# some thousands of them. (There we will want a number to go *down*, and step the other way.)
#
# Try larger steps. Is a step of 0.1 ten times as good? And a step of 1? The gradient is a promise
# for tiny moves only.
#
# ### Exercise 3.2
#
# Start again from the numbers at the top: `L` is -8, and `e` is -6 with a gradient of -2. If `e`
# alone were raised by 0.05, with all else left alone, what would `L` be?
#
# <details><summary>Hint</summary>
#
# `L` moves by the gradient times the nudge.
#
# </details>

# %%
answer = ...

check("3.2", answer)

# %% [markdown]
# ## Backpropagation by hand: a neuron
#
# The second expression is a neuron, or what mathematics has made of one. Inputs come in, each is
# multiplied by a **weight**, everything is added up with a **bias**, and at the end there is a
# function that squashes the sum to between -1 and 1. It is called `tanh`, and looks like this:

# %%
axes = chart("n", "tanh(n)")
ns = [k / 20 - 4 for k in range(161)]
axes.plot(ns, [math.tanh(n) for n in ns], label="tanh(n)")
axes.plot(ns, [1 - math.tanh(n) ** 2 for n in ns], "--", label="its slope, 1 - tanh(n)²")
axes.legend()
show(axes)

# %% [markdown]
# In the middle it is steep, far out it is flat: there it is nearly as large as it can get, and
# nudging changes little. Its slope can be computed from its height alone: where it is at height
# `o`, it is `1 - o**2`. (That is in every table of derivatives. You could also nudge it and be
# convinced.)
#
# Here is a neuron with two inputs. The bias is so odd to make the numbers come out nicely.

# %%
x1 = Value(2.0, label="x1")
x2 = Value(0.0, label="x2")
w1 = Value(-3.0, label="w1")
w2 = Value(1.0, label="w2")
b = Value(6.8813735870195432, label="b")

x1w1 = x1 * w1
x1w1.label = "x1*w1"
x2w2 = x2 * w2
x2w2.label = "x2*w2"
both = x1w1 + x2w2
both.label = "x1*w1 + x2*w2"
n = both + b
n.label = "n"
o = n.tanh()
o.label = "o"
print(f"o = {o.data:.4f}")

# %% [markdown]
# From the end to the beginning. First `tanh`, then two pipes, then two products:

# %%
o.grad = 1.0
n.grad = (1 - o.data**2) * o.grad

both.grad = n.grad
b.grad = n.grad
x1w1.grad = both.grad
x2w2.grad = both.grad

x1.grad = w1.data * x1w1.grad
w1.grad = x1.data * x1w1.grad
x2.grad = w2.data * x2w2.grad
w2.grad = x2.data * x2w2.grad

show(draw(o))

# %%
for leaf in (x1, w1, x2, w2, b):
    print(f"do/d{leaf.label} = {leaf.grad:.4f}")

# %% [markdown]
# Do the numbers make sense? Look at `w2`: its gradient is 0. Of course: it is multiplied by `x2`,
# which is 0, so no matter how `w2` moves, the neuron does not notice. A weight learns nothing
# from an input that is silent.
#
# And `w1`: its gradient is 1. To make this neuron fire more strongly, raise `w1`; the bias helps
# half as much.
#
# Now go through it once more, one step at a time, with every product spelled out. Use the buttons
# or the arrow keys. The page first computes forward, and then goes back.

# %%
show(explore(o))

# %% [markdown]
# ### Exercise 3.3
#
# Another neuron, by hand: inputs `x1 = 0.5` and `x2 = -1.0`, weights `w1` and `w2`, a bias `b`.
# You are told that its output is `o = 0.6`, and need nothing else. What are the gradients of
# `[w1, w2, b]`?
#
# <details><summary>Hint</summary>
#
# What is the slope of tanh where its height is 0.6? That arrives at the bias as it is. At each
# weight it arrives multiplied by the weight's input.
#
# </details>

# %%
answer = ...

check("3.3", answer)

# %% [markdown]
# ### Exercise 3.4
#
# A hand-made machine. Write a function that takes the numbers of this neuron and returns the
# gradients of the output by `[w1, w2, b]`, without nudging.
#
# <details><summary>Hint</summary>
#
# First compute the output, as in the forward pass: `o = math.tanh(x1 * w1 + x2 * w2 + b)`. Then
# go back.
#
# </details>


# %%
def neuron_gradients(x1, x2, w1, w2, b):
    return ...


check("3.4", neuron_gradients)

# %% [markdown]
# ## What you have now
#
# One rule, used over and over: **the gradient of an operand is the local derivative times the
# gradient of the result**. A plus passes it on, a product swaps the operands, tanh dampens.
#
# You may have noticed how boring it became. Every step was the same; no cleverness was needed
# after the first minute. That is the best thing one can say about a piece of work: it can be left
# to a machine.
