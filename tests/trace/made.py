"""Traces put together by hand, for tests of what shows traces: sleepers on a loop of twenty lines.

The form is that of the docs' page on the trace as JSON. What a recorder makes of real programs is
tested elsewhere; here a test chooses the names, the output and how many steps there are.
"""

import copy
import heapq
from typing import Any

PROGRAM = """\
import asyncio


async def sleeper(times, seconds):
    for _ in range(times):
        await asyncio.sleep(seconds)  # < & > "quoted"
        print("awake")


async def main():
    async with asyncio.TaskGroup() as group:
        for name, times, seconds in SLEEPERS:
            group.create_task(sleeper(times, seconds), name=name)


asyncio.run(main())
"""
TICK = (
    "def _run_once(self):\n    events = self._selector.select(timeout)\n    ready.append(timer)\n"
)
TICK += "    ready.popleft()._run()\n"


class Made:
    """A trace that grows: `step()` notes what a step changes, and keyframes between."""

    def __init__(self, script: str = "sleepers.py", source: str = PROGRAM) -> None:
        self.state: dict[str, Any] = {"ready": [], "batch": 0, "heap": [], "tasks": {}, "output": 0}
        self.tick = 0
        self.time = 0.0
        self.trace: dict[str, Any] = {
            "format": "miniloop-trace",
            "version": 1,
            "loop": "miniloop",
            "miniloop": "0",
            "python": "3.15.2",
            "script": script,
            "clock": "virtual",
            "files": [{"name": script, "source": source}],
            "machine": {
                "files": [{"name": "core/loop.py", "first": 100, "source": TICK}],
                "at": {"wait": [0, 101], "due": [0, 102], "run": [0, 103]},
            },
            "tasks": [],
            "entries": [],
            "steps": [],
            "keyframes": [],
            "output": [],
            "reports": [],
            "end": {"kind": "finished", "say": "The program has ended.", "waiting": [], "ring": []},
        }

    @property
    def now(self) -> int:
        """The number of the next step."""
        return len(self.trace["steps"])

    def step(self, kind: str, say: str, do: dict[str, Any], **more: Any) -> None:
        frames = self.trace["keyframes"]
        new = not self.now or self.trace["steps"][-1]["tick"] != self.tick
        if new and (not frames or self.now - frames[-1]["step"] >= len(self.state["tasks"]) // 2):
            frame = {"step": self.now, "state": copy.deepcopy(self.state)}
            frames.append(frame)
        place = {"tick": self.tick, "time": self.time, "at": kind}
        self.trace["steps"].append({"kind": kind, **place, "say": say, "do": do, **more})
        state = self.state
        if "pop" in do:
            del state["ready"][: do["pop"]]
            state["batch"] = max(0, state["batch"] - do["pop"])
        state["ready"] += do.get("push", [])
        state["batch"] = do.get("batch", state["batch"])
        for task, view in do.get("tasks", {}).items():
            state["tasks"][task] = view
            if view is None:
                del state["tasks"][task]
        state["output"] += do.get("out", 0)

    def heap(self, heap: list[int]) -> dict[str, Any]:
        """Note the heap that the next step leaves, and return its change."""
        before = self.state["heap"] + [None] * len(heap)
        self.state["heap"] = list(heap)
        changed = [[index, entry] for index, entry in enumerate(heap) if before[index] != entry]
        return {"size": len(heap), "set": changed}

    def entry(self, **fields: Any) -> int:
        self.trace["entries"].append(fields)
        return len(self.trace["entries"]) - 1


def sleepers(*who: tuple[str, int, float], printed: str = "awake", **more: Any) -> dict[str, Any]:
    """Each of *who* (name, times, seconds) sleeps so often and so long, and prints after each."""
    made = Made(**more)
    trace = made.trace
    left, long, firsts = {}, {}, []
    for task, (name, times, seconds) in enumerate(who):
        trace["tasks"].append({"name": name, "coro": "sleeper", "made": 0})
        left[task], long[task] = times, seconds
        cause = {"kind": "create_task", "step": 0, "line": 13, "call": "create_task(sleeper())"}
        label, why = f"starts {name}", f"the program made {name} with create_task(), line 13"
        firsts.append(made.entry(label=label, why=why, cause=cause, kind="task", task=task, at=0))
    views = {str(task): {"state": "ready", "line": 4} for task in left}
    made.step("outside", "The program starts.", {"push": firsts, "tasks": views}, line=16)
    heap: list[tuple[float, int, int]] = []
    while made.state["tasks"]:
        made.tick += 1
        timeout = 0 if made.state["ready"] else heap[0][0] - made.time
        say = f"The loop waits {timeout:.3f} seconds." if timeout else "The loop does not wait."
        made.step("wait", say, {"batch": len(made.state["ready"])}, timeout=timeout)
        made.time += timeout
        due = []
        while heap and heap[0][0] <= made.time:
            due.append(heapq.heappop(heap)[1])
            trace["entries"][due[-1]]["at"] = made.now
        if due:
            do = {"push": due, "batch": len(made.state["ready"]) + len(due)}
            do["heap"] = made.heap([entry for _, entry, _ in heap])
            made.step("due", f"{len(due)} due timers move to the ready queue.", do)
        for entry in list(made.state["ready"]):
            task = trace["entries"][entry]["task"]
            name = trace["tasks"][task]["name"]
            do = {"pop": 1}
            first = trace["entries"][entry]["kind"] == "task"
            if not first:
                trace["output"].append({"step": made.now, "task": task, "text": printed})
                do["out"] = 1
                left[task] -= 1
            if left[task]:
                when = made.time + long[task]
                line = {"task": task, "line": 6}
                cause = {"kind": "timer", "step": made.now, "call": "sleep()", **line}
                words = f"sleep({long[task]})"
                timer = made.entry(
                    label=f"sleep is over: wakes {name}",
                    heap_label=f"{words} of {name}",
                    why=f"its {words}, line 6, was due",
                    cause=cause,
                    kind="timer",
                    task=task,
                    when=when,
                )
                heapq.heappush(heap, (when, timer, task))
                do["heap"] = made.heap([entry for _, entry, _ in heap])
                do["tasks"] = {str(task): {"state": "waiting", "line": 6, "for": words}}
            else:
                do["tasks"] = {str(task): None}
                trace["tasks"][task] |= {"ended": made.now, "how": "done", "value": "None"}
            say = f"{name} starts." if first else f"{name} goes on: its sleep was over."
            made.step("run", say, do, entry=entry, task=task, line=4 if first else 6)
    made.step("end", "The program has ended.", {})
    return trace
