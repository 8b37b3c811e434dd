"""A CSV file as examples: what its columns hold is inferred once, and kept for what comes later.

Rows are counted from 1, below the header; blank lines are none.
"""

from __future__ import annotations

import csv
import itertools
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chainrule.arguments import check_choice
from chainrule.errors import TableError, missing_extra
from chainrule.objectives import TASKS
from chainrule.reporting import printable

try:
    import numpy as np
    import pandas as pd  # type: ignore[import-untyped]
    from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]

    from chainrule.datasets import Dataset, Examples
except ImportError:
    raise missing_extra("pandas", "train", "a CSV file") from None

WIDEST = 10_000  # columns of a file, and numbers that are made of a row
MOST_NUMBERS = 200_000_000  # that are made of a file
MOST_CATEGORIES = 100
FEWEST_ROWS = 5
_HELD_OUT, _MOST_HELD_OUT = 0.2, 10_000  # a share, and rows: they are measured again and again
_SHOWN = 5  # faulty cells that a message names
_FEW_WHOLE = 10  # different whole numbers, at most, that are taken for classes


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers.

    Attributes:
        name: of the column.
        mean: what is taken from its numbers, in their own unit,
        std: and what they are then divided by.
    """

    name: str
    mean: float = 0.0
    std: float = 1.0

    @property
    def width(self) -> int:
        return 1

    def read(self, cells: Any) -> tuple[Any, Any]:
        """The numbers of some cells, and which of the cells are none."""
        numbers = _numbers(cells)
        return numbers, ~np.isfinite(numbers)

    def scaled_by(self, numbers: Any) -> Numbers:
        """The same column, with the mean and the standard deviation of these numbers."""
        if numbers.min() == numbers.max():
            return Numbers(self.name, float(numbers[0]))
        with np.errstate(over="ignore", invalid="ignore"):
            mean, std = float(numbers.mean()), float(numbers.std())
        if not (math.isfinite(mean) and math.isfinite(std) and std > 0.0):
            raise TableError(
                f"column {self.name!r} cannot be scaled: its numbers go from {numbers.min():g} to "
                f"{numbers.max():g}"
            )
        return Numbers(self.name, mean, std)

    def encode(self, numbers: Any) -> Any:
        """The numbers scaled, of shape (n, 1); infinite where that is too large for a float."""
        with np.errstate(over="ignore"):
            return ((numbers - self.mean) / self.std)[:, None]


@dataclass(frozen=True, slots=True)
class Categories:
    """A column of texts, or of numbers that stand for classes.

    Attributes:
        name: of the column.
        values: the different texts in it, in order.
    """

    name: str
    values: tuple[str, ...]

    @property
    def width(self) -> int:
        return len(self.values)

    def read(self, cells: Any) -> tuple[Any, Any]:
        """Which of the values each cell is, counted from 0, and which of the cells are none."""
        codes, found = pd.factorize(cells)  # few are different: only these become texts
        known = {_plain(value): place for place, value in enumerate(self.values)}
        known |= {value: place for place, value in enumerate(self.values)}
        texts = as_texts(found)
        places = np.array([*[known.get(t, known.get(_plain(t), -1)) for t in texts], -1])[codes]
        return places, places < 0

    def encode(self, places: Any) -> Any:
        """1 in the place of each cell's value and 0 elsewhere, of shape (n, len(values))."""
        return np.eye(len(self.values))[places]


@dataclass(frozen=True, slots=True)
class Treatment:
    """How rows of a table become rows of features: what was inferred when a network was trained.

    Attributes:
        features: the columns that a network is given.
        target: the column that it should say.
        task: "regression", "binary" or "multiclass".
    """

    features: tuple[Numbers | Categories, ...]
    target: Numbers | Categories
    task: str

    def encode(self, rows: Any) -> Any:
        """The features of all rows, of shape (n, width).

        Args:
            rows: a pandas table that has the columns, or rows of cells in their order.

        Raises:
            TableError: a column is missing, or a cell cannot be read.
        """
        table = rows if isinstance(rows, pd.DataFrame) else self._table(rows)
        read, bad = _read(table, self.features)
        _refuse_cells(table, self.features, bad)
        return _encoded(table, self.features, read)

    def _table(self, rows: Any) -> Any:
        names = [column.name for column in self.features]
        try:
            return pd.DataFrame(rows, columns=names)
        except ValueError as error:
            raise TableError(
                f"a pandas table is needed, or rows of {len(names)} cells: {_one_line(error)}"
            ) from None

    def feature_names(self) -> tuple[str, ...]:
        """One for each number of a row: "age", or "colour=red" where there are categories."""
        return tuple(name for column in self.features for name in _names(column))

    def as_json(self) -> dict[str, Any]:
        """What JSON can hold; `treatment()` is the way back."""
        return asdict(self)


def treatment(description: Any) -> Treatment:
    """The treatment that `Treatment.as_json` described.

    Raises:
        KeyError, TypeError: it is none.

    >>> told = Treatment((Numbers("age", 40.0, 12.0),), Categories("paid", ("no", "yes")), "binary")
    >>> treatment(told.as_json()) == told
    True
    """
    features = tuple(_column(column) for column in description["features"])
    return Treatment(features, _column(description["target"]), description["task"])


def read_csv(path: str | Path, texts: Sequence[str] = ()) -> Any:
    """A CSV file with a header as a pandas table.

    Args:
        path: of the file.
        texts: columns whose cells are to stay as they are written; what the others hold, numbers
            or texts, is inferred.

    Raises:
        TableError: it is not there, not text, not a table, or its header cannot be used.
    """
    header = _header(path)
    _check_header(header, path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # cells beyond the header
            table = pd.read_csv(
                path,
                header=0,
                names=header,
                index_col=False,
                dtype={name: str for name in texts if name in header},
                low_memory=False,
            )
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from None
    except (ValueError, OverflowError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise TableError(f"{path} is not a table: {_one_line(error)}") from None
    if table.empty:
        raise TableError(f"{path} has a header and no rows")
    return table.astype({name: "category" for name in table if table[name].dtype.kind == "O"})


def load(
    path: str | Path,
    target: str | None = None,
    *,
    task: str | None = None,
    drop_missing: bool = False,
    seed: int = 0,
) -> tuple[Dataset, Treatment, list[str]]:
    """A CSV file ready to train on, how it was treated, and what was inferred, in lines.

    Numbers are scaled to mean 0 and standard deviation 1 of the rows to train on, the targets of
    a regression too; texts are encoded as a 1 among zeros. A fifth of the rows, 10,000 at
    most, is held out, with the same share of each class.

    Args:
        path: of the file; it has a header.
        target: the column to predict; the last if not said.
        task: "regression", "binary" or "multiclass"; inferred from the target if not said.
        drop_missing: whether rows with missing or unreadable cells are left out.
        seed: decides which rows are held out.

    Raises:
        TableError: the file cannot be used as it is; the message names row and column.
        MissingExtraError: pandas or scikit-learn is not installed.
    """
    if task is not None:
        check_choice("task", task, TASKS)
    table = read_csv(path)
    target = _target(table, target)
    columns = [_inferred(table[name]) for name in table.columns if name != target]
    table, dropped = _whole_rows(table, [*columns, _inferred(table[target])], drop_missing)
    aim, task = _aim(table[target], task)
    made = Treatment(tuple(_left(table, columns) if dropped else columns), aim, task)
    _check_size(made, len(table))
    dataset, made = _split(Path(path).stem, table, made, seed)
    return dataset, made, _told(made, table, dropped)


# ---- the file ----


def _header(path: str | Path) -> list[str]:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            return next(csv.reader(file, strict=True), [])
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from None
    except csv.Error as error:
        raise TableError(f"the header of {path} cannot be read: {error}") from None
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}") from None


def _not_utf8(path: str | Path, error: UnicodeDecodeError) -> TableError:
    byte = f"{error.object[error.start]:#04x}"
    return TableError(f"{path} is not text in UTF-8 (it holds the byte {byte}): save it as UTF-8")


def _check_header(header: list[str], path: str | Path) -> None:
    """Refuse a header whose columns could not be told apart or that is none."""
    if not "".join(header).strip():
        raise TableError(f"{path} has no header in its first line")
    if len(header) > WIDEST:
        raise TableError(f"{path} has {len(header):,} columns; {WIDEST:,} at most can be used")
    if len(header) == 1:
        hint = "; cells are separated by commas" if any(c in header[0] for c in ";\t|") else ""
        raise TableError(f"{path} has one column: a feature and a target at least are needed{hint}")
    nameless = [i for i, name in enumerate(header, 1) if not name.strip()]
    if nameless:
        raise TableError(f"column {nameless[0]} of {path} has no name in the header")
    twice = next((name for i, name in enumerate(header) if name in header[:i]), None)
    if twice is not None:
        raise TableError(f"{path} has two columns named {_quoted(twice)}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


# ---- what the columns hold ----


def _target(table: Any, target: str | None) -> str:
    names = list(table.columns)
    if target is None:
        return str(names[-1])
    if target not in names:
        shown = _some([_told_name(name) for name in names])
        raise TableError(f"no column is called {_quoted(target)}; there are {shown}")
    return target


def _inferred(cells: Any) -> Numbers | Categories:
    """What a column is: of numbers, if half of its cells or more can be read as such."""
    found = cells.dropna()
    if found.empty:
        raise TableError(f"column {_quoted(cells.name)} is empty: leave it out of the file")
    is_bool = pd.api.types.is_bool_dtype(cells)
    if not is_bool and np.isnan(_numbers(found)).mean() <= 0.5:
        return Numbers(str(cells.name))
    return _categories(found)


def _categories(cells: Any) -> Categories:
    values = sorted(set(as_texts(pd.unique(cells))), key=_number_or_text)
    if len(values) > MOST_CATEGORIES:
        raise TableError(
            f"column {_quoted(cells.name)} has {len(values):,} different values that are no "
            f"numbers to calculate with, such as {_quoted(values[0])}: {MOST_CATEGORIES} at most "
            "can be told apart"
        )
    return Categories(str(cells.name), tuple(values))


def _left(table: Any, columns: Sequence[Numbers | Categories]) -> list[Numbers | Categories]:
    """The same columns, with the values alone that are left in the table."""
    return [c if isinstance(c, Numbers) else _categories(table[c.name]) for c in columns]


def _numbers(cells: Any) -> Any:
    """Each cell as a number; nan where it is none."""
    if cells.dtype.kind in "biuf":
        return cells.to_numpy(dtype=float, na_value=np.nan)
    codes, found = pd.factorize(cells)
    return np.array([*map(_number, found), math.nan])[codes]


def _number(cell: Any) -> float:
    """What a cell is as a number, in the spellings that are usual in files; nan if it is none."""
    if isinstance(cell, str):
        usual = cell.isascii() and "_" not in cell
    else:
        usual = hasattr(cell, "__float__") and not isinstance(cell, complex)
    if not usual:
        return math.nan
    try:
        return float(cell)
    except (ValueError, OverflowError):
        return math.nan


def as_texts(cells: Any) -> list[str]:
    """The cells as they would be written: whole numbers without a point.

    >>> as_texts(pd.Series([1.0, 2.5]))
    ['1', '2.5']
    """
    return [_as_text(cell) for cell in cells.tolist()]


def _as_text(cell: Any) -> str:
    is_whole = isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e16
    return str(int(cell)) if is_whole else str(cell)


def _plain(text: str) -> str:
    """One spelling for numbers of one size, and for true and false."""
    if text.lower() in ("true", "false"):
        return text.capitalize()
    number = _number(text)
    return _as_text(number) if math.isfinite(number) else text


def _number_or_text(text: str) -> tuple[float, str]:
    """What sorts numbers by size, before texts."""
    number = _number(text)
    return (math.inf if math.isnan(number) else number), text


def _aim(cells: Any, task: str | None) -> tuple[Numbers | Categories, str]:
    """The target's column, checked, and the kind of problem that it is."""
    column = _inferred(cells)
    if task == "regression" and isinstance(column, Categories):
        raise TableError(
            f"a regression needs numbers, and column {_quoted(column.name)} holds texts such as "
            f"{_quoted(column.values[0])}"
        )
    task = task or _task_of(column, cells)
    if task != "regression" and isinstance(column, Numbers):
        column = _categories(cells)
    _check_values(cells.nunique(), task, column.name)
    return column, task


def _task_of(column: Numbers | Categories, cells: Any) -> str:
    """The kind of problem that a target is."""
    if isinstance(column, Categories):
        return "binary" if len(column.values) == 2 else "multiclass"
    numbers = np.unique(_numbers(cells))
    if len(numbers) == 2:
        return "binary"
    whole = bool((numbers == np.floor(numbers)).all())
    few = len(numbers) <= _FEW_WHOLE and len(cells) >= 5 * len(numbers)
    return "multiclass" if whole and few else "regression"


def _check_values(many: int, task: str, name: str) -> None:
    if many < 2:
        raise TableError(f"the target {_quoted(name)} is the same in all rows")
    if task == "binary" and many != 2:
        raise TableError(
            f"a task of two classes needs a target of two values, and {_quoted(name)} has {many:,}"
        )


def _check_size(made: Treatment, rows: int) -> None:
    width = sum(column.width for column in made.features)
    if width > WIDEST or width * rows > MOST_NUMBERS:
        raise TableError(
            f"{rows:,} rows become {width:,} numbers each, since texts are encoded as a 1 among "
            f"zeros; {WIDEST:,} at most can be used, and {MOST_NUMBERS:,} together"
        )


# ---- cells ----


def _read(table: Any, columns: Any) -> tuple[list[Any], list[Any]]:
    """What each column's cells are read as, and which of them cannot be."""
    names = list(table.columns)
    missing = [_quoted(column.name) for column in columns if names.count(column.name) != 1]
    if missing:
        raise TableError(
            f"the table needs each column that was trained on, once; {len(missing):,} are not as "
            f"needed: {', '.join(missing[:_SHOWN])}"
        )
    pairs = [column.read(table[column.name]) for column in columns]
    return [found for found, _ in pairs], [bad for _, bad in pairs]


def _whole_rows(table: Any, columns: list[Any], drop: bool) -> tuple[Any, int]:
    """The rows without missing or unreadable cells, and how many others there were."""
    bad = [column.read(table[column.name])[1] for column in columns]
    faulty = np.logical_or.reduce(bad)
    count = int(faulty.sum())
    if count and not drop:
        _refuse_cells(table, columns, bad, "; --drop-missing leaves such rows out")
    rest = table[~faulty].reset_index(drop=True) if count else table
    if len(rest) < FEWEST_ROWS:
        of = f" of {len(table):,}" if count else ""
        raise TableError(
            f"{len(rest):,}{of} rows can be used; {FEWEST_ROWS} at least are needed, to train on "
            "some and hold out others"
        )
    return rest, count


def _refuse_cells(table: Any, columns: Any, bad: list[Any], hint: str = "") -> None:
    """Name the first cells that cannot be read, if there are any."""
    count = int(sum(column.sum() for column in bad))
    if not count:
        return
    shown = "; ".join(itertools.islice(_faults(table, columns, bad), _SHOWN))
    more = f"; and {count - _SHOWN:,} more" if count > _SHOWN else ""
    cells = "1 cell" if count == 1 else f"{count:,} cells"
    raise TableError(f"{cells} cannot be used: {shown}{more}{hint}")


def _faults(table: Any, columns: Any, bad: list[Any]) -> Iterator[str]:
    """What is wrong with each faulty cell, row by row."""
    grid = np.array(bad)
    for row in np.flatnonzero(grid.any(axis=0)):
        for i in np.flatnonzero(grid[:, row]):
            cell = table[columns[i].name].iloc[row]
            yield f"row {row + 1:,}, column {_quoted(columns[i].name)}: {_fault(cell, columns[i])}"


def _fault(cell: Any, column: Numbers | Categories) -> str:
    if pd.isna(cell):
        return "missing"
    if isinstance(column, Numbers):
        number = _number(cell)
        far = math.isfinite(number)
        fault = "is too far from those trained on" if far else "is not a finite number"
        return f"{_quoted(_as_text(cell))} {fault}"
    known = ", ".join(map(_quoted, column.values[:_SHOWN]))
    return f"{_quoted(_as_text(cell))} is none of the values trained on, such as {known}"


def _quoted(text: object) -> str:
    """A text from a file, short and in one line."""
    return repr(_shortened(str(text)))


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def _encoded(table: Any, columns: Any, read: list[Any]) -> Any:
    """The features of all rows, of shape (n, width)."""
    rows = np.concatenate([c.encode(found) for c, found in zip(columns, read)], axis=1)
    if not np.isfinite(rows).all():
        scaled = [c.encode(found) for c, found in zip(columns, read)]
        _refuse_cells(table, columns, [~np.isfinite(numbers).all(axis=1) for numbers in scaled])
    return rows


# ---- examples ----


def _split(name: str, table: Any, made: Treatment, seed: int) -> tuple[Dataset, Treatment]:
    """A fifth held out, and the columns scaled by the other rows."""
    targets = made.target.read(table[made.target.name])[0]
    train, test = _places(targets, made, seed)
    read = _read(table, made.features)[0]
    features = tuple(
        column.scaled_by(found[train]) if isinstance(column, Numbers) else column
        for column, found in zip(made.features, read)
    )
    aim = made.target
    if isinstance(aim, Numbers):
        aim = aim.scaled_by(targets[train])
        targets = aim.encode(targets)[:, 0]
    made = Treatment(features, aim, made.task)
    rows = _encoded(table, features, read)
    learnt, held_out = [Examples(rows[places], targets[places]) for places in (train, test)]
    classes = aim.values if isinstance(aim, Categories) else ()
    scale = (aim.mean, aim.std) if isinstance(aim, Numbers) else (0.0, 1.0)
    dataset = Dataset(name, made.task, learnt, held_out, made.feature_names(), classes, *scale)
    return dataset, made


def _places(targets: Any, made: Treatment, seed: int) -> Any:
    """The rows to train on and those held out."""
    places = np.arange(len(targets))
    count = min(math.ceil(_HELD_OUT * len(targets)), _MOST_HELD_OUT)
    if isinstance(made.target, Numbers):
        return train_test_split(places, test_size=count, random_state=seed)
    sizes = np.bincount(targets, minlength=len(made.target.values))
    if sizes.min() < 2:
        rare = made.target.values[int(sizes.argmin())]
        raise TableError(
            f"class {_quoted(rare)} of {_quoted(made.target.name)} has one row; two at least are "
            "needed, one to train on and one to hold out"
        )
    count = max(count, len(sizes))
    return train_test_split(places, test_size=count, random_state=seed, stratify=targets)


def _told(made: Treatment, table: Any, dropped: int) -> list[str]:
    """What was inferred, in lines."""
    target, kinds = made.target, {"regression": "numbers", "binary": "two classes"}
    what = kinds.get(made.task) or f"{target.width} classes"
    numbers = [_told_name(c.name) for c in made.features if isinstance(c, Numbers)]
    encoded = [c for c in made.features if isinstance(c, Categories)]
    texts = [f"{_told_name(c.name)} ({c.width})" for c in encoded]
    lines = [f"target: {_told_name(target.name)}, {what}, so the task is {made.task}"]
    lines += [f"numbers, scaled: {_some(numbers)}"] * bool(numbers)
    lines += [f"texts, encoded:  {_some(texts)}"] * bool(texts)
    left = f", {dropped:,} left out for missing or unreadable cells" if dropped else ""
    return [*lines, f"rows: {len(table):,}{left}"]


def _told_name(name: str) -> str:
    return printable(_shortened(name))


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 8:,} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more


def _names(column: Numbers | Categories) -> list[str]:
    if isinstance(column, Numbers):
        return [column.name]
    return [f"{column.name}={value}" for value in column.values]


def _column(description: dict[str, Any]) -> Numbers | Categories:
    if "values" in description:
        return Categories(description["name"], tuple(description["values"]))
    return Numbers(**description)
