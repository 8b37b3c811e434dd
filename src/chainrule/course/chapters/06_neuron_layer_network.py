# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 6. Neuron, layer, network
#
# A neural network is an expression. A long one, with many inputs, most of which are called
# weights, but an expression like `a * b + c`. Once you have seen one whole, the word loses its
# magic and keeps its charm.
#
# After this chapter you can
#
# * write a neuron, a layer and a network as small classes,
# * count the parameters of any such network,
# * say why there must be something crooked, like tanh, between the layers.

# %%
import math
import random
import subprocess
import sys

from chainrule import Value
from chainrule.course import chart, check, load, show
from chainrule.nn import MLP
from chainrule.viz import draw

# %% [markdown]
# ## A neuron
#
# You know the neuron of chapter 3: weights times inputs, plus a bias, through `tanh`. As a class
# it keeps its weights and its bias, and is called with the inputs. The weights start at random,
# between -1 and 1. Any numbers would do, except all the same: then all neurons would do the same
# for ever.


# %%
class Neuron:
    def __init__(self, inputs):
        self.weights = [Value(random.uniform(-1, 1), label=f"w{i}") for i in range(inputs)]
        self.bias = Value(random.uniform(-1, 1), label="b")

    def __call__(self, x):
        total = self.bias
        for weight, xi in zip(self.weights, x):
            total = total + weight * xi
        return total.tanh()

    def parameters(self):
        return [*self.weights, self.bias]


neuron = Neuron(2)
print(neuron([2.0, 3.0]))
print(neuron([2.0, -3.0]))

# %% [markdown]
# Run the cell again: another neuron, other opinions.
#
# What can a single neuron do? Its sum is 0 along a straight line. On one side of the line it
# tends to 1, on the other to -1. It is a *soft fence* across the plane. Here is what it says of
# every point; the weights set the fence's direction, the bias shifts it:

# %%
w1, w2, b = 1.5, -1.0, 0.5

axes = chart("x1", "x2")
grid = [k / 10 - 3 for k in range(61)]
heights = [[math.tanh(w1 * x1 + w2 * x2 + b) for x1 in grid] for x2 in grid]
picture = axes.pcolormesh(grid, grid, heights, cmap="RdBu_r", vmin=-1, vmax=1)
axes.figure.colorbar(picture, label="the neuron's output")
axes.set_aspect("equal")
show(axes)

# %% [markdown]
# ## A layer, and layers of layers
#
# One fence is not much. So put several neurons side by side, all looking at the same inputs: a
# **layer**. Its outputs are a list of numbers, and a list of numbers is exactly what another
# layer can take as inputs. Layers behind layers are a **multi-layer perceptron**, MLP for short.


# %%
class Layer:
    def __init__(self, inputs, outputs):
        self.neurons = [Neuron(inputs) for _ in range(outputs)]

    def __call__(self, x):
        outputs = [neuron(x) for neuron in self.neurons]
        return outputs[0] if len(outputs) == 1 else outputs

    def parameters(self):
        return [p for neuron in self.neurons for p in neuron.parameters()]


class Network:
    def __init__(self, inputs, outputs):
        sizes = [inputs, *outputs]
        self.layers = [Layer(n, m) for n, m in zip(sizes, outputs)]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]


network = Network(3, [4, 4, 1])
print("its output:", network([2.0, 3.0, -1.0]))
print("its parameters:", len(network.parameters()))

# %% [markdown]
# Three inputs, two layers of four neurons, and one neuron at the end. That is all: thirty lines,
# and it could be as large as you like.
#
# ### Exercise 6.1
#
# Where do the 41 parameters come from? And how many has a network with 2 inputs, two layers of 16
# neurons, and one output: `Network(2, [16, 16, 1])`? That is the one of chapter 9.
#
# <details><summary>Hint</summary>
#
# A neuron has a weight for each input, and a bias. A layer of 4 neurons with 3 inputs each has
# `4 * (3 + 1)`.
#
# </details>

# %%
answer = ...

check("6.1", answer)

# %% [markdown]
# ## The network, whole
#
# Now look at it. This is the package's own network, `chainrule.nn.MLP`, which has the same
# structure as the one above. Scroll to the right to follow it to the output; the parameters are
# the blue boxes, each with the path to its place in the network.

# %%
random.seed(1337)
model = MLP(3, [4, 4, 1], activation=["tanh", "tanh", "tanh"])
output = model([2.0, 3.0, -1.0])
output.label = "output"
output.backward()
show(draw(output, model=model))

# %% [markdown]
# More than a hundred values, and not one of them is hard to understand. The same folded, with a
# box for each neuron:

# %%
show(draw(output, fold="neuron", model=model))

# %% [markdown]
# The gradients are filled in already: `backward()` does not care how large the expression is.
# Each says how the *output* would move with that weight:

# %%
for path, p in list(model.named_parameters())[:5]:
    print(f"{path}: {p.data:7.4f}, gradient {p.grad:7.4f}")

# %% [markdown]
# ## A tiny data set
#
# Four examples, each of three numbers, and for each what we would like the network to say: 1 or
# -1. As if it had to tell two kinds of something apart.

# %%
xs = [
    [2.0, 3.0, -1.0],
    [3.0, -1.0, 0.5],
    [0.5, 1.0, 1.0],
    [1.0, 1.0, -1.0],
]
ys = [1.0, -1.0, -1.0, 1.0]

for x, y in zip(xs, ys):
    print(f"{x} should be {y:4.1f}, and the network says {model(x).data:7.4f}")

# %% [markdown]
# It has no idea. How could it? Its weights are dice. To get from here to good answers is the next
# chapter's business.
#
# ## Why the crooked function?
#
# Could one leave out the `tanh`? It looks like an afterthought. Work out the smallest case:
#
# ### Exercise 6.2
#
# Two layers in a row, both without `tanh`: the first computes `hidden = 3 * x + 1`, the second
# `output = -0.5 * hidden + 2`. There is one layer that does the same as both. What are its weight
# and bias, `[weight, bias]`?
#
# <details><summary>Hint</summary>
#
# Put the first into the second: `-0.5 * (3 * x + 1) + 2`.
#
# </details>

# %%
answer = ...

check("6.2", answer)

# %% [markdown]
# It is the same with a hundred layers of a thousand neurons: without something crooked in
# between, they collapse into one straight line. With `tanh` or `relu` after each layer, every
# layer can bend what the one before has left, and there is, in principle, no shape that they
# cannot form together.
#
# Here are three fences, added up. Change the numbers, and see what shapes you get:

# %%
weights = [[2.0, 0.0], [-1.0, 1.7], [-1.0, -1.7]]
biases = [2.0, 2.0, 2.0]

heights = [
    [sum(math.tanh(w[0] * x1 + w[1] * x2 + b) for w, b in zip(weights, biases)) for x1 in grid]
    for x2 in grid
]
axes = chart("x1", "x2")
picture = axes.pcolormesh(grid, grid, heights, cmap="RdBu_r", vmin=-3, vmax=3)
axes.figure.colorbar(picture, label="the sum of three neurons")
axes.set_aspect("equal")
show(axes)

# %% [markdown]
# ## Your engine, part four
#
# ### Exercise 6.3
#
# Write `Neuron`, `Layer` and `MLP` in `my_engine.py`, on top of your own `Value`: `MLP(3, [4, 4,
# 1])` as above. Each has a method `parameters()`. A neuron ends in `tanh` (or in `relu`, if you
# prefer).
#
# <details><summary>Hint</summary>
#
# The cells above, with your `Value` instead of chainrule's. Typing them in is fine; understanding
# each line while you do is better.
#
# </details>

# %%
mine = load("my_engine.py")

check("6.3", mine)

# %% [markdown]
# Now the whole engine before the judge. If all is well, the last line says 100%. What is listed
# as *going further* is what the lecture's engine cannot do either, and a fine challenge.

# %%
if hasattr(mine, "MLP"):
    command = [sys.executable, "-m", "chainrule", "grade", "my_engine.py"]
    print(subprocess.run(command, capture_output=True, text=True, encoding="utf-8").stdout)
else:
    print("There are no networks in your engine yet.")

# %% [markdown]
# ## What you have now
#
# A network, from nothing. It is an expression with parameters; it takes numbers and gives
# numbers; and `backward()` tells for each parameter what it does. What is missing is a reason to
# change them: a measure of how wrong the network is.
