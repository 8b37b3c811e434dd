# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 10. From scalars to arrays
#
# Every number was an object: good to look at, slow to compute with. The large libraries pack
# numbers into arrays, and are hundreds of times faster. What do they know that we do not? No
# mathematics. They only noticed that we do the same thing over and over.
#
# After this chapter you can
#
# * write a layer as a matrix product, and say why the numbers stay the same,
# * derive the backward pass of a matrix product,
# * have a program of scalars turned into one of arrays, and read what became of it,
# * say how much code all of this is.

# %%
import collections
import inspect
import io
import math
import random
import textwrap
import time
import tokenize
from pathlib import Path

import numpy as np

import chainrule
from chainrule import Value
from chainrule.course import chart, check, show
from chainrule.datasets import load
from chainrule.engine import operands_first
from chainrule.nn import MLP, Layer
from chainrule.optim import SGD

# %% [markdown]
# ## Packed for speed only
#
# Take one layer: two inputs, three neurons. Give it four points, and look at what was computed on
# the way:

# %%
random.seed(1)
layer = Layer(2, 3, activation="tanh")
X = [[0.5, -1.0], [2.0, 0.3], [-0.7, 0.8], [1.5, 1.5]]

outputs = [layer([Value(x) for x in point]) for point in X]
made = {value for row in outputs for output in row for value in operands_first(output)}
for op, count in sorted(collections.Counter(value.op for value in made if value.op).items()):
    print(f"{count:3} times {op}")

# %% [markdown]
# Twenty-four products, twenty-four sums and twelve `tanh`: few *kinds* of work, many of each. All
# products of a kind could be done in one go, if the numbers lay in order. That is what an array
# is: numbers that lie in order.
#
# A weight for each neuron and input makes a table `W` of 3 by 2. The points are a table `X` of 4
# by 2. Each output is the products of a row of `X` with a row of `W`, added up; to do this for
# all rows with all rows is called a **matrix product**. In NumPy it is `X @ W.T`, where `.T`
# turns `W` on its side, as `@` takes rows with *columns*.

# %%
W = np.array([[w.data for w in neuron.w] for neuron in layer.neurons])
b = np.array([neuron.b.data for neuron in layer.neurons])

packed = np.tanh(np.array(X) @ W.T + b)
scalars = np.array([[output.data for output in row] for row in outputs])
print(packed)
print("farthest from the scalars:", abs(packed - scalars).max())

# %% [markdown]
# One line instead of sixty values, and the same numbers to the last digit or nearly: in another
# order of adding up, the rounding may differ. **Arrays are scalars, packed.** Nothing else has
# changed.
#
# ### Exercise 10.1
#
# Write the layer without its `tanh`, as a function of arrays: `X` has a row for each example, `W`
# a row for each neuron, `b` a number for each neuron.
#
# <details><summary>Hint</summary>
#
# It is in the cell above.
#
# </details>


# %%
def linear(X, W, b):
    return ...


check("10.1", linear)

# %% [markdown]
# ### Exercise 10.2
#
# And backward? Let `Y = X @ W.T`, and suppose that the gradient of the loss by each number in `Y`
# is known: a table `G` of the same shape as `Y`. Give the gradient by `W`, again as one matrix
# product.
#
# <details><summary>Hint: by shapes</summary>
#
# `W` has a row for each neuron and a column for each input. `G` has a row for each example and a
# column for each neuron, `X` a row for each example and a column for each input. There is just
# one way to multiply `G` and `X` that gives the shape of `W`.
#
# </details>
# <details><summary>Hint: by scalars</summary>
#
# The weight of neuron `j` for input `i` is multiplied by `X[k, i]` and goes into `Y[k, j]`, for
# every example `k`. So its gradient is the sum over `k` of `G[k, j] * X[k, i]`.
#
# </details>


# %%
def gradient_by_weights(G, X):
    return ...


check("10.2", gradient_by_weights)

# %% [markdown]
# ## Let it be done
#
# You could now rewrite your programs with arrays. People do. But then the loops that said what is
# meant are gone, and shapes and transposes are what you debug.
#
# The graph knows better. All that was done stands in it: whatever is the same work on other
# numbers can be found, and done at once. chainrule does that, with `compile`. The function stays
# as it is, with its loops over points and neurons:


# %%
@chainrule.compile
def total(points):
    return sum(sum(layer(point)) for point in points)


points = np.array(X)
print(total(points))
print(total.source)

# %% [markdown]
# This is the program that it became, in NumPy, and the `dot` in its first line is the matrix
# product. Under `backward` stand the derivatives; compare the last `dot` with your exercise.
#
# It was found like this. The function was run once, with numbers that take notes. The notes were
# sorted: which values are made by the same op of the same kinds of operands? Each group became
# one instruction over arrays. What you get back is a `Value`, with `backward()`, as ever:

# %%
result = total(points)
result.backward()
print("compiled:", [round(w.grad, 6) for w in layer.neurons[0].w])

for p in layer.parameters():
    p.grad = 0.0
sum(sum(layer(point)) for point in X).backward()
print("scalars: ", [round(w.grad, 6) for w in layer.neurons[0].w])

# %% [markdown]
# ## The moons again
#
# Now the loss of the last chapter: a hundred points, a network of 337 parameters, hinge loss and
# penalty. Word for word, and then compiled.

# %%
moons, classes = load("moons").train
points, targets = np.array(moons), np.array([2.0 * c - 1 for c in classes])

random.seed(1337)
model = MLP(2, [16, 16, 1])


def loss(points, targets):
    scores = [model(point) for point in points]
    errors = [(1 - target * score).relu() for target, score in zip(targets, scores)]
    return sum(errors) / len(errors) + 1e-4 * sum(p * p for p in model.parameters())


compiled = chainrule.compile(loss)
print("value by value:", loss(points, targets).data)
print("compiled:      ", compiled(points, targets).data)
print()
print("\n".join(compiled.explain().splitlines()[:9]))

# %% [markdown]
# More than sixty-five thousand values became eight instructions. How much faster is that? Forward
# and backward, by the clock; yours will differ:


# %%
def milliseconds(f, times):
    start = time.perf_counter()
    for _ in range(times):
        f(points, targets).backward()
    return (time.perf_counter() - start) * 1000 / times


one_by_one = milliseconds(loss, 3)
as_arrays = milliseconds(compiled, 300)
print(f"value by value: {one_by_one:8.2f} ms")
print(f"compiled:       {as_arrays:8.2f} ms, {one_by_one / as_arrays:,.0f} times as fast")

# %% [markdown]
# And with the update in the same program, `train_step`, a thousand steps pass before you have
# read this line. (The last chapter took its time for a hundred.)

# %%
step = chainrule.train_step(compiled, SGD(model.parameters(), lr=0.5))
start = time.perf_counter()
losses = [step(points, targets) for _ in range(1000)]
seconds = time.perf_counter() - start

axes = chart("step", "loss")
axes.semilogy(losses)
axes.set(title=f"1,000 steps in {seconds:.2f} s, loss {losses[-1]:.4f}")
show(axes)

# %% [markdown]
# ### Exercise 10.3
#
# How many multiplications are in the product of the 100 points, of 2 numbers each, with the
# weights of the 16 neurons of the first layer?
#
# <details><summary>Hint</summary>
#
# For every point and every neuron, one for each input.
#
# </details>

# %%
answer = ...

check("10.3", answer)

# %% [markdown]
# ## What it refuses
#
# A program made from one run must not keep what was true in that run only. So it keeps watch. If
# the function decides something by its data, the decision is checked at each call, and the
# function is run anew if it falls otherwise. And what would freeze a number for ever is refused,
# with the line:


# %%
@chainrule.compile
def careless(x):
    return Value(x) * math.exp(x)


try:
    careless(1.0)
except chainrule.errors.TraceError as error:
    print(textwrap.fill(str(error), 88))

# %% [markdown]
# ## The size of it
#
# How much code is all this? Count the lines of the engine and of the networks, without comments,
# blank lines and docstrings; and of the file that you have written, if it is there.


# %%
LAYOUT = (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


def code_lines(path):
    lines, fresh = set(), True  # fresh: a statement begins, so a text here is a docstring
    for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline):
        if token.type in (tokenize.COMMENT, tokenize.NL):
            continue
        layout = token.type in LAYOUT
        if not layout and not (fresh and token.type == tokenize.STRING):
            lines.update(range(token.start[0], token.end[0] + 1))
        fresh = layout
    return len(lines)


package = Path(inspect.getfile(chainrule)).parent
for path in (package / "engine.py", package / "nn.py", Path("my_engine.py")):
    print(f"{path.name:13} {code_lines(path):4} lines of code")

# %% [markdown]
# Some three hundred lines, for an engine that trains networks. The compiler behind this chapter
# is larger, some thousands; but it knows nothing of derivatives beyond what you know. It only
# tidies up.
#
# ## What you have now
#
# Scalars to think in, arrays to compute with, and a way from one to the other. Two chapters are
# left, and both are for pleasure: the next asks what the derivative of a derivative is good for,
# and the last one writes names.
