"""The command line: the commands put together, and how they end."""

from __future__ import annotations

import io
import sys
from typing import Annotated, Any

import typer

from chainrule import __version__, native
from chainrule.commands.course import course
from chainrule.commands.datasets import datasets
from chainrule.commands.draw import draw
from chainrule.commands.grade import grade
from chainrule.commands.predict import predict
from chainrule.commands.show import show
from chainrule.commands.train import train
from chainrule.errors import ChainruleError, TrainingError
from chainrule.reporting import printable

app = typer.Typer(
    help="Write scalars, see every derivative, train networks.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

for command in (train, predict, show, datasets, course, grade):
    app.command()(command)
# An expression may begin with a minus sign.
app.command(context_settings={"ignore_unknown_options": True})(draw)


@app.callback(invoke_without_command=True)
def _without_command(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print(f"chainrule {__version__} ({'native' if native else 'pure Python'})")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


# ---- the program ----

# What a wrong option raises: click's class, or typer's own since it contains click.
_UsageError: Any = typer.BadParameter.__mro__[1]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: with 2 if it was wrong, with 1 if it could not be finished."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # which may not be able to encode a file's name
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(_status(arguments))


def _status(arguments: list[str] | None) -> int:
    try:
        return app(args=arguments, prog_name="chainrule", standalone_mode=False) or 0
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except (TrainingError, OSError) as error:
        return _complain(str(error), 1)
    except ChainruleError as error:
        return _complain(str(error), 2)
    except _UsageError as error:
        command = error.ctx.command_path if error.ctx else "chainrule"
        return _complain(f"{error.format_message().rstrip('.')} (see {command} --help)", 2)


def _complain(message: str, status: int) -> int:
    line = " ".join(message.split())
    print("chainrule:", printable(line), file=sys.stderr)
    return status
