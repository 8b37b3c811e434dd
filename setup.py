"""Builds the engine and what networks are made of as native modules, where there is a C compiler.

`CHAINRULE_PURE=1` leaves them as they are, and the wheel fits every machine.
"""

import os
import sys
from typing import Any

from setuptools import Extension, setup

NATIVE = ["arguments", "engine", "flat", "floats", "nn", "ops"]
# Fusing a * b + c would round once where Python rounds twice. What debuggers read is four times
# as large as the rest.
FLAGS = ["/O2"] if sys.platform == "win32" else ["-O3", "-ffp-contract=off", "-g0"]
DIRECTIVES = {"annotation_typing": False, "cdivision": True, "embedsignature": False}
# None for a value would crash; and how values are pickled stands in interop.py.
DIRECTIVES |= {"allow_none_for_extension_args": False, "auto_pickle": False}


def native() -> dict[str, Any]:
    """What setup() is told to build native modules."""
    from Cython.Compiler import Options
    from Cython.Distutils import build_ext

    # For Value, the one native class: values form no reference cycles, so they take no part in
    # garbage collection. In other places it is a decorator, but not in a .pxd.
    Options.get_directive_defaults().update(no_gc=True)
    modules = [
        # optional: where it cannot be compiled, the Python file serves
        Extension(
            f"chainrule.{name}",
            [f"src/chainrule/{name}.py"],
            extra_compile_args=FLAGS,
            optional=True,
        )
        for name in NATIVE
    ]
    # force: by their dates, Cython would not notice that this file has changed
    build = {"force": True, "cython_c_in_temp": True, "cython_directives": DIRECTIVES}
    return {
        "ext_modules": modules,
        "cmdclass": {"build_ext": build_ext},
        "options": {"build_ext": build},
    }


setup(**({} if os.environ.get("CHAINRULE_PURE") == "1" else native()))
