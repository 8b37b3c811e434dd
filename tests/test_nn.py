"""Modules, neurons, layers and networks."""

import copy
import math
import pickle
import random

import pytest

import chainrule
from chainrule import TABLE, Value
from chainrule.errors import ArgumentError, ChainruleError, StateError
from chainrule.nn import MLP, Layer, Module, Neuron

UNARY = [name for name, row in TABLE.items() if len(row.operands) == 1]


class Pair(Module):
    """A module of a user, with parameters in every kind of place."""

    def __init__(self):
        self.scale = Value(2.0)
        self.size = 3
        self.name = "pair"
        self.parts = [Neuron(1), {"shift": Value(5.0), "others": (Value(6.0), None)}]
        self.again = self.scale
        self.result = self.scale * 2


# ---- parameters ----


def test_paths_tell_where_a_parameter_stands():
    """named_parameters gives each parameter's path through attributes, lists and neurons."""
    paths = [path for path, _ in MLP(2, [2, 1]).named_parameters()]
    assert paths == [
        *("layers.0.neurons.0.w.0", "layers.0.neurons.0.w.1", "layers.0.neurons.0.b"),
        *("layers.0.neurons.1.w.0", "layers.0.neurons.1.w.1", "layers.0.neurons.1.b"),
        *("layers.1.neurons.0.w.0", "layers.1.neurons.0.w.1", "layers.1.neurons.0.b"),
    ]


def test_a_path_leads_to_its_parameter():
    """What a path names, attribute by attribute, is the parameter listed with it."""
    model = MLP(2, [2, 1])
    listed = dict(model.named_parameters())
    assert listed["layers.0.neurons.1.w.0"] is model.layers[0].neurons[1].w[0]
    assert listed["layers.1.neurons.0.b"] is model.layers[1].neurons[0].b


def test_leaves_of_a_users_module_are_its_parameters():
    """Leaves in attributes, lists, tuples, dictionaries and modules are found, in order of
    definition, once each; numbers, texts and computed values are not parameters."""
    assert [path for path, _ in Pair().named_parameters()] == [
        *("scale", "parts.0.w.0", "parts.0.b", "parts.1.shift", "parts.1.others.0")
    ]


def test_a_module_that_holds_itself_lists_its_parameters_once():
    """Modules and lists that contain each other do not make the search run for ever."""
    one, other = Module(), Module()
    one.other, other.one = other, one
    other.list = [one, other]
    other.list.append(other.list)
    other.w = Value(1.0)
    assert [path for path, _ in one.named_parameters()] == ["other.w"]


def test_parameters_are_found_however_deep_they_stand():
    """Nesting deeper than Python's recursion limit is searched."""
    model = Module()
    model.nest = [Value(1.0)]
    for _ in range(3000):
        model.nest = [model.nest]
    assert [p.data for p in model.parameters()] == [1.0]


def test_a_constant_is_no_parameter():
    """The shared value of a number in an expression is not listed."""
    model = Module()
    model.constant = (Value(1.0) * 3).operands[1]
    assert model.parameters() == []


def test_zero_grad_resets_what_parameters_lists():
    """A module that says itself what its parameters are, as in micrograd, is taken at its word."""

    class OnlyScale(Pair):
        def parameters(self):
            return [self.scale]

    model = OnlyScale()
    for _, p in model.named_parameters():
        p.grad = 7.0
    model.zero_grad()
    assert [p.grad for _, p in model.named_parameters()] == [0.0, 7.0, 7.0, 7.0, 7.0]


# ---- the network ----


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu", "softplus"])
def test_outputs_and_gradients_are_pytorchs(activation):
    """A network of PyTorch's Linear layers with the same weights gives the same numbers."""
    torch = pytest.importorskip("torch")
    model = MLP(3, [4, 5, 2], activation=activation)
    row = [0.3, -1.2, 2.0]
    out = model(row)
    (out[0] * out[1]).backward()
    x = torch.tensor(row, dtype=torch.float64)
    weights = []
    for depth, layer in enumerate(model.layers):
        w = [[wi.data for wi in neuron.w] for neuron in layer.neurons]
        w = torch.tensor(w, dtype=torch.float64, requires_grad=True)
        x = w @ x  # biases start at 0
        x = getattr(torch.nn.functional, activation)(x) if depth < 2 else x
        weights.append(w)
    (x[0] * x[1]).backward()
    assert [y.data for y in out] == pytest.approx(x.tolist(), rel=1e-13)
    ours = [wi.grad for layer in model.layers for neuron in layer.neurons for wi in neuron.w]
    theirs = [g for w in weights for g in w.grad.flatten().tolist()]
    assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-15)


def test_a_bias_starts_at_zero_and_weights_within_one():
    """Weights are uniform in (-1, 1): their mean and mean square are 0 and 1/3."""
    random.seed(5)
    neuron = Neuron(10_000)
    w = [wi.data for wi in neuron.w]
    assert neuron.b.data == 0.0
    assert max(map(abs, w)) < 1
    assert sum(w) / 10_000 == pytest.approx(0, abs=0.02)  # 3.5 standard deviations
    assert sum(x * x for x in w) / 10_000 == pytest.approx(1 / 3, abs=0.011)


@pytest.mark.parametrize("name", UNARY)
def test_any_op_of_one_operand_is_an_activation(name):
    """A neuron applies the row of that name to bias plus weighted sum."""
    neuron = Neuron(2, activation=name)
    neuron.w[0].data, neuron.w[1].data, neuron.b.data = 0.5, 0.25, 0.1
    out = neuron([0.4, 0.8])
    assert out.op == name
    assert out.data == TABLE[name](0.1 + 0.5 * 0.4 + 0.25 * 0.8)


def test_an_op_of_the_users_own_is_an_activation():
    """A row made with @chainrule.op is found by its name."""

    @chainrule.op("2 * x")
    def squared_for_nn(x):
        return x * x

    try:
        neuron = Neuron(1, activation="squared_for_nn")
        neuron.w[0].data = 3.0
        assert neuron([2.0]).data == 36.0
        assert repr(neuron) == "SquaredForNnNeuron(1)"
    finally:
        del TABLE["squared_for_nn"]


def test_one_activation_is_for_all_layers_but_the_last():
    """The last layer of a network is linear, as in micrograd."""
    names = [layer.neurons[0].activation for layer in MLP(1, [2, 2, 2], activation="tanh").layers]
    assert names == ["tanh", "tanh", "linear"]


def test_a_list_of_activations_names_one_for_each_layer():
    """With a list the last layer has an activation too, unless it is called linear."""
    model = MLP(1, [2, 1, 1], activation=["sin", "linear", "tanh"])
    assert repr(model) == (
        "MLP of [Layer of [SinNeuron(1), SinNeuron(1)], Layer of [LinearNeuron(2)], "
        "Layer of [TanhNeuron(1)]]"
    )


def test_nonlin_false_is_linear_whatever_the_activation():
    """micrograd's switch wins."""
    neuron = Neuron(1, nonlin=False, activation="tanh")
    neuron.w[0].data = 3.0
    assert repr(neuron) == "LinearNeuron(1)"
    assert neuron([2.0]).data == 6.0


def test_a_layer_of_one_neuron_gives_a_value_and_takes_one():
    """Layers of one neuron can follow each other; so can a number be the only input."""
    model = MLP(1, [1, 1])
    for p in model.parameters():
        p.data = 2.0
    assert model(3.0).data == (3.0 * 2 + 2) * 2 + 2
    assert model([3.0]).data == model(Value(3.0)).data == model(3.0).data


def test_inputs_that_can_be_read_only_once_reach_every_neuron():
    """map() and generators are good inputs: each neuron sees all of them."""
    model = MLP(2, [3, 1])
    assert model(map(Value, [1.0, 2.0])).data == model([1.0, 2.0]).data
    assert model(x for x in [1.0, 2.0]).data == model([1.0, 2.0]).data


def test_numpy_rows_are_inputs():
    """A row of an array gives what the list of its numbers gives."""
    np = pytest.importorskip("numpy")
    model = MLP(2, [3, 1])
    assert model(np.array([1.0, 2.0])).data == model([1.0, 2.0]).data


def test_the_lectures_network_has_41_parameters():
    """MLP(3, [4, 4, 1]): 4 * (3 + 1) + 4 * (4 + 1) + 1 * (4 + 1)."""
    assert len(MLP(3, [4, 4, 1]).parameters()) == 41


def test_sizes_of_numpy_are_sizes():
    """What counts as an index counts as a size."""
    np = pytest.importorskip("numpy")
    assert len(MLP(np.int64(2), [np.int64(3)]).parameters()) == 9


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MLP(2, 4), "sizes are whole numbers from 1 up, [16, 1] say, not 4"),
        (lambda: MLP(2, []), "not []"),
        (lambda: MLP(2, [3, 0]), "not [3, 0]"),
        (lambda: MLP(2, [3.0, 1]), "not [3.0, 1]"),
        (lambda: MLP(-2, [3]), "not [-2, 3]"),
        (lambda: Layer(2, 0), "not [2, 0]"),
        (lambda: Neuron("2"), "not ['2']"),
        (
            lambda: MLP(2, [3], activation="tahn"),
            "no activation is called 'tahn'; there are linear",
        ),
        (lambda: MLP(2, [3], activation=["tanh", "add"]), "activations must be 1, not 2"),
        (lambda: Neuron(2, activation="add"), "no activation is called 'add'"),
        (lambda: Neuron(2, activation=math.tanh), "no activation is called <built-in"),
        (lambda: MLP(2, [3])([1.0]), "the number of inputs must be 2, not 1"),
        (lambda: MLP(2, [3])([1.0, 2.0, 3.0]), "the number of inputs must be 2, not 3"),
        (lambda: Neuron(2)(1.0), "the number of inputs must be 2, not 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(make, message):
    """Wrong sizes, names and inputs get one error that tells what was given."""
    with pytest.raises(ArgumentError) as caught:
        make()
    assert message in str(caught.value)


# ---- states ----


def test_a_state_is_the_numbers_by_path():
    """state_dict gives plain floats, which a copy of the module takes over exactly."""
    model, other = MLP(2, [3, 1]), MLP(2, [3, 1])
    state = model.state_dict()
    assert {type(x) for x in state.values()} == {float}
    other.load_state_dict(state)
    assert [p.data for p in other.parameters()] == [p.data for p in model.parameters()]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda state: state.pop("b"), "missing: b"),
        (lambda state: state.update(bias=1.0), "unknown: bias"),
        (lambda state: state.update(b="1.0"), "of a wrong kind: b"),
        (lambda state: state.update(b=None), "of a wrong kind: b"),
        (lambda state: state.update(b=10**400), "of a wrong kind: b"),
        (lambda state: state.update({"b": [1.0], "c": 2.0}), "unknown: c; of a wrong kind: b"),
    ],
)
def test_a_state_that_does_not_fit_loads_nothing(change, told):
    """All complaints come in one message, and no parameter was touched."""
    neuron = Neuron(2)
    before = neuron.state_dict()
    state = {"w.0": 11.0, "w.1": 12.0, "b": 13.0}
    change(state)
    with pytest.raises(StateError) as caught:
        neuron.load_state_dict(state)
    assert str(caught.value).endswith(told)
    assert neuron.state_dict() == before


def test_two_parameters_of_one_path_have_no_state():
    """Keys such as 1 and "1" would be the same in a state, which could hold only one of them."""
    model = Module()
    model.parts = {1: Value(1.0), "1": Value(2.0)}
    with pytest.raises(StateError, match=r"two parameters have one path, 'parts\.1'"):
        model.state_dict()


def test_numbers_of_any_kind_are_loaded():
    """Integers and NumPy's numbers are numbers."""
    np = pytest.importorskip("numpy")
    neuron = Neuron(1)
    neuron.load_state_dict({"w.0": 2, "b": np.float32(0.5)})
    assert neuron.state_dict() == {"w.0": 2.0, "b": 0.5}


def test_modules_are_pickled_and_copied():
    """A module comes back with the same numbers in parameters of its own."""
    model = MLP(2, [3, 1], activation="tanh")
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other.state_dict() == model.state_dict()
        assert other([1.0, 2.0]).data == model([1.0, 2.0]).data
        assert not set(other.parameters()) & set(model.parameters())


def test_argument_errors_are_value_errors():
    """Programs that catch Python's own errors catch these."""
    assert issubclass(ArgumentError, ValueError)
    assert issubclass(StateError, ChainruleError)
