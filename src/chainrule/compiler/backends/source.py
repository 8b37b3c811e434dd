"""Generated source: compiled, and shown by tracebacks and debuggers as long as it can run."""

from __future__ import annotations

import itertools
import linecache
import weakref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_number = itertools.count(1)


def compiled(owner: object, source: str, names: dict[str, Any]) -> tuple[Any, Any]:
    """The functions `forward` and `backward` of a source.

    Args:
        owner: when it goes, the source is forgotten.
        source: Python source.
        names: what the source finds by name.
    """
    filename = f"<chainrule program {next(_number)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    weakref.finalize(owner, linecache.cache.pop, filename, None)
    exec(compile(source, filename, "exec"), names)
    return names["forward"], names["backward"]
