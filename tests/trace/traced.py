"""Programs of the tester's grammar, run in this process with all causes recorded."""

from __future__ import annotations

import asyncio
from typing import Any

import miniloop
from miniloop.difftest.sides import Side
from miniloop.trace.document import assemble
from miniloop.trace.tracing import TracingRecorder


class TracedSide(Side):
    """A side whose runs are traced; `document` is the trace of the last one."""

    recorder_class = TracingRecorder
    whole_heap = False
    """Whether each change of the heap is told with the whole heap."""

    def new_loop(self, *args: Any, **options: Any) -> tuple[Any, Any]:
        recorder, loop = super().new_loop(*args, **options)
        recorder.watch.attach(loop)
        recorder.watch.whole_heap |= self.whole_heap
        self.recorder = recorder
        return recorder, loop

    @property
    def document(self) -> dict[str, Any]:
        return assemble(self.recorder.facts, loop=self.module.__name__)


def traced_miniloop() -> TracedSide:
    return TracedSide("miniloop", miniloop, miniloop.EventLoop, task_class=miniloop.Task)


def traced_asyncio(*, watched: bool = True) -> TracedSide:
    """asyncio; `watched` ends a run where this Python's asyncio is known to differ."""
    loop = asyncio.SelectorEventLoop
    return TracedSide("asyncio", asyncio, loop, task_class=asyncio.Task, watched=watched)
