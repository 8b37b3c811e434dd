"""Builds engine.py and floats.py as native modules, where there is a C compiler.

`CHAINRULE_PURE=1` leaves them as they are, and the wheel fits every machine.
"""

import os
import sys

from setuptools import Extension, setup

NATIVE = ["engine", "floats"]
# Fusing a * b + c would round once where Python rounds twice.
FLAGS = ["/O2"] if sys.platform == "win32" else ["-O3", "-ffp-contract=off"]


def extensions() -> list[Extension]:
    from Cython.Build import cythonize
    from Cython.Compiler import Options

    # For Value, the one native class; both are decorators in other places, but not in a .pxd.
    # Values form no reference cycles, so they take no part in garbage collection; and of those
    # that died, this many (6 MB) are kept for the next graph.
    Options.get_directive_defaults().update(no_gc=True, freelist=65536)
    modules = [
        # optional: without a compiler, setuptools says so and the Python files serve
        Extension(
            f"chainrule.{name}",
            [f"src/chainrule/{name}.py"],
            extra_compile_args=FLAGS,
            optional=True,
        )
        for name in NATIVE
    ]
    directives = {"annotation_typing": False, "cdivision": True, "embedsignature": False}
    return cythonize(modules, build_dir="build", compiler_directives=directives)


setup(ext_modules=[] if os.environ.get("CHAINRULE_PURE") == "1" else extensions())
