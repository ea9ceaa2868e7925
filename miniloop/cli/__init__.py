"""The command line, `python -m miniloop COMMAND`: one file per command.

A command is a module with a docstring (its first line is its help), `configure(parser)`, which
declares its arguments, and `call(args)`, which does the work and returns the exit status. To add
one, write the module and name it in `COMMANDS`.

Commands that run a script find it with `program`. How it runs:

    script          as the main program, in the way of `python SCRIPT`
    redirect        `import asyncio` in it becomes an import of the stand-in
    stand_in        the stand-in has asyncio's names, and miniloop's objects
    every_loop      without a stand-in: all loops of asyncio become those of interop
    children        multiprocessing starts its processes in the same way

`explain`, `trace`, `compare` and `explore` show what its loops do:

    on_record       starts runs in processes of their own, and declares the options for them
    recorded        what happens in such a process
    in_words        tells the two runs of `compare`

`fuzz` and `lab` run random programs:

    side_by_side    prints two schedules as a table
    findings        tells what `fuzz` has found
"""

import argparse
import importlib
import os
import platform
import signal
import sys
from collections.abc import Callable, Sequence

import miniloop

COMMANDS = ("run", "explain", "trace", "explore", "compare", "fuzz", "lab")
"""The modules of the commands. Only the one that was asked for is imported."""


class BadInput(Exception):
    """One line that says what is wrong and how to mend it. `main()` prints it and returns 2."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` (by default the process's own arguments) asks for.

    Return the exit status. For wrong arguments, `--help` and `--version`, argparse raises
    SystemExit.
    """
    command = ""
    try:
        try:
            args = _arguments(sys.argv[1:] if argv is None else argv)
            command = args.command
            call: Callable[[argparse.Namespace], int] = args.call
            return call(args)
        finally:
            if command != "run":
                sys.stdout.flush()  # now, while a closed pipe can still be handled
    except BadInput as error:
        print(f"miniloop {command}: {error}", file=sys.stderr)
        return 2
    except (BrokenPipeError, KeyboardInterrupt) as error:
        if command == "run":
            raise  # what the script raises is reported as Python does it
        if isinstance(error, KeyboardInterrupt):
            print(f"\nminiloop {command}: stopped by Ctrl-C", file=sys.stderr)
            return 128 + signal.SIGINT
        # The program that read the output, such as `head`, has seen enough. Throw the rest away, or
        # Python would complain when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    asked = [argv[0]] if argv and argv[0] in COMMANDS else COMMANDS
    args, unknown = _parser(asked).parse_known_args(argv)
    if unknown:  # the command's own parser reports it, and so prints the usage of the command
        args.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return args


def _parser(asked: Sequence[str]) -> argparse.ArgumentParser:
    # Without allow_abbrev=False a script's own arguments could be taken for shortened ones of ours.
    parser = argparse.ArgumentParser(
        prog="miniloop",
        description="asyncio's scheduling, built from scratch to be read.",
        allow_abbrev=False,
    )
    python = f"{platform.python_implementation()} {platform.python_version()}"
    parser.add_argument(
        "--version", action="version", version=f"miniloop {miniloop.__version__} on {python}"
    )
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True
    )
    for name in asked:
        module = importlib.import_module(f"{__name__}.{name}")
        doc = module.__doc__ or ""
        command = commands.add_parser(
            name,
            help=doc.partition("\n")[0],
            description=doc,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.configure(command)
        command.set_defaults(call=module.call, parser=command)
    return parser
