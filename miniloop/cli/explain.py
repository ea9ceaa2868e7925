"""Run a script, and show tick by tick what runs, and why in this order.

The script needs no preparation. It runs in a process of its own, on virtual time: where the loop
would sleep, the clock jumps. For each tick, explain shows what stands in the ready queue. For each
step it shows the task and why it runs, the line where the task goes on, what it prints, and the
line where it waits next. If a program waits for ever, explain ends with the tasks that still wait,
and what each of them waits for.

--why TASK@TICK follows the causes of one step back to the start. --why LINE does the same for the
first step that ran this line. Options may stand before and behind SCRIPT; the script's own
arguments follow a "--".

Exit status 0: the program came to its end. 1: it never ends. 2: there is nothing to explain, and
one line says why.
"""

import argparse

from miniloop.cli import BadInput, program
from miniloop.cli.on_record import NEVER_ENDS, declare_run, traced
from miniloop.trace import explain


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options, and the program."""
    _declare_options(parser)
    program.declare(parser)


def _declare_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--why",
        metavar="TASK@TICK",
        action="append",
        default=[],
        help="tell the chain of causes of one step (tea@7), or of the step that ran a line (12)",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="tell what the loop does for itself as well, and long runs in full",
    )
    declare_run(parser)


def call(args: argparse.Namespace) -> int:
    """Run, and tell."""
    program.split(args, _declare_options)
    document = traced(args, args.loop)
    if args.why:
        for number, name in enumerate(args.why):
            try:
                step, remark = explain.step_named(document, name)
            except explain.NoSuchStep as error:
                raise BadInput(str(error)) from None
            if number:
                print()
            for line in explain.chain_told(document, step):
                print(line)
            if remark:
                print(f"\n{remark}")
        return 0
    for line in explain.explained(document, everything=args.all):
        print(line)
    return 1 if document["end"]["kind"] in NEVER_ENDS else 0
