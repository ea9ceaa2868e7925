"""The command: ``python -m tests.benchmarks``, with ``scale``, ``recording`` or ``fast-lines``."""

import argparse
import sys
from collections.abc import Callable, Sequence

from tests.measured import GENERATED, circumstances

from . import fast_lines, recording
from .contenders import BASE, CONTENDERS
from .report import as_json, as_rst, jit_is_on, print_tables
from .rounds import ROOT, WorkFailed, measure
from .scale import SCALE, run_scale
from .work import WORK

# One for each minor version of Python, and for its JIT.
PAGE = (
    ROOT
    / "docs/generated"
    / "speed-{}.{}{}.rst".format(*sys.version_info[:2], "-jit" if jit_is_on() else "")
)
LINES = GENERATED / "fast-lines.json"


def names(choices: Sequence[str], what: str) -> Callable[[str], list[str]]:
    """Return a type for argparse: a list of names with commas between them."""

    def parse(text: str) -> list[str]:
        chosen = text.split(",")
        for name in chosen:
            if name not in choices:
                raise argparse.ArgumentTypeError(
                    f"no {what} is called {name!r}; choose from {', '.join(choices)}"
                )
        return chosen

    return parse


def positive(text: str) -> int:
    """Return a number of rounds."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 1")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    works = [work.name for work in WORK]
    scales = [scale.name for scale in SCALE]
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="How fast miniloop is, as ratios to asyncio with C tasks, all taking turns.",
        epilog=f"Work: {', '.join(works)}. At scale: {', '.join(scales)}.",
    )
    parser.add_argument(
        "what",
        nargs="?",
        choices=["speed", "scale", "recording", "fast-lines"],
        default="speed",
        help="the table of speed (default), millions of tasks, timers and ticks, what it costs to "
        "record schedules and traces, or what each line saves that is marked as fast",
    )
    parser.add_argument("--rounds", type=positive, metavar="N", help="default 7, with --quick 3")
    parser.add_argument(
        "--only",
        type=names([*works, *scales], "work"),
        metavar="WORK,...",
        help="measure only this work",
    )
    parser.add_argument(
        "--contenders",
        type=names([contender.name for contender in CONTENDERS], "contender"),
        metavar="NAME,...",
        help=f"only these: {', '.join(c.name for c in CONTENDERS)} (at scale: miniloop if none "
        "is named); asyncio is the measure and always there",
    )
    parser.add_argument("--quick", action="store_true", help="smaller sizes, fewer rounds")
    parser.add_argument("--json", action="store_true", help="print every figure, as JSON")
    parser.add_argument(
        "--write-docs",
        action="store_true",
        help=f"write {PAGE.relative_to(ROOT)}, too; for `recording`, "
        f"{recording.PAGE.relative_to(ROOT)}; for `fast-lines`, {LINES.relative_to(ROOT)}",
    )
    return parser


def main() -> int:
    """Run the command and return its exit status."""
    command = parser()
    arguments = command.parse_args()
    rounds = arguments.rounds or (3 if arguments.quick else 7)
    if arguments.what == "recording":
        if arguments.only or arguments.contenders or arguments.json:
            command.error("--only, --contenders and --json do not go with `recording`")
        return recording.run_recording(rounds, arguments.quick, arguments.write_docs)
    if arguments.what == "fast-lines":
        if arguments.only or arguments.contenders or arguments.json or arguments.quick:
            command.error("only --rounds and --write-docs go with `fast-lines`")
        return run_fast_lines(arguments.rounds or fast_lines.ROUNDS, arguments.write_docs)
    known = [one.name for one in (SCALE if arguments.what == "scale" else WORK)]
    for name in arguments.only or []:
        if name not in known:
            command.error(f"{name} is not measured by `{arguments.what}`: {', '.join(known)} are")
    if arguments.what == "scale":
        if arguments.json or arguments.write_docs or arguments.rounds:
            command.error("--rounds, --json and --write-docs go with `speed`, not with `scale`")
        chosen_names = arguments.contenders or ["miniloop"]
        for contender in CONTENDERS:
            if contender.name in chosen_names and contender.api is None:
                command.error(f"`scale` needs asyncio's API, which {contender.name} does not have")
        return run_scale(arguments.only, chosen_names, arguments.quick)
    works = [work for work in WORK if arguments.only is None or work.name in arguments.only]
    chosen = [
        contender
        for contender in CONTENDERS
        if arguments.contenders is None or contender.name in [BASE, *arguments.contenders]
    ]
    results = measure(works, chosen, rounds, arguments.quick, progress)
    progress("")
    if arguments.json:
        print(as_json(results))
    else:
        print_tables(results)
    if arguments.write_docs:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(as_rst(results), encoding="utf-8")
    failed = [name for name, cell in results.cells.items() if cell.failure]
    return 1 if failed else 0


def run_fast_lines(rounds: int, write_docs: bool) -> int:
    """Measure what each line saves that is marked as fast, and print it. Return the exit status."""
    found = fast_lines.measure(rounds=rounds, progress=progress)
    progress("")
    print(f"{'without':<12} {'takes':>6} {'noise':>6}")
    for file, number, code, _ in fast_lines.marked():
        one = found[f"{file} {number}"]
        print(f"{file:<12} {one.ratio:>6.3f} {one.noise:>6.3f}  {code}")
    if write_docs:
        fast_lines.write(LINES, found, circumstances())
    return 0


def progress(text: str) -> None:
    """Show what is being done, on a line that overwrites itself."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
    except WorkFailed as exc:
        print(f"benchmarks: {exc}", file=sys.stderr)
        sys.exit(1)
