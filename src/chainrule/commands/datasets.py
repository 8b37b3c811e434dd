"""`chainrule datasets`: what there is to train on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainrule.datasets import Dataset


def datasets() -> None:
    """List the data sets: how many examples to train on and held out, features, task."""
    from rich.console import Console
    from rich.table import Table

    from chainrule.datasets import DATASETS, load

    table = Table("name", box=None, pad_edge=False)
    for column in ("train", "held out", "features", "classes"):
        table.add_column(column, justify="right")
    table.add_column("task")
    for name in DATASETS:
        table.add_row(*_facts(load(name)))
    Console().print(table)


def _facts(dataset: Dataset) -> list[str]:
    counts = [
        len(dataset.train.features),
        len(dataset.test.features),
        len(dataset.feature_names),
        len(dataset.class_names) or "",
    ]
    return [dataset.name, *map(str, counts), dataset.task]
