# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4. Backpropagation by machine
#
# In the last chapter each step was the same: take the gradient of a result, multiply it by the
# local derivative, hand it to the operand. Only two questions were decided by looking at the
# drawing: in which *order* to take the steps, and what to do with a value that is used *twice*. A
# machine cannot look at drawings, so let us answer both for good. These are the two most asked
# questions about this whole subject.
#
# After this chapter you can
#
# * say why backpropagation needs a topological order, and write one,
# * say why it is `+=` and not `=`,
# * write `backward()`, in ten lines, in your own engine.

# %%
import chainrule
from chainrule import explore
from chainrule.course import check, load, show

# %% [markdown]
# ## Each op's backward
#
# The best moment to write down a local derivative is when the op is carried out: then both
# numbers are at hand. So a value shall keep one more thing: for each operand, how fast the value
# moves when that operand does. For a sum that is `1` and `1`. For a product it is the *other*
# operand's number:


# %%
class Value:
    def __init__(self, data, operands=(), op="", derivatives=(), label=""):
        self.data = data
        self.operands = operands
        self.op = op
        self.derivatives = derivatives
        self.label = label
        self.grad = 0.0

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    def __add__(self, other):
        return Value(self.data + other.data, (self, other), "+", derivatives=(1.0, 1.0))

    def __mul__(self, other):
        derivatives = (other.data, self.data)
        return Value(self.data * other.data, (self, other), "*", derivatives)


a = Value(2.0, label="a")
b = Value(-3.0, label="b")
e = a * b
print("e moves with a at the rate", e.derivatives[0])
print("e moves with b at the rate", e.derivatives[1])

# %% [markdown]
# Then one step backwards is the same line for every op there will ever be: *to each operand, its
# local derivative times the gradient from above*.


# %%
def pass_on(value):
    for operand, derivative in zip(value.operands, value.derivatives):
        operand.grad += derivative * value.grad


c = Value(10.0, label="c")
f = Value(-2.0, label="f")
d = e + c
L = d * f

L.grad = 1.0
pass_on(L)
pass_on(d)
pass_on(e)
for leaf in (a, b, c, f):
    print(f"dL/d{leaf.label} = {leaf.grad}")

# %% [markdown]
# The numbers of the last chapter: 6, -4, -2, 4. All that is left of the work is to call `pass_on`
# for `L`, `d` and `e`, in this order. Who says that it must be this order?
#
# ## Why the order matters
#
# Think of each value as a person with a letter box. Gradients are letters. When all letters have
# arrived, the person adds them up and writes to the operands. What if somebody writes too early,
# while a letter is still on its way?
#
# Here `b` has two letters coming: one from `d` directly, and one by way of `c`.


# %%
def example():
    a = Value(2.0, label="a")
    b = a * a
    c = b * a
    d = c + b
    return a, b, c, d


a, b, c, d = example()
d.grad = 1.0
for value in (d, c, b):
    pass_on(value)
print("in the order d, c, b: the gradient of a is", a.grad)

a, b, c, d = example()
d.grad = 1.0
for value in (d, b, c):
    pass_on(value)
print("in the order d, b, c: the gradient of a is", a.grad)

# %% [markdown]
# `d` is a³ + a², and its derivative at 2 is 12 + 4 = **16**. The second order lost half of it.
# `b` passed on what it had got from `d`, and when the letter from `c` came, `b` had already
# written. What came late stays in `b` and never reaches `a`.
#
# Watch it happen. Click *too early*, and step through: the mistake is marked in red.

# %%
a = chainrule.Value(2.0, label="a")
b = a * a
b.label = "b"
c = b * a
c.label = "c"
d = c + b
d.label = "d"
show(explore(d))

# %% [markdown]
# So the rule is: **a value passes its gradient on when all of its users have passed on theirs.**
# Going backwards, every value must come after everything that was made from it.
#
# ### Exercise 4.1
#
# The same with another number. What does the *wrong* order `s, q, r` give as the gradient of `p`?
#
#     p = Value(3.0)
#     q = p * p
#     r = q * p
#     s = r + q
#
# <details><summary>Hint</summary>
#
# Keep a list of the gradients on paper. At the start `s` has 1. When `s` passes on, `r` and `q`
# get 1 each. Now `q` passes on what it has, to `p` twice. Then `r`.
#
# </details>

# %%
answer = ...

check("4.1", answer)

# %% [markdown]
# ## A topological order
#
# A list in which every value stands *after* its operands is called a topological order. (Read
# backwards, it is what we need: every value before its operands.)
#
# A graph knows of no such list, but a walk can make one, with a simple promise: *before I put
# myself on the list, I make sure that all my operands are on it.*
#
# ### Exercise 4.2
#
# Write it. The list must hold every value once, however often it is used.
#
# <details><summary>Hint: the promise as a program</summary>
#
# An inner function `visit(value)`: if the value was seen before, do nothing. Otherwise mark it as
# seen, visit each of its operands, and only then append the value to the list.
#
# </details>
# <details><summary>Hint: nearly all of it</summary>
#
#     def topological_order(result):
#         order, seen = [], set()
#
#         def visit(value):
#             if value not in seen:
#                 seen.add(value)
#                 ...
#
#         visit(result)
#         return order
#
# </details>


# %%
def topological_order(result):
    return ...


check("4.2", topological_order)

# %% [markdown]
# Here is what yours should do, done by chainrule: each value after its operands. Look at where
# `b` is.

# %%
print([value.label for value in chainrule.engine.operands_first(d)])

# %% [markdown]
# ## Why += and not =
#
# Now for the second question. Look at the line in `pass_on` again:
#
#     operand.grad += derivative * value.grad
#
# The smallest graph that tells `+=` from `=` has one op. What is the derivative of `a + a`? If
# `a` rises by 1, the sum rises by 2, so 2:

# %%
a = Value(3.0, label="a")
b = a + a

b.grad = 1.0
pass_on(b)
print("with +=:", a.grad)

a.grad = 0.0
for operand, derivative in zip(b.operands, b.derivatives):
    operand.grad = derivative * b.grad
print("with = :", a.grad)

# %% [markdown]
# With `=` the second letter overwrites the first. Both were true, and both count: what `a` does
# to the result is the *sum* of what it does along each way. (You found that in exercise 3.1.)
#
# The bug is nasty because graphs in which each value is used once never show it. Here is one that
# does, with two leaves which are used twice. The right gradients are -3 and -8. Click *= for +=*,
# and see what is lost.

# %%
a = chainrule.Value(-2.0, label="a")
b = chainrule.Value(3.0, label="b")
f = (a * b) * (a + b)
f.label = "f"
f.backward()
print("by a:", a.grad, "  by b:", b.grad)
show(explore(f))

# %% [markdown]
# ## Your engine, part two
#
# ### Exercise 4.3
#
# Time for `backward()` in `my_engine.py`. After `L.backward()`, every value that `L` depends on
# has its gradient in `grad`. You need
#
# * local derivatives, kept by `__add__` and `__mul__`, as above,
# * your topological order,
# * a method `backward(self)`: set the gradient of the result to 1, then pass on in the right
#   order.
#
# <details><summary>Hint: the method</summary>
#
#     def backward(self):
#         self.grad = 1.0
#         for value in reversed(topological_order(self)):
#             ...
#
# </details>
# <details><summary>Hint: another style</summary>
#
# Instead of numbers, an op may keep a little function that passes the gradient on, and `backward`
# calls them. That is how micrograd does it, and the check takes both.
#
# </details>

# %%
mine = load("my_engine.py")

check("4.3", mine.Value)

# %% [markdown]
# If it is right, you have just written the heart of every deep learning library there is. Try it
# on something:

# %%
if hasattr(mine.Value, "backward"):
    a, b, c, f = [mine.Value(x) for x in (2.0, -3.0, 10.0, -2.0)]
    L = (a * b + c) * f
    L.backward()
    print("gradients by your engine:", [leaf.grad for leaf in (a, b, c, f)])
else:
    print("your engine has no backward() yet")

# %% [markdown]
# ## Calling it twice
#
# Gradients are added to, so what if `backward()` is called twice? On the leaves that is often
# wanted: two results, one after the other, and each leaf collects from both. But there is a trap.
#
# ### Exercise 4.4
#
# An engine with `backward()` as in the hint above, which sets the gradient of the result to 1 and
# adds all others up. What is `x.grad` after this? (One call gives 27, and twice 27 is 54. It is
# not 54.)
#
#     x = Value(3.0)
#     t = x * x
#     y = t * x
#     y.backward()
#     y.backward()
#
# <details><summary>Hint</summary>
#
# Which gradients does the first call leave behind? `t` is no leaf, but it still has 3 in its
# letter box when the second call begins.
#
# </details>

# %%
answer = ...

check("4.4", answer)

# %% [markdown]
# So the letters in the boxes of *inner* values must be thrown away before each walk, or they are
# delivered again. In the course's solution that is two lines; chainrule does it as well:

# %%
x = chainrule.Value(3.0)
y = x * x * x
y.backward()
y.backward()
print("twice 27 is", x.grad)

# %% [markdown]
# ## What you have now
#
# `backward()`: a topological order, and one line, `+=`. It takes one walk over the graph, however
# many inputs there are. Chapter 1 needed two runs *per input*. For a network of a million weights
# that is the difference between a second and a month.
