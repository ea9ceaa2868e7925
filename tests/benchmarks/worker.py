"""A worker process: one contender, which gets one job at a time.

Reads a job per line from standard input, a JSON object with ``work`` and ``size``, and answers
with a line on standard output: ``{"figure": ..., "value": ...}``, ``{"none": true}`` if the
contender has no such program, or ``{"error": ...}``. The first line of all, before any job, is
``{"ready": true}`` or an error. The figure is in seconds, for memory in bytes per task.
"""

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .contenders import CONTENDERS
from .work import WORK


def peak() -> float:
    """Return the greatest resident set size that this process has had, in bytes."""
    import resource  # not on Windows

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def resident() -> float:
    """Return the resident set size of this process in bytes; where only the peak is known, that."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return peak()
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


CLOCKS: dict[str, Callable[[], float]] = {
    "processor": time.process_time,
    "wall": time.perf_counter,
    "memory": resident,
}


def main() -> None:
    """Serve jobs until standard input ends."""
    contender = next(contender for contender in CONTENDERS if contender.name == sys.argv[1])
    try:
        run = contender.open()
    except Exception as exc:  # not installed, or not for this Python: curio has AttributeError
        return answer(error=str(exc))
    answer(ready=True)
    measures = {work.name: work.measure for work in WORK}
    for line in sys.stdin:
        job = json.loads(line)
        gc.collect()
        try:
            result = run(job["work"], job["size"], CLOCKS[measures[job["work"]]])
        except Exception as exc:
            answer(error=f"{type(exc).__name__}: {exc}")
        else:
            if result is None:
                answer(none=True)
            else:
                answer(figure=result[0], value=result[1])
    return None


def answer(**message: Any) -> None:
    """Send one line to the parent."""
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
