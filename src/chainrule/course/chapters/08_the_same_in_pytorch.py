# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 8. The same in PyTorch
#
# Your engine has a few hundred lines with its networks. PyTorch has a few million, and trains the
# largest models there are. How different can they be? Look, and you will find that you know your
# way around.
#
# After this chapter you can
#
# * write in PyTorch what you have written so far, and get the same numbers,
# * read its table of derivatives, and find there what you know,
# * add an operation to PyTorch.
#
# PyTorch is large and not everybody has it. If it is not installed, the cells say what they would
# show, and all exercises can be done without it. (`pip install torch` brings it.)

# %%
import random

import chainrule
from chainrule import Value
from chainrule.course import check
from chainrule.nn import MLP

try:
    import torch
except ImportError:
    torch = None

print("PyTorch", torch.__version__ if torch else "is not installed")

# %% [markdown]
# ## The neuron, in tensors
#
# PyTorch's `Value` is called a *tensor*: not one number, but an array of them with any shape. A
# tensor can have a single element, and then it is what we have been working with all along. Three
# things to know:
#
# * Tensors keep 32 bits a number unless told otherwise. Python has 64, so we ask for `double`.
# * A tensor that is to have a gradient says so: `requires_grad`. (Data usually has none, and that
#   saves work.)
# * To get the plain number out, `.item()`; it is chainrule's `.data`. PyTorch's `.data` is a
#   tensor again.


# %%
def tensor(number):
    return torch.tensor(number, dtype=torch.double, requires_grad=True)


if torch:
    x1, x2 = tensor(2.0), tensor(0.0)
    w1, w2 = tensor(-3.0), tensor(1.0)
    b = tensor(6.8813735870195432)
    o = (x1 * w1 + x2 * w2 + b).tanh()
    o.backward()

    print(f"o = {o.item():.4f}")
    for name, leaf in [("x1", x1), ("w1", w1), ("x2", x2), ("w2", w2)]:
        print(f"do/d{name} = {leaf.grad.item():.4f}")
else:
    print("Here PyTorch would print o = 0.7071, and the gradients -1.5, 1, 0.5 and 0.")

# %% [markdown]
# The numbers of chapter 3, which you filled in by hand. Read the cell again: apart from `tensor`
# and `item` there is no difference. PyTorch builds a graph while it computes, and `backward()`
# walks it in topological order, with `+=`.
#
# ### Exercise 8.1
#
# In PyTorch, as here, gradients are added to. What is `x.grad` at the end?
#
#     x = torch.tensor(3.0, requires_grad=True)
#     y = x**2
#     y.backward()
#     z = 5 * x
#     z.backward()
#
# <details><summary>Hint</summary>
#
# Nothing sets the gradient to zero between the two.
#
# </details>

# %%
answer = ...

check("8.1", answer)

# %% [markdown]
# ## As micrograd tests itself
#
# micrograd, the engine of the lecture, has `relu` beside `tanh`, and a `Module` with
# `parameters()` and `zero_grad()`: PyTorch's names, chosen so that nobody has to learn them
# twice. Its tests do one thing: they compute an expression in both, and compare. So does this
# cell. The expression is made to pass through `relu` on both of its sides:


# %%
def expression(x):
    z = 3 * x + 7
    low, high = (z - 1).relu(), (z * z).relu()
    return high * x + low + (low + high).tanh()


here = Value(-4.0)
y = expression(here)
y.backward()
print(f"chainrule: {y.data:.6f}, derivative {here.grad:.6f}")

if torch:
    there = tensor(-4.0)
    y = expression(there)
    y.backward()
    print(f"PyTorch:   {y.item():.6f}, derivative {there.grad.item():.6f}")
else:
    print("PyTorch would print the same two numbers.")

# %% [markdown]
# Change the expression, use whatever you like. All ops of chainrule have PyTorch's names and, to
# the last digits, its numbers; its tests compare thousands of such expressions.
#
# ## A network, side by side
#
# The network of the last chapters, with its weights copied, so that both start alike. In PyTorch
# a layer is `Linear`, all neurons at once, and the loop has the same five lines; only that an
# `optimizer` moves the parameters.

# %%
xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
ys = [1.0, -1.0, -1.0, 1.0]

random.seed(1337)
ours = MLP(3, [4, 4, 1], activation=["tanh", "tanh", "tanh"])

if torch:
    Linear, Tanh = torch.nn.Linear, torch.nn.Tanh
    theirs = torch.nn.Sequential(
        Linear(3, 4), Tanh(), Linear(4, 4), Tanh(), Linear(4, 1), Tanh()
    ).double()
    with torch.no_grad():
        for linear, layer in zip(theirs[::2], ours.layers):
            weights = [[w.data for w in neuron.w] for neuron in layer.neurons]
            linear.weight.copy_(torch.tensor(weights, dtype=torch.double))
            linear.bias.copy_(torch.tensor([neuron.b.data for neuron in layer.neurons]))
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.1)
    inputs, targets = torch.tensor(xs).double(), torch.tensor(ys).double()

for step in range(5):
    loss = sum((ours(x) - y) ** 2 for x, y in zip(xs, ys)) / 4
    ours.zero_grad()
    loss.backward()
    for p in ours.parameters():
        p.data -= 0.1 * p.grad
    line = f"step {step}   chainrule {loss.data:.10f}"
    if torch:
        loss = ((theirs(inputs)[:, 0] - targets) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        line += f"   PyTorch {loss.item():.10f}"
    print(line)

# %% [markdown]
# Two columns, the same (or one, without PyTorch). Whatever you have understood about the one is
# true of the other.
#
# ## Inside PyTorch
#
# Where in those millions of lines is the derivative of `tanh`? In your engine it is one line,
# below the line that computes the value. In a large library the pieces are far apart. The formula
# stands in a table, in a file called `derivatives.yaml`, from which code is generated. The
# formula calls `tanh_backward`, which is another op; and what that does is written once for
# processors and once for graphics cards, in files of their own, for all number types.
#
# The table is part of every PyTorch. Here is its row, and ours:

# %%
print("chainrule:", chainrule.TABLE["tanh"])

if torch:
    import pathlib

    import torchgen

    table = pathlib.Path(torchgen.__file__).parent / "packaged/autograd/derivatives.yaml"
    rows = table.read_text(encoding="utf-8").split("\n- name: ")
    row = next(row for row in rows if row.startswith("tanh("))
    print("\nPyTorch:  ", "\n           ".join(row.splitlines()[:3]))
    print(f"\n(one of {len(rows) - 1} rows)")
else:
    print("\nPyTorch's row would be: tanh(Tensor self) -> Tensor,")
    print("with self: tanh_backward(grad, result)")

# %% [markdown]
# The gradient from above, `grad`, and the result of the forward pass: with these two
# `tanh_backward` computes `grad * (1 - result * result)`. You know that formula.
#
# ## A new op in PyTorch
#
# PyTorch is as open as your engine. A new op is a class with two functions: `forward` computes,
# and may put something aside; `backward` is given the gradient from above, and returns what goes
# to the operands. In chainrule it is one row.


# %%
@chainrule.op("3 * x**2")
def cube(x):
    return x * x * x


a = Value(1.5)
cube(a).backward()
print("chainrule:", a.grad)

if torch:

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            context.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(context, gradient):
            (x,) = context.saved_tensors
            return 3 * x**2 * gradient

    x = tensor(1.5)
    Cube.apply(x).backward()
    print("PyTorch:  ", x.grad.item())
else:
    print("PyTorch would print 6.75, too.")

# %% [markdown]
# ### Exercise 8.2
#
# The op `inverse(x) = 1 / x`. Write its `backward`, in PyTorch's form: it gets the result `y`
# that was put aside, and the gradient from above, and returns what goes to `x`. Plain numbers
# will do.
#
# <details><summary>Hint</summary>
#
# The derivative of 1/x is -1/x². Expressed by `y = 1/x`, that is simpler still. And do not forget
# the chain.
#
# </details>


# %%
def inverse_backward(y, gradient):
    return ...


check("8.2", inverse_backward)

# %% [markdown]
# ### Exercise 8.3
#
# An op of two operands must return two gradients. Write `backward` for `larger(a, b)`, the larger
# of two numbers. (Where they are equal, give half to each.)
#
# <details><summary>Hint</summary>
#
# The one that was larger *is* the result: what happens to the result if it is nudged? And if the
# other one is nudged?
#
# </details>


# %%
def larger_backward(a, b, gradient):
    return ...  # two numbers: what goes to a, and what goes to b


check("8.3", larger_backward)

# %% [markdown]
# ## What you have now
#
# You can read PyTorch. Tensors for values, `requires_grad` for leaves, a table for the
# derivatives, the same loop. What it has beyond yours is speed, because it works on arrays, and
# on hardware made for them. Whether one can have that speed and still write scalars is the
# question of chapter 10.
