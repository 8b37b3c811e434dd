"""Networks in files: what is read is what was written."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("safetensors")

from chainrule.checkpoints import load, save
from chainrule.errors import ArgumentError
from chainrule.nn import MLP

NETWORK = {"nin": 2, "nouts": [3, 1], "activation": "tanh"}
ODD = [0.1, -0.0, 5e-324, 1.7976931348623157e308, 1 / 3, float("inf"), float("-inf")]


def test_parameters_come_back_bit_for_bit(tmp_path):
    """Every parameter is read as it was, whatever float it is, and so is the description."""
    model = MLP(**NETWORK)
    for p, number in zip(model.parameters(), ODD):
        p.data = number
    save(model, {"network": NETWORK, "data": "moons"}, tmp_path)
    again, description = load(tmp_path)
    assert repr(again.state_dict()) == repr(model.state_dict())
    assert repr(again) == repr(model)
    assert description == {"network": NETWORK, "data": "moons"}


def test_files_can_be_read_without_chainrule(tmp_path):
    """The parameters are a safetensors file of float64, the description is plain JSON."""
    numpy = pytest.importorskip("safetensors.numpy")
    model = MLP(**NETWORK)
    save(model, {"network": NETWORK}, tmp_path)
    read = numpy.load_file(tmp_path / "parameters.safetensors")
    assert list(read) == ["parameters"]
    assert read["parameters"].dtype == "float64"
    assert read["parameters"].tolist() == list(model.state_dict().values())
    assert json.loads((tmp_path / "run.json").read_text()) == {"network": NETWORK}


def test_parameters_of_another_network(tmp_path):
    """A description that does not belong to the parameters is refused."""
    save(MLP(2, [4, 1]), {"network": NETWORK}, tmp_path)
    with pytest.raises(ArgumentError, match="cannot be read"):
        load(tmp_path)
