"""Write scalars. See every derivative. Run at array speed."""

import chainrule.interop  # noqa: F401 - what it installs on values
from chainrule.engine import Value
from chainrule.modes import no_grad
from chainrule.ops import TABLE, op

__all__ = ["TABLE", "Value", "no_grad", "op"]
__version__ = "0.1.0"
