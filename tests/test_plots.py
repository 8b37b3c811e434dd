"""The plots of training, decisions and step sizes."""

import builtins
import math
import subprocess
import sys

import pytest

from chainrule.errors import ArgumentError, MissingExtraError
from chainrule.viz import plots
from chainrule.viz.plots import COLOURS, TINTS, decision_boundary, loss_curve, step_size_plot

matplotlib_image = pytest.importorskip("matplotlib.image")

POINTS = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]


def colours_in(path):
    """The set of colours of an image, as "#rrggbb"."""
    pixels = (matplotlib_image.imread(path)[:, :, :3] * 255).round().astype(int)
    packed = pixels @ [1 << 16, 1 << 8, 1]
    return {f"#{colour:06x}" for colour in set(packed.ravel().tolist())}


def near(path, across, down):
    """The colour at a place of an image, given in parts of its width and height."""
    image = matplotlib_image.imread(path)
    pixel = image[int(down * image.shape[0]), int(across * image.shape[1]), :3]
    return "#{:02x}{:02x}{:02x}".format(*(pixel * 255).round().astype(int))


def test_loss_curve_is_at_least_800_pixels_wide(tmp_path):
    """A loss curve is a picture of 1024 pixels in width, with its curve in blue."""
    loss_curve([1.0, 0.5, 0.25], tmp_path / "loss.png")
    assert matplotlib_image.imread(tmp_path / "loss.png").shape[1] == 1024
    assert COLOURS[0] in colours_in(tmp_path / "loss.png")


def test_loss_curve_with_accuracy(tmp_path):
    """The accuracy is a second curve, in orange, and only there when it is given."""
    loss_curve([1.0, 0.5], tmp_path / "one.png")
    loss_curve([1.0, 0.5], tmp_path / "two.png", accuracy=[0.5, 1.0])
    assert COLOURS[1] not in colours_in(tmp_path / "one.png")
    assert COLOURS[1] in colours_in(tmp_path / "two.png")


def test_steps_are_counted_from_0(tmp_path, monkeypatch):
    """The first point of both curves stands at step 0, as in the rows of a history."""
    saved = []
    monkeypatch.setattr(plots, "_save", lambda figure, _: saved.append(figure))
    loss_curve([1.0, 0.5, 0.25], tmp_path / "loss.png", accuracy=[0.5, 0.75, 1.0])
    lines = [axes.lines[0] for axes in saved[0].axes]
    assert [line.get_xdata().tolist() for line in lines] == [[0, 1, 2]] * 2
    assert [line.get_ydata().tolist() for line in lines] == [[1.0, 0.5, 0.25], [0.5, 0.75, 1.0]]


@pytest.mark.parametrize(
    "losses", [[1.0], [0.0, 0.0], [1.0, -1.0], [1.0, 1e200, math.inf, math.nan], [math.nan] * 2]
)
def test_loss_curve_of_any_numbers(tmp_path, losses):
    """Training that stood still or went wrong is drawn as far as it can be, without a warning."""
    loss_curve(losses, tmp_path / "loss.png")
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_regions_of_a_score(tmp_path):
    """Where the score is positive the plane has the tint of the second class, else of the first."""
    decision_boundary(
        lambda xs: [x - 0.5 for x, _ in xs], POINTS, [-1, 1, -1, 1], tmp_path / "b.png"
    )
    assert near(tmp_path / "b.png", 0.3, 0.5) == TINTS[0]
    assert near(tmp_path / "b.png", 0.8, 0.5) == TINTS[1]
    assert set(COLOURS[:2]) <= colours_in(tmp_path / "b.png")


@pytest.mark.parametrize(
    "predict",
    [
        lambda xs: [[1 - x, x - 0.2, 0.0 * y] for x, y in xs],
        lambda xs: [0 if x < 0.6 else 1 for x, _ in xs],
        lambda xs: [[x - 0.6] for x, _ in xs],
    ],
    ids=["scores", "classes", "columns"],
)
def test_forms_of_predictions(tmp_path, predict):
    """Lists of scores, numbers of classes and columns of one score all give regions."""
    decision_boundary(predict, POINTS, [0, 1, 0, 1], tmp_path / "b.png")
    assert near(tmp_path / "b.png", 0.3, 0.5) == TINTS[0]
    assert near(tmp_path / "b.png", 0.9, 0.5) == TINTS[1]


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_scores_that_are_not_finite(tmp_path, score):
    """A network that went wrong has its points drawn all the same."""
    decision_boundary(lambda xs: [score] * len(xs), POINTS, [0, 1, 0, 1], tmp_path / "b.png")
    assert set(COLOURS[:2]) <= colours_in(tmp_path / "b.png")


def test_step_size_plot_leaves_out_zero(tmp_path):
    """Errors of 0, inf and nan, for which a logarithmic axis has no place, are left out."""
    step_size_plot(
        [1e-1, 1e-2, 1e-3], [1.0, 0.0, 0.1], [0.0, math.nan, math.inf], tmp_path / "s.png"
    )
    assert set(COLOURS[:2]) <= colours_in(tmp_path / "s.png")


def test_wrong_arguments(tmp_path):
    """Nothing to draw, lists of different lengths, three features, unknown formats are refused."""
    path = tmp_path / "x.png"
    with pytest.raises(ArgumentError, match="at least one loss"):
        loss_curve([], path)
    with pytest.raises(ArgumentError, match=r"as many steps as central errors .* 2 and 1"):
        step_size_plot([1.0, 2.0], [1.0, 2.0], [1.0], path)
    with pytest.raises(ArgumentError, match="two features"):
        decision_boundary(lambda xs: [0] * len(xs), [[1.0, 2.0, 3.0]], [0], path)
    with pytest.raises(ArgumentError, match=r"as many points as labels .* 4 and 1"):
        decision_boundary(lambda xs: [0] * len(xs), POINTS, [0], path)
    with pytest.raises(ArgumentError, match="3 predictions for 3600 points"):
        decision_boundary(lambda xs: xs[:3], POINTS, [0, 1, 0, 1], path)
    with pytest.raises(ArgumentError, match=r"saved as one of .*png.*, not 'xyz'"):
        loss_curve([1.0], tmp_path / "x.xyz")
    assert not list(tmp_path.iterdir())


def test_without_matplotlib(tmp_path, monkeypatch):
    """Without matplotlib the error names the extra that brings it."""
    real = builtins.__import__

    def refusing(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refusing)
    with pytest.raises(
        MissingExtraError, match=r"needs matplotlib: pip install .chainrule\[train\]"
    ):
        loss_curve([1.0], tmp_path / "x.png")


def test_no_global_state(tmp_path):
    """Plotting neither imports pyplot nor asks for a screen, and importing the module is cheap."""
    program = f"""
import sys
import chainrule.viz.plots as plots
assert "matplotlib" not in sys.modules and "numpy" not in sys.modules
plots.loss_curve([1.0, 0.5], {str(tmp_path / "x.svg")!r})
print("matplotlib.pyplot" in sys.modules)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout == "False\n"
