"""Does the property suite notice? Run in a child process: `python suite.py DIRECTORY SECONDS`.

DIRECTORY holds the package to test. Prints what happened in one line, "killed ..." or
"survived ...". The programs are those of `tests/difftest/test_random_programs.py`, in that order,
as many as the time allows. Time is the processor's, so that a busy machine decides nothing.
"""

import resource
import signal
import sys
import time

SEED = 2026
PROGRAMS = 20_000
# Eager tasks and asyncio's Python tasks as the reference come in between, as often as in the suite.
OTHERS = {5: ("asyncio-eager", "miniloop-eager", 3), 10: ("asyncio-python", "miniloop", 4)}
# Seconds of processor time for one program, which takes milliseconds; it ends the process. Programs
# that wait for ever are ended by the tester.
HANGS_AFTER = 10
MEMORY = 4 << 30


def main(directory: str, seconds: float) -> str:
    sys.path.insert(0, directory)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        from miniloop.difftest import agree, quiet, side
        from miniloop.difftest.compare import schedules
        from miniloop.difftest.fuzz import numbered_program
        from miniloop.difftest.linked import Linked

        def differs(left, right, program):
            return not agree(*schedules(Linked(program), side(left), side(right)))

        with quiet():
            for number in range(PROGRAMS):
                turns = [("asyncio", "miniloop", SEED)]
                turns += [names for every, names in OTHERS.items() if number % every == 0]
                for left, right, seed in turns:
                    if left == "asyncio-eager" and sys.version_info < (3, 12):
                        continue
                    signal.setitimer(signal.ITIMER_PROF, HANGS_AFTER)
                    program = numbered_program(seed, number)
                    if differs(left, right, program) and differs(left, right, program):
                        return f"killed by a difference after {number + 1} programs"
                if time.process_time() > seconds:
                    return f"survived {number + 1} programs in {seconds:.0f} s"
    except BaseException as error:
        return f"killed by {type(error).__name__}"
    return f"survived all {PROGRAMS} programs"


if __name__ == "__main__":
    result = main(sys.argv[1], float(sys.argv[2]))
    print(result, flush=True)
