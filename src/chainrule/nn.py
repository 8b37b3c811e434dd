"""Neurons, layers of neurons, and networks of layers, in micrograd's words.

A neuron is one expression of its inputs; a layer applies several neurons to the same inputs; an
MLP, a multi-layer perceptron, hands each layer's outputs to the next. A module of your own is a
subclass of `Module` with parameters among its attributes, where they are found.
"""

from __future__ import annotations

import random

from chainrule import arguments
from chainrule.engine import Value
from chainrule.ops import weighted_sum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any


class Module:
    """Something with parameters: leaves that training moves.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope = Value(2.0)
    ...         self.shift = Value(1.0)
    ...
    ...     def __call__(self, x):
    ...         return self.slope * x + self.shift
    >>> Line().state_dict()
    {'slope': 2.0, 'shift': 1.0}
    """

    def zero_grad(self) -> None:
        """Set the gradient of each parameter to zero; `backward()` would add to it."""
        for p in self.parameters():
            p.grad = 0.0

    def parameters(self) -> list[Value]:
        """The parameters, in the order of `named_parameters`."""
        return [leaf for _, _, leaf in _leaves(self)]

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Each parameter with its path, "layers.0.neurons.3.w.1".

        They are the leaves among the attributes, in the order in which these were defined, and
        those inside modules, lists, tuples and dictionaries there. One that stands in two places
        is listed once, by its first path.
        """
        return iter([(f"{prefix}{name}", leaf) for prefix, name, leaf in _leaves(self)])

    def state_dict(self) -> dict[str, float]:
        """The number of each parameter by its path, to be kept and loaded again."""
        return {path: p.data for path, p in arguments.by_name(self.named_parameters()).items()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Set the parameters to the numbers of a `state_dict`.

        Raises:
            StateError: a path is missing or unknown, or has no number. Nothing was loaded.
        """
        own = arguments.by_name(self.named_parameters())
        arguments.check_state(own, state)
        for path, p in own.items():
            p.data = state[path]


class Neuron(Module):
    """The activation of a bias plus a weighted sum of inputs.

    The weights `w` start uniform in (-1, 1), drawn from `random`; the bias `b` starts at 0.

    Args:
        nin: how many inputs it takes.
        nonlin: whether it has an activation at all.
        activation: the name of an op of one operand, or "linear" for none.

    Raises:
        ArgumentError: the size is not a whole number from 1 up, or no such op exists.

    >>> neuron = Neuron(3, activation="tanh")
    >>> neuron
    TanhNeuron(3)
    >>> -1 < neuron([2.0, 3.0, -1.0]).data < 1
    True
    """

    def __init__(self, nin: int, nonlin: bool = True, activation: str = "relu") -> None:
        arguments.check_sizes([nin])
        arguments.check_activation(activation)
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0)
        self.nonlin = nonlin and activation != "linear"
        self.activation = activation

    def __call__(self, x: Iterable[Any]) -> Any:
        """The output for `x`, a value or number for each weight."""
        act = weighted_sum(self.w, arguments.as_inputs(x, len(self.w)), self.b)
        return getattr(act, self.activation)() if self.nonlin else act

    def __repr__(self) -> str:
        name = self.activation.title().replace("_", "") if self.nonlin else "Linear"
        return f"{'ReLU' if name == 'Relu' else name}Neuron({len(self.w)})"


class Layer(Module):
    """Several neurons that take the same inputs.

    Args:
        nin: how many inputs it takes.
        nout: how many neurons it has.
        kwargs: `nonlin` and `activation`, as in `Neuron`.

    Raises:
        ArgumentError: as in `Neuron`.

    >>> Layer(2, 3, nonlin=False)
    Layer of [LinearNeuron(2), LinearNeuron(2), LinearNeuron(2)]
    """

    def __init__(self, nin: int, nout: int, **kwargs: Any) -> None:
        arguments.check_sizes([nin, nout])
        self.neurons = [Neuron(nin, **kwargs) for _ in range(nout)]

    def __call__(self, x: Iterable[Any]) -> Any:
        """The neurons' outputs for `x`: a list, or the value alone if there is one neuron."""
        inputs = arguments.as_inputs(x, len(self.neurons[0].w))
        out = [neuron(inputs) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """A multi-layer perceptron: layers, each of which takes the outputs of the one before.

    Args:
        nin: how many inputs it takes.
        nouts: how many neurons each layer has.
        activation: the name of an op of one operand, used by all layers but the last, which is
            linear; or a list of names, one for each layer, with "linear" for none.

    Raises:
        ArgumentError: a size or a name is wrong, or there is not one name for each layer.

    >>> model = MLP(3, [4, 4, 1], activation="tanh")
    >>> len(model.parameters())
    41
    >>> len(MLP(2, [16, 3], activation=["sin", "linear"])([1.0, -2.0]))
    3
    """

    def __init__(self, nin: int, nouts: list[int], activation: str | list[str] = "relu") -> None:
        arguments.check_sizes(nouts)
        if isinstance(activation, str):
            arguments.check_activation(activation)
            activation = [activation] * (len(nouts) - 1) + ["linear"]
        arguments.check_count("activations", activation, len(nouts))
        self.layers = [Layer(*io, activation=f) for *io, f in zip([nin, *nouts], nouts, activation)]

    def __call__(self, x: Iterable[Any]) -> Any:
        """The outputs of the last layer for `x`: a list, or the value alone if there is one."""
        for layer in self.layers:
            x = layer(x)
        return x

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


def _leaves(module: Module) -> list[tuple[str, Any, Value]]:
    """The leaves in a module, each once, with the two parts of its path."""
    seen: dict[int, tuple[str, Any, Any]] = {}
    stack = [("", _parts(module))]
    while stack:
        prefix, parts = stack[-1]
        for name, part in parts:
            here = prefix, name, part
            if seen.setdefault(id(part), here) is here and type(part) is not Value:
                stack.append((f"{prefix}{name}.", _parts(part)))
                break
        else:
            stack.pop()
    return [here for here in seen.values() if type(here[2]) is Value and not here[2].op]


def _parts(found: Any) -> Iterator[tuple[Any, Any]]:
    """What a module or collection holds, each part with its name."""
    found = vars(found) if isinstance(found, Module) else found
    named = found.items() if isinstance(found, dict) else ()
    return enumerate(found) if isinstance(found, (list, tuple)) else iter(named)
