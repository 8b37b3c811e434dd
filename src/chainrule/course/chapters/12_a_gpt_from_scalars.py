# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 12. A GPT from scalars
#
# The networks that hold conversations have one job: guess what comes next. They are called GPT,
# and what they are made of you have seen: sums, products, `exp`, a loss, descent. To prove it,
# here is one, small but complete. It reads names, letter by letter, and then makes some up.
#
# After this chapter you can
#
# * say how letters become numbers, and guesses become a loss,
# * compute attention by hand, the one new idea of this chapter,
# * train a small transformer written in scalars, and let it write.

# %%
import math
import random
import time
from pathlib import Path

from chainrule import Value, dot, lookup, mean, no_grad, softmax, train_step
from chainrule.course import chart, check, show
from chainrule.losses import cross_entropy
from chainrule.nn import Module
from chainrule.optim import Adam

names = Path("names.txt").read_text("utf-8").split()
print(len(names), "names, such as", ", ".join(random.sample(names, 8)))

# %% [markdown]
# ## The next letter
#
# The letters get numbers, from 0 to 25. One more, 26, stands for the edge of a name: what comes
# before the first letter and after the last. Such numbers are called **tokens**. A name is then a
# little story: *edge, e, v, a, edge*. And the task, at each place: given the tokens so far, how
# likely is each of the 27 to come next?

# %%
letters = "abcdefghijklmnopqrstuvwxyz"
EDGE = len(letters)


def tokens_of(name):
    return [EDGE, *[letters.index(letter) for letter in name], EDGE]


print("eva is", tokens_of("eva"))

# %% [markdown]
# As in chapter 5 the network will give 27 scores, softmax makes probabilities of them, and the
# loss is the surprise at what really came: minus the logarithm of its probability.
#
# ### Exercise 12.1
#
# A network that knows nothing thinks all 27 tokens equally likely. How surprised is it by any of
# them?
#
# <details><summary>Hint</summary>
#
# The probability is 1/27. Natural logarithm, `math.log`.
#
# </details>

# %%
answer = ...

check("12.1", answer)

# %% [markdown]
# Remember that number; training begins there. Just counting which letter follows which would
# bring it down to about 2.4. A good guesser has to look further back: after *mari*, an *a* is
# likely, because of *all* the letters before.
#
# ## Letters as points
#
# A token is a name, not a quantity: *z* is not larger than *a*. So each token gets a list of 16
# numbers, its **embedding**: a point in a space of 16 dimensions. The numbers are parameters.
# They start at random, and training moves the points, until letters that behave alike, such as
# vowels, lie close together. Places in the name, first, second, third, get points as well, which
# are added.
#
# ## Attention
#
# Now the one new idea. At each place, a token wants to know something of those before it. How
# does it find what it needs? By a kind of lookup in which everything is a little bit found:
#
# * Each token sends out a **query**, a list of numbers that says: *this is what I am looking
#   for*.
# * Each token has a **key**: *this is what I am*; and a **value**: *this is what I can tell you*.
# * Query and key are compared by a dot product: large if they point the same way. Softmax makes
#   weights of it, which add up to 1.
# * What comes back is the mix of the values, with these weights.
#
# Queries, keys and values are made from the embeddings by matrices of parameters. So what to look
# for is *learned*.
#
# ### Exercise 12.2
#
# Write it, for one query. `keys` and `values` are lists of lists, one for each token so far.
# Divide the dot products by the square root of the query's length before the softmax, which keeps
# them from becoming too large. `softmax` and `dot` are imported above.
#
# <details><summary>Hint: the weights</summary>
#
#     weights = softmax([dot(query, key) / len(query)**0.5 for key in keys])
#
# </details>
# <details><summary>Hint: the mix</summary>
#
# The first number of the result is the sum of weight times first number, over all values; and so
# on. `zip(*values)` goes through the values column by column.
#
# </details>


# %%
def attention(query, keys, values):
    return ...


check("12.2", attention)

# %% [markdown]
# ## The whole of it
#
# Here is the model: token and place are added; attention, in four *heads* that each look for
# something else; then every place thinks for itself, in a layer with `relu` that is wider than
# its input. Both *add* what they found to what was there before, so that nothing gets lost. At
# the end a score for each token. `normed` brings the numbers to a common size on the way.


# %%
WIDTH, HEADS, CONTEXT = 16, 4, 8


def matrix(rows, columns):
    return [[Value(random.gauss(0, 0.1)) for _ in range(columns)] for _ in range(rows)]


def linear(weights, x):
    return [dot(row, x) for row in weights]


def added(x, y):
    return [xi + yi for xi, yi in zip(x, y)]


def normed(x):
    scale = (mean([xi * xi for xi in x]) + 1e-5) ** -0.5
    return [xi * scale for xi in x]


class GPT(Module):
    def __init__(self):
        self.tokens = matrix(EDGE + 1, WIDTH)
        self.places = matrix(CONTEXT, WIDTH)
        self.query, self.key, self.value, self.mix = [matrix(WIDTH, WIDTH) for _ in range(4)]
        self.widen, self.narrow = matrix(4 * WIDTH, WIDTH), matrix(WIDTH, 4 * WIDTH)
        self.scores = matrix(EDGE + 1, WIDTH)

    def __call__(self, token, keys, values):
        """The scores of what comes next; the token's key and value join those before."""
        x = normed(added(lookup(self.tokens)[token], self.places[len(keys)]))
        x = added(x, linear(self.mix, self.attend(normed(x), keys, values)))
        hidden = [h.relu() for h in linear(self.widen, normed(x))]
        return linear(self.scores, added(x, linear(self.narrow, hidden)))

    def attend(self, x, keys, values):
        keys.append(linear(self.key, x))
        values.append(linear(self.value, x))
        query, size = linear(self.query, x), WIDTH // HEADS
        found = []
        for start in range(0, WIDTH, size):
            head = slice(start, start + size)
            weights = softmax([dot(query[head], key[head]) / size**0.5 for key in keys])
            found += [dot(weights, column) for column in zip(*[v[head] for v in values])]
        return found


random.seed(1)
model = GPT()
print(len(model.parameters()), "parameters")

# %% [markdown]
# Forty lines, and every number in it is a `Value`. The keys and values of the tokens so far are
# kept in two lists, so each new token needs to compare only with them: it cannot look ahead,
# since there is nothing there yet.
#
# The loss of a name: the mean surprise over all its letters.


# %%
def loss(model, tokens):
    keys, values = [], []
    scores = [model(token, keys, values) for token in tokens[:-1]]
    return cross_entropy(scores, tokens[1:])


print("surprise before training:", loss(model, tokens_of("eva")).data)

# %% [markdown]
# ## Training
#
# One name at each step, with Adam and a learning rate that falls. A single name makes tens of
# thousands of values; `train_step` turns them into an array program, one for each length of name.
# That is why the first steps take long. Then it runs.

# %%
steps = 1000

random.shuffle(names)
optimizer = Adam(model.parameters(), lr=0.01, betas=(0.85, 0.99))
step = train_step(loss, optimizer)
losses, start = [], time.perf_counter()
for k in range(steps):
    optimizer.lr = 0.01 * (1 - k / steps)
    losses.append(step(model, tokens_of(names[k % len(names)])))
seconds = time.perf_counter() - start

smooth = [sum(losses[k : k + 100]) / 100 for k in range(len(losses) - 100)]
axes = chart("step", "surprise")
axes.plot(losses, alpha=0.25)
axes.plot(range(100, len(losses)), smooth, linewidth=2)
axes.axhline(math.log(27), linestyle=":", color="grey")
axes.set(title=f"mean of the last 100: {smooth[-1]:.3f}, after {seconds:.0f} s")
show(axes)

# %% [markdown]
# The dotted line is where one who knows nothing would be. Each name is a new surprise, so the
# pale line is noisy; the thick one is its average.
#
# ## Let it write
#
# To write, start at the edge, ask for the probabilities, throw the dice, and go on with what
# came, until the edge comes up again.


# %%
def write(temperature):
    keys, values, token, name = [], [], EDGE, ""
    with no_grad():
        while len(keys) < CONTEXT:
            scores = model(token, keys, values)
            chances = [p.data for p in softmax([score / temperature for score in scores])]
            (token,) = random.choices(range(EDGE + 1), chances)
            if token == EDGE:
                break
            name += letters[token]
    return name


temperature = 0.6
print(", ".join(write(temperature) for _ in range(10)))

# %% [markdown]
# None of these was taken from the list on purpose, and most of them sound as if they could be
# names. Run it again for more. With more steps they get better.
#
# The scores are divided by a **temperature** before the softmax. Cold, and the likeliest letters
# win nearly always; hot, and anything goes. Try 0.1 and 2.
#
# ### Exercise 12.3
#
# Three scores, `2, 1, 0`, at a temperature of 0.5. What are the three probabilities, as a list?
#
# <details><summary>Hint</summary>
#
# Divide first: 4, 2, 0. Then `exp` of each, over the sum of all three.
#
# </details>

# %%
answer = ...

check("12.3", answer)

# %% [markdown]
# ## What it looks at
#
# Attention can be watched. Here is how one head shares its attention while it reads a name: each
# row is a place, with the letter just read; each column a letter it may look back at. Change the
# name, or the head (0 to 3).

# %%
name, head = "marina", 0

tokens, keys, values, rows = tokens_of(name)[:-1], [], [], []
with no_grad():
    part = slice(head * 4, head * 4 + 4)
    for place, token in enumerate(tokens):
        x = normed(added(model.tokens[token], model.places[place]))
        model(token, keys, values)
        query = linear(model.query, normed(x))[part]
        weights = softmax([dot(query, key[part]) / 2 for key in keys])
        rows.append([w.data for w in weights] + [0.0] * (len(tokens) - len(keys)))

axes = chart("looks back at", "having read")
axes.imshow(rows, cmap="Blues", vmin=0, vmax=1)
axes.set(xticks=range(len(tokens)), xticklabels="·" + name)
axes.set(yticks=range(len(tokens)), yticklabels="·" + name)
axes.grid(False)
show(axes)

# %% [markdown]
# The upper right is empty: nobody can look ahead.
#
# ## What you have now
#
# You began with a number and the question what happens if it is made a little larger. On the way
# you built an engine that answers it for every number in a program; a network; a loop that
# learns; and now a model of language. There was no magic in it anywhere.
#
# The large models differ in size. They have more layers, wider embeddings, more heads, and they
# read most of what was ever written; their parameters are counted in hundreds of billions. But if
# you took one of them apart, down to the last multiplication, you would find nothing that you
# have not written yourself in these chapters.
#
# What next? Train on something of your own: `names.txt` is just a list of words, so put in the
# names of places, of plants, of medicines. Give the GPT a second layer. Make your engine go
# further, until `chainrule grade` has nothing left to say. Or explain to somebody else why it is
# `+=`.
