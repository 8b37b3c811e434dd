# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 7. Loss and descent
#
# A network, its gradients, a few examples: everything is on the table. What is missing is the
# will to improve. It comes as one number, the *loss*, which says how bad things are. Then
# learning is walking downhill.
#
# After this chapter you can
#
# * measure a network with a loss,
# * train it with a loop of five lines,
# * recognise a step that is too large, a sign that is wrong, and gradients that were never set to
#   zero,
# * train a network on the engine that you wrote yourself.

# %%
import random

from chainrule.course import chart, check, load, show
from chainrule.engine import operands_first
from chainrule.nn import MLP
from chainrule.viz import draw

xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
ys = [1.0, -1.0, -1.0, 1.0]


def new_network():
    """The same random network, each time it is called."""
    random.seed(1337)
    return MLP(3, [4, 4, 1], activation=["tanh", "tanh", "tanh"])


# %% [markdown]
# ## Loss
#
# The tiny data set again. For each example we know what the network says, and what it should say.
# How bad is it, in one number?
#
# Take the difference, and square it: being off to either side is bad, and being far off is very
# bad. Then average over the examples. That is the **mean squared error**. It is 0 if every answer
# is right, and positive otherwise.


# %%
def loss_of(model):
    squares = [(model(x) - y) ** 2 for x, y in zip(xs, ys)]
    return sum(squares) / len(squares)


model = new_network()
for x, y in zip(xs, ys):
    said = model(x).data
    print(f"should be {y:4.1f}, is {said:7.4f}, squared error {(said - y) ** 2:.4f}")

loss = loss_of(model)
print(f"loss: {loss.data:.4f}")

# %% [markdown]
# Mind what has happened. The loss is a `Value`. It depends on the four squares, which depend on
# four predictions, which depend on the weights: the network stands *four times* in its graph,
# once for each example, over the same parameters. The graph is large, and nobody has to look at
# it:

# %%
print("values of one prediction:", len(operands_first(model(xs[0]))))
print("values of the loss:      ", len(operands_first(loss)))
show(draw(loss, fold="layer", model=model))

# %% [markdown]
# ### Exercise 7.1
#
# A network says `0.9, -0.5, -1.0, 0.2` where `1, -1, -1, 1` is right. What is the mean squared
# error?
#
# <details><summary>Hint</summary>
#
# Four differences; square each; add up; divide by four.
#
# </details>

# %%
answer = ...

check("7.1", answer)

# %% [markdown]
# ## Parameters
#
# Which numbers may be changed to make the loss smaller? Not the examples, they are given. The
# weights and biases are what is free: the **parameters**. The network collects them from its
# layers, which collect them from their neurons. After `backward()`, each knows what it does to
# the loss:

# %%
loss.backward()
parameters = model.parameters()
print(len(parameters), "parameters")
for path, p in list(model.named_parameters())[:4]:
    print(f"{path} is {p.data:7.4f}; making it larger changes the loss at the rate {p.grad:7.4f}")

# %% [markdown]
# ## Gradient descent
#
# Before we turn 41 knobs, turn one. Here is a loss with one parameter: `w**2`, a bowl. The
# gradient points uphill, so step *against* it:
#
#     w = w - lr * gradient
#
# `lr` is the **learning rate**: how far to step. Try `0.1`, `0.45`, `0.9`, `1.0`, and, carefully,
# `1.1`.

# %%
lr = 0.1

w, path = 4.0, []
for _ in range(12):
    path.append(w)
    w = w - lr * (2 * w)

axes = chart("w", "loss")
ws = [k / 20 - 6 for k in range(241)]
axes.plot(ws, [w**2 for w in ws], alpha=0.5)
axes.plot(path, [w**2 for w in path], "o-")
axes.set(xlim=(-6, 6), ylim=(-1, 36), title=f"w after 12 steps: {w:.4g}")
show(axes)

# %% [markdown]
# Too small, and it crawls. Larger, and it jumps across the valley but still comes down. Beyond 1,
# each jump lands *higher* than it began, and the next one is larger still. That is what "the
# training has exploded" means.
#
# ### Exercise 7.2
#
# In this bowl, with `lr = 1.1`: by which factor is `w` multiplied in each step? (With its sign.)
#
# <details><summary>Hint</summary>
#
# `w - lr * 2 * w` is `w` times something.
#
# </details>

# %%
answer = ...

check("7.2", answer)

# %% [markdown]
# Now all 41 knobs at once. It is the same step, in a loop:
#
# 1. forward: compute the loss,
# 2. set the gradients to zero,
# 3. backward,
# 4. move each parameter against its gradient.


# %%
def descend(model, lr, steps, zero=True):
    losses = []
    for _ in range(steps):
        loss = loss_of(model)
        losses.append(loss.data)
        if zero:
            model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= lr * p.grad
    return losses


lr = 0.1

model = new_network()
losses = descend(model, lr, steps=50)
axes = chart("step", "loss")
axes.plot(losses, ".-")
axes.set(ylim=(0, None), title=f"from {losses[0]:.4f} to {losses[-1]:.4f}")
show(axes)

# %%
for x, y in zip(xs, ys):
    print(f"should be {y:4.1f}, is {model(x).data:7.4f}")

# %% [markdown]
# **It learned.** Nobody told it any rule. It was only ever told how wrong it was, and each
# parameter moved a little to make that less.
#
# What if the sign is wrong? Then it climbs, and becomes as bad as it can be. And a step that is
# too large, here on a network whose last neuron has no `tanh` that would hold it back:


# %%
def new_linear_network():
    random.seed(1337)
    return MLP(3, [4, 4, 1], activation="tanh")


print("wrong sign:", [f"{loss:.3f}" for loss in descend(new_network(), -0.1, 6)])

print("lr = 2:    ", [f"{loss:.3g}" for loss in descend(new_linear_network(), 2.0, 6)])

# %% [markdown]
# The loss *rises*, faster and faster. Whenever you see that, make the learning rate smaller.
#
# ## The zero_grad bug
#
# Step 2 of the loop is the one that everybody forgets once. `backward()` *adds* to the gradients
# of the parameters. Without setting them to zero, the second step uses the gradient of the second
# loss plus that of the first, the third that of three, and so on.
#
# Let us make the mistake on purpose, and compare the gradients of the second step:

# %%
for zero in (True, False):
    model = new_network()
    descend(model, 0.1, 2, zero)
    word = "with" if zero else "without"
    print(f"{word:7} zero_grad: the first gradient is {model.parameters()[0].grad:.4f}")

# %% [markdown]
# They differ: one is wrong. Surely that ruins the training?

# %%
axes = chart("step", "loss")
axes.semilogy(descend(new_network(), 0.1, 50), ".-", label="with zero_grad")
axes.semilogy(descend(new_network(), 0.1, 50, zero=False), ".-", label="without")
axes.legend()
show(axes)

# %% [markdown]
# It does not! Without `zero_grad` the loss falls even *faster*. The old gradients point roughly
# the same way, so forgetting has the effect of a larger and larger step, and on an easy problem
# that happens to help. This is why the bug hides so well: no error, no warning, a fine curve.
#
# Now the same on the network whose last neuron has no `tanh`, which is less forgiving:


# %%
axes = chart("step", "loss")
axes.semilogy(descend(new_linear_network(), 0.1, 50), ".-", label="with zero_grad")
axes.semilogy(descend(new_linear_network(), 0.1, 50, zero=False), ".-", label="without")
axes.legend()
show(axes)

# %% [markdown]
# Here it shows. With `zero_grad` the loss is gone after fifty steps; without, it sloshes about
# and never settles: the old gradients push on long after the valley has been crossed.
#
# ### Exercise 7.3
#
# One parameter, loss `w**2`, starting at `w = 1`, `lr = 0.1`. With `zero_grad` it goes 1, 0.8,
# 0.64. What is `w` after two steps *without*?
#
# <details><summary>Hint</summary>
#
# In the second step the gradient is that of the second loss, `2 * 0.8`, plus what was left from
# the first.
#
# </details>

# %%
answer = ...

check("7.3", answer)

# %% [markdown]
# ### Exercise 7.4
#
# Write the loop yourself. `train` takes a model, examples, a learning rate and a number of steps;
# it uses the mean squared error, moves the parameters, and returns the list of the losses, the
# first one before any step.
#
# <details><summary>Hint</summary>
#
# It is `descend` from above, without its `zero`, and with the loss computed from `xs` and `ys`
# that are given.
#
# </details>


# %%
def train(model, xs, ys, lr, steps):
    return ...


check("7.4", train)

# %% [markdown]
# ## On your own engine
#
# And now without any help from chainrule. If `my_engine.py` has its networks, this trains one, on
# *your* `Value`, with *your* `backward()`.

# %%
mine = load("my_engine.py")

if hasattr(mine, "MLP"):
    random.seed(1337)
    model = mine.MLP(3, [4, 4, 1])
    for step in range(20):
        loss = sum((model(x) - y) ** 2 for x, y in zip(xs, ys))
        for p in model.parameters():
            p.grad = 0.0
        loss.backward()
        for p in model.parameters():
            p.data -= 0.05 * p.grad
        print(f"step {step:2}: loss {loss.data:.4f}")
else:
    print("There is no MLP in my_engine.py yet; chapter 6 asks for it.")

# %% [markdown]
# ## Summary
#
# Take a breath, and look back over what you have.
#
# * A **network** is an expression of inputs and parameters.
# * A **loss** is one more expression at its end, which says how far the outputs are from what is
#   wanted.
# * **backward()** walks from the loss to the parameters, and tells for each how it moves the
#   loss.
# * **Descent** moves each parameter a little against that. Repeat.
#
# There is nothing else. Networks that write and see are this, with more parameters, other losses,
# and more clever steps. Let it run a little longer:

# %%
model = new_network()
losses = descend(model, 0.1, 200)
print(f"loss after 200 steps: {losses[-1]:.5f}")
print("predictions:", [round(model(x).data, 3) for x in xs])

# %% [markdown]
# ## What you have now
#
# The whole of the lecture's system: an engine, a network, a loss, and a loop that learns. The
# next chapters look around from here: at the library that everybody uses, at data that is not
# made up, and at speed.
