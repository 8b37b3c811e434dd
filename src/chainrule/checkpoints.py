"""Networks in files: the parameters as safetensors, what they belong to as JSON, never pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chainrule.errors import ArgumentError, ChainruleError, missing_extra
from chainrule.nn import MLP

try:
    import numpy as np
    from safetensors import SafetensorError
    from safetensors.numpy import load_file
    from safetensors.numpy import save as as_bytes
except ImportError:
    raise missing_extra("safetensors", "train", "a saved network") from None

PARAMETERS, DESCRIPTION = "parameters.safetensors", "run.json"


def save(model: MLP, description: dict[str, Any], run: Path) -> None:
    """Write a network into the folder `run`.

    Args:
        model: whose parameters are written, in the order of `named_parameters`.
        description: what JSON can hold; its entry "network" has the arguments of `MLP`.
        run: an existing folder.
    """
    numbers = np.array([p.data for p in model.parameters()])
    (run / PARAMETERS).write_bytes(as_bytes({"parameters": numbers}))
    text = json.dumps(description, indent=2)
    (run / DESCRIPTION).write_text(text + "\n", encoding="utf-8")


def load(run: Path) -> tuple[MLP, dict[str, Any]]:
    """The network and the description that `save` wrote into the folder `run`.

    Raises:
        ArgumentError: there are none, or they are damaged or do not belong together.

    >>> run = Path("run")
    >>> run.mkdir()
    >>> save(MLP(2, [1]), {"network": {"nin": 2, "nouts": [1]}, "note": "untrained"}, run)
    >>> model, description = load(run)
    >>> model, description["note"]
    (MLP of [Layer of [LinearNeuron(2)]], 'untrained')
    """
    try:
        description = json.loads((run / DESCRIPTION).read_text(encoding="utf-8"))
        model = MLP(**description["network"])
        numbers = load_file(run / PARAMETERS)["parameters"].tolist()
        model.load_state_dict(dict(zip(model.state_dict(), numbers, strict=True)))
    except FileNotFoundError as error:
        raise ArgumentError(f"{run} holds no run: {error.filename} is missing") from None
    except (ChainruleError, SafetensorError, KeyError, OSError, TypeError, ValueError) as error:
        raise ArgumentError(f"the run in {run} cannot be read: {error}") from None
    return model, description
