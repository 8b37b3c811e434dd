"""The explorer in a notebook, where Python and the browser share its state."""

from __future__ import annotations

from anywidget import AnyWidget
from traitlets import Bool, Bytes, Int, Unicode


class ExplorerWidget(AnyWidget):
    """An explorer's state and what its module needs to show it.

    Attributes:
        step, way, playing: those of the `Explorer`.
        show: what `states.show()` gives, as JSON compressed by gzip, for some notebooks keep it.
        _esm, _css: the module and the style, by anywidget's names.
    """

    step = Int().tag(sync=True)
    way = Unicode().tag(sync=True)
    playing = Bool().tag(sync=True)
    show = Bytes().tag(sync=True)
    _esm = Unicode().tag(sync=True)
    _css = Unicode().tag(sync=True)
