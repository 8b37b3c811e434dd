# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2. Values and graphs
#
# A number forgets. Ask `4.0` how it came about, and you get a blank stare: was it `2 + 2`, or the
# end of a long day of arithmetic? To find derivatives without nudging we need numbers with a
# memory.
#
# After this chapter you can
#
# * write a class whose `+` and `*` build a graph while they compute,
# * read such a graph, by program and as a drawing,
# * tell what a graph contains and what it does not: which line made a value, but not the loop
#   around it.
#
# And you will have begun your own engine, in the file `my_engine.py`.

# %%
import chainrule
from chainrule.course import check, load, show
from chainrule.viz import draw

# %% [markdown]
# ## The value object
#
# The plainest wrapper around a number that there is:


# %%
class Number:
    def __init__(self, data):
        self.data = data

    def __repr__(self):
        return f"Number(data={self.data})"


a = Number(2.0)
b = Number(-3.0)
print(a, b)

# %% [markdown]
# It can do nothing yet. Python has no idea how to add two of them, and says so:

# %%
try:
    print(a + b)
except TypeError as error:
    print("TypeError:", error)

# %% [markdown]
# When Python meets `a + b`, it calls `a.__add__(b)`. So we may decide what `+` means. It should
# give a new object with the sum. And, here it comes, the new one notes down *what it was made of*
# and *how*. It deserves a better name, too: it is the `Value` of the last chapter.


# %%
class Value:
    def __init__(self, data, operands=(), op="", label=""):
        self.data = data
        self.operands = operands
        self.op = op
        self.label = label

    def __repr__(self):
        return f"Value(data={self.data})"

    def __add__(self, other):
        return Value(self.data + other.data, operands=(self, other), op="+")

    def __mul__(self, other):
        return Value(self.data * other.data, operands=(self, other), op="*")


a = Value(2.0, label="a")
b = Value(-3.0, label="b")
c = Value(10.0, label="c")

d = a * b + c
print(d)

# %% [markdown]
# `d` looks like any number. But it knows its past. It is a sum, of these two:

# %%
print("d was made by", d.op, "from", d.operands)

product = d.operands[0]
print("and the first of them by", product.op, "from", product.operands)

# %% [markdown]
# Follow the operands of the operands, and you come to everything that `d` depends on. A short
# function can tell the whole story:


# %%
def tell(value, indent=""):
    print(f"{indent}{value.data:g}  {value.label or value.op}")
    for operand in value.operands:
        tell(operand, indent + "    ")


tell(d)

# %% [markdown]
# Nobody asked for this bookkeeping. The line `d = a * b + c` is ordinary Python; it is `+` and
# `*` that take notes behind the scenes.
#
# ## The graph, drawn
#
# What the notes describe is called a **graph**: values, and lines from operands to results. A
# value that was not computed, such as `a`, is a **leaf**.
#
# From here on we borrow the package's own `Value` as well. It takes the same notes, only more of
# them, and it can be drawn. Data flows from left to right; the circles are the operations; `grad`
# stays 0 until the next chapter.

# %%
a = chainrule.Value(2.0, label="a")
b = chainrule.Value(-3.0, label="b")
c = chainrule.Value(10.0, label="c")

e = a * b
e.label = "e"
d = e + c
d.label = "d"
show(draw(d))

# %% [markdown]
# Change the numbers, and draw again. Change the formula: write `d = e + c * a`, and see `a` with
# two lines leaving it.
#
# ## A graph is a history
#
# The graph records what *happened*, not the program. A loop leaves no loop behind. Here money
# grows at interest for three years; `rate` is one leaf, used three times:

# %%
years = 3

money = chainrule.Value(100.0, label="savings")
rate = chainrule.Value(1.05, label="rate")
for _ in range(years):
    money = money * rate
show(draw(money))

# %% [markdown]
# Likewise, of an `if` only the branch that was taken shows up. Any program made of values turns
# into such a graph: plain, without loops or branches, in which every value comes after what it
# was made of.
#
# One more thing that trips people up: `c += c` looks as if `c` changed. It does not. Python makes
# a *new* value from the old one, and hangs the name `c` on it. The old value lives on as its
# operand:

# %%
c = Value(5.0, label="the first c")
first = c
c += c
print("c is", c, "and the first c is still", first)
print("c was made from", [operand.label for operand in c.operands])

# %% [markdown]
# The same operand stands there twice. Remember that; it will matter in chapter 4.
#
# ### Exercise 2.1
#
# How many values are in the graph of `z`, leaves included?
#
#     x = Value(3.0, label="x")
#     y = x * x
#     z = y + y * x
#
# Count first. Then draw it and look.
#
# <details><summary>Hint</summary>
#
# Every leaf is one value, and every `+` or `*` that is carried out makes one more. Using a value
# twice makes no second one.
#
# </details>

# %%
answer = ...

check("2.1", answer)

# %% [markdown]
# ### Exercise 2.2
#
# The graph knows enough to write the formula down again. Complete `formula`, so that it returns a
# text with the labels of the leaves, the signs of the operations, and parentheses around every
# operation: for `a * b + c` it is `((a*b)+c)`.
#
# <details><summary>Hint</summary>
#
# A value without operands is a leaf: its label is the whole formula. Otherwise ask for the
# formula of the left operand and of the right one, just as `tell` calls itself.
#
# </details>


# %%
def formula(value):
    return ...


print(formula(Value(2.0, label="a") * Value(-3.0, label="b") + Value(10.0, label="c")))
check("2.2", formula)

# %% [markdown]
# ## Your engine, part one
#
# You have seen how it is done. Now open the file `my_engine.py`, which lies beside this chapter.
# It has a `Value` that can do nothing yet.
#
# ### Exercise 2.3
#
# Give the `Value` in `my_engine.py` its `+` and `*`. You may look at the cell above; writing it
# down without looking is better. Save the file and run the cell below; `load` reads the file anew
# each time.
#
# <details><summary>Hint</summary>
#
# Two methods, `__add__` and `__mul__`. Each returns a new `Value` of the numbers, with
# `operands=(self, other)` and `op="+"` or `op="*"`.
#
# </details>

# %%
mine = load("my_engine.py")

check("2.3", mine.Value)

# %% [markdown]
# ## What you have now
#
# Numbers that remember. With this, a program that computes leaves a graph behind, and the graph
# can be walked from the result back to the inputs. That walk backwards is how derivatives will be
# found: by hand in the next chapter, and by machine in the one after.
