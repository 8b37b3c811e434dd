# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 9. Real data
#
# Four examples are a toy. Here are a hundred points in a pattern that no straight fence can part,
# and then some fourteen hundred handwritten digits. The loop stays the same. What is new is
# looking: at what the network has learned, and at what it has not.
#
# After this chapter you can
#
# * train a classifier with a max-margin loss, and draw its decisions,
# * train on a few examples at a time, and say what that costs and gains,
# * tell what was learned from what was memorised, with examples held out.

# %%
import random

from chainrule.course import chart, check, show
from chainrule.datasets import load
from chainrule.losses import hinge, l2
from chainrule.nn import MLP
from chainrule.training import fit, outputs
from chainrule.viz.plots import decision_boundary

# %% [markdown]
# ## Two moons
#
# A hundred points, fifty in each of two crescents that reach into each other. Each point has two
# numbers, and a class: 0 or 1. The package makes them; another seed gives others.

# %%
moons = load("moons", seed=1337)
points, classes = moons.train

axes = chart("x1", "x2")
for label, marker in [(0, "o"), (1, "s")]:
    chosen = [p for p, c in zip(points, classes) if c == label]
    axes.plot(*zip(*chosen), marker, label=f"class {label}")
axes.set_aspect("equal")
axes.legend()
show(axes)

# %% [markdown]
# The network has two inputs, two layers of 16 neurons with `relu`, and one output, the *score*:
# 337 parameters, as you counted. A positive score is to mean class 1, a negative one class 0.
#
# **The loss.** One could use the squared error again. But a score of 5 for class 1 is not wrong,
# it is only very sure, and should not be punished. The *hinge* loss, or max-margin loss, asks for
# no more than a score beyond 1 on the right side. With targets of 1 and -1 it is
#
#     relu(1 - target * score)
#
# averaged over all examples: 0 where the score is beyond 1, and growing from there.
#
# **A little pull.** To it comes a small penalty on the squares of all parameters, weight 0.0001:
# *if you do not need to be large, be small*. It makes smoother boundaries.
#
# ### Exercise 9.1
#
# Scores `2.0, 0.3, -0.5`, targets `1, 1, -1`. What is the hinge loss, without the penalty?
#
# <details><summary>Hint</summary>
#
# For each: 1 minus target times score, but not below 0. Then the mean.
#
# </details>

# %%
answer = ...

check("9.1", answer)

# %% [markdown]
# Before training, this is how the network sees the world. The colour says which class it would
# give to a point there:

# %%
random.seed(1337)
model = MLP(2, [16, 16, 1])


def scores_of(grid):
    return outputs(model, grid)


decision_boundary(scores_of, points, classes, "moons.png")
show("moons.png")

# %% [markdown]
# ## A hundred steps
#
# The loop of chapter 7, on all hundred points at each step. The learning rate begins at 1.0 and
# falls to 0.1: large steps while there is far to go, small ones at the end.

# %%
targets = [2 * c - 1 for c in classes]  # 0 and 1 become -1 and 1


def accuracy(scores, targets):
    right = sum((score > 0) == (target > 0) for score, target in zip(scores, targets))
    return right / len(targets)


def descend(model, steps, size):
    """Train on `size` random points at each step; the losses and the last accuracy."""
    losses = []
    for k in range(steps):
        batch = random.sample(range(len(points)), size)
        scores = [model(points[i]) for i in batch]
        loss = hinge(scores, [targets[i] for i in batch]) + l2(model.parameters(), 1e-4)
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / steps) * p.grad
        losses.append(loss.data)
    return losses, accuracy(outputs(model, points), targets)


losses, right = descend(model, steps=100, size=100)  # 6.5 million values: it may take a while
print(f"loss from {losses[0]:.4f} to {losses[-1]:.4f}, accuracy {right:.0%}")

# %%
decision_boundary(scores_of, points, classes, "moons.png")
show("moons.png")

# %% [markdown]
# Every point is on its side. Look at the boundary: it is made of straight pieces, for each `relu`
# contributes a fold, and in between everything is linear. Sixteen folds, folded again, make a
# curve.
#
# Go back and change things. Fewer neurons, `MLP(2, [4, 1])`? Ten steps? A seed of your own? You
# will see when it fails, and how.
#
# ### Exercise 9.2
#
# Loss is what descent needs; people want to know how many are *right*. Write `share_right`: the
# part of the examples whose score is on the same side of 0 as the target. Targets are 1 and -1.
#
# <details><summary>Hint</summary>
#
# A score and its target are on the same side if their product is positive.
#
# </details>


# %%
def share_right(scores, targets):
    return ...


check("9.2", share_right)

# %% [markdown]
# ## A few at a time
#
# Each step looked at all hundred points, to move each weight once. With a million examples that
# would be a long wait for one step. But a handful of examples, drawn at random, points in
# *roughly* the right direction, at a fraction of the price. That is a **minibatch**.

# %%
random.seed(1337)
on_ten, right_on_ten = descend(MLP(2, [16, 16, 1]), steps=100, size=10)

axes = chart("examples looked at", "loss")
axes.plot([100 * k for k in range(10)], losses[:10], ".-", label="all 100 a step")
axes.plot([10 * k for k in range(100)], on_ten, ".-", label="10 a step")
axes.set(title=f"with 10 a step, {right_on_ten:.0%} are right in the end")
axes.legend()
show(axes)

# %% [markdown]
# The orange curve is nervous, since each step measures the loss on ten other points. But it comes
# down after a fraction of the examples. Nearly all training in the world is done this way.
#
# ### Exercise 9.3
#
# Usually examples are not drawn anew for each step, but shuffled, and then cut into batches, so
# that each is seen once before any is seen again. Write that: a list of batches, each a list of
# `size` examples; the last one may be shorter. Do not change the list you are given.
#
# <details><summary>Hint</summary>
#
# `random.sample(examples, len(examples))` gives a shuffled copy. Then take slices:
# `shuffled[0:size]`, `shuffled[size:2 * size]`, and so on.
#
# </details>


# %%
def batches(examples, size):
    return ...


check("9.3", batches)

# %% [markdown]
# ## Digits
#
# Now something that was not made by a formula: 1,797 handwritten digits, each a picture of 8 by 8
# grey dots, so 64 numbers. There are ten classes, so the network gets ten outputs, one score for
# each digit; softmax and surprise, from chapter 5, make a loss of them.

# %%
digits = load("digits")
images, labels = digits.train


def row_of(pictures):
    return [[x for picture in pictures for x in picture[8 * r : 8 * r + 8]] for r in range(8)]


axes = chart("", "")
axes.imshow(row_of(images[:12]), cmap="Greys")
axes.set(xticks=[8 * k + 3.5 for k in range(12)], xticklabels=labels[:12], yticks=[])
axes.grid(False)
show(axes)

# %% [markdown]
# A fifth of the digits is *held out*: never used in training, only to see how well the network
# does on what it has not seen. A network could learn the training examples by heart; the held-out
# ones tell whether it understood anything.
#
# `fit` is the loop that you know, with minibatches, and with Adam, a descent with a memory of the
# last steps. It says now and then how it goes.

# %%
random.seed(1337)
reader = MLP(64, [32, 10])
history = fit(reader, images, labels, batch=10, steps=300, validation=digits.test)

# %% [markdown]
# In a few hundred steps on ten digits each, nine of ten are read rightly, or more, and on the
# held-out ones nearly as many. Guessing would get one of ten.
#
# Numbers are not enough; look at the mistakes. These are held-out digits that were misread; below
# each, what the network said, and what would have been right:

# %%
unseen, truth = digits.test
said = [scores.index(max(scores)) for scores in outputs(reader, unseen)]
wrong = [i for i in range(len(unseen)) if said[i] != truth[i]][:12]

axes = chart("", "")
axes.imshow(row_of([unseen[i] for i in wrong]), cmap="Greys")
names = [f"{said[i]} for {truth[i]}" for i in wrong]
axes.set(xticks=[8 * k + 3.5 for k in range(len(wrong))], xticklabels=names, yticks=[])
axes.grid(False)
show(axes)

# %% [markdown]
# Some of these you would have misread yourself.
#
# ## What you have now
#
# A classifier for real data, trained with scalars, and three habits: draw what was learned, hold
# something out, look at the mistakes. You may also have noticed that some cells took a while. A
# step over a hundred points makes more than sixty thousand values. The next chapter makes them
# disappear.
