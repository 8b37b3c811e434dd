"""`chainrule draw`: the first neuron of a trained network, with its gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainrule.commands.train import NEURON, draw_neuron


def draw(run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]) -> None:
    """Draw the first neuron of a trained network, with its gradients, into its run."""
    from chainrule.checkpoints import load as load_network
    from chainrule.datasets import load

    model, description = load_network(run)
    draw_neuron(run, model, load(description.get("data", ""), description.get("seed", -1)))
    print(f"picture: {run / NEURON}")
