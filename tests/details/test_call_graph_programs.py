"""Random programs show the same call graphs on miniloop and on asyncio, at every tick.

Only what awaits pending futures is compared. asyncio keeps a list of it, miniloop works it out from
what the future has to run. When the future has ended, but what it runs has not all had its turn,
miniloop may show a task that waited in two ways at once and is off asyncio's list already.
"""

import asyncio
import dataclasses
import random
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import pytest

import miniloop
from tests.details.test_call_graph import ASYNCIO_IS_RIGHT, outline

pytestmark = pytest.mark.skipif(
    not ASYNCIO_IS_RIGHT, reason="asyncio has no call graphs, or faulty ones"
)

MOST_TASKS = 12
TICKS = 25


class Program:
    """A program drawn from a seed. It runs the same way on both libraries."""

    def __init__(self, aio: ModuleType, seed: int) -> None:
        self.aio = aio
        self.draw = random.Random(seed)
        self.log: list[str] = []
        self.ending = False
        self.tasks: list[Any] = []
        self.futures: list[Any] = []
        self.gathered: list[Any] = []  # nobody awaits these, so that there are no rings
        self.ways: list[Callable[[], Awaitable[Any]]] = [
            self.wait_for_one,
            self.gather,
            self.gather_and_go_on,
            self.wait,
            self.shield,
            self.as_completed,
            self.group,
            self.end_one,
            self.cancel_one,
            self.note_one,
            self.look_later,
        ]

    def run(self) -> list[str]:
        loop = self.aio.new_event_loop()
        loop.set_exception_handler(lambda loop, context: None)
        loop.run_until_complete(self.main())
        loop.close()
        return self.log

    async def main(self) -> None:
        self.aio.current_task().set_name("main")
        for _ in range(3):
            self.start(self.aio.create_task)
        for tick in range(TICKS):
            await self.aio.sleep(0)
            self.look(f"tick {tick}")
            if tick > TICKS // 2:
                await self.end_one()
        self.ending = True
        for _ in range(100):
            for task in self.tasks:
                task.cancel()
            await self.aio.sleep(0)
        assert all(task.done() for task in self.tasks)

    def look(self, when: str) -> None:
        self.log.append(f"{when}: {[task.get_name() for task in self.tasks if task.done()]}")
        for future in [None, *self.tasks, *self.futures, *self.gathered]:
            graph = self.aio.capture_call_graph(future)
            self.log.append("no task" if graph is None else outline(compared(graph)))

    def start(self, create_task: Callable[..., Any]) -> Any:
        name = f"task {len(self.tasks)}"
        task = create_task(self.work(self.draw.choices(self.ways, k=3)), name=name)
        self.tasks.append(task)
        return task

    async def work(self, ways: list[Callable[[], Awaitable[Any]]]) -> None:
        for way in ways:
            try:
                await way()
            except (TimeoutError, ValueError, ExceptionGroup):
                pass
            except self.aio.CancelledError:
                if self.ending or self.draw.random() < 0.7:
                    raise

    def some(self, most: int = 3) -> list[Any]:
        """Return futures to wait for: old ones, new ones, tasks that were started later."""
        found = []
        later = self.tasks[self.tasks.index(self.aio.current_task()) + 1 :]
        for _ in range(self.draw.randint(1, most)):
            kind = self.draw.randrange(4)
            if kind == 0 and self.futures:
                found.append(self.draw.choice(self.futures))
            elif kind == 1 and later:
                found.append(self.draw.choice(later))
            elif kind == 2 and len(self.tasks) < MOST_TASKS:
                found.append(self.start(self.aio.create_task))
            else:
                found.append(self.aio.get_running_loop().create_future())
                self.futures.append(found[-1])
        return found

    def open(self) -> Any:
        """Return a future that can be ended, or None."""
        futures = [future for future in self.futures if not future.done()]
        return self.draw.choice(futures) if futures else None

    async def wait_for_one(self) -> None:
        (future,) = self.some(1)
        await (future if self.draw.random() < 0.5 else self.aio.wait_for(future, 0))

    async def gather(self) -> None:
        await self.aio.gather(*self.some(), return_exceptions=self.draw.random() < 0.5)

    async def gather_and_go_on(self) -> None:
        gathered = self.aio.gather(*self.some())
        gathered.add_done_callback(lambda future: future.cancelled() or future.exception())
        self.gathered.append(gathered)

    async def wait(self) -> None:
        futures = self.some()
        timeout = self.draw.choice([None, 0])
        how = self.draw.choice([self.aio.FIRST_COMPLETED, self.aio.ALL_COMPLETED])
        await self.aio.wait(futures, timeout=timeout, return_when=how)
        self.look("waited")
        await futures[0]

    async def shield(self) -> None:
        await self.aio.shield(self.some(1)[0])

    async def as_completed(self) -> None:
        for coroutine in self.aio.as_completed(self.some(1), timeout=self.draw.choice([None, 0])):
            await coroutine

    async def group(self) -> None:
        async with self.aio.TaskGroup() as group:
            child = self.start(group.create_task) if len(self.tasks) < MOST_TASKS else None
            await self.draw.choice(self.ways)()
            if child is not None and self.draw.random() < 0.5:
                await self.aio.wait([child], timeout=0)

    async def end_one(self) -> None:
        future = self.open()
        if future is not None and self.draw.random() < 0.8:
            future.set_result(None)
        elif future is not None:
            future.set_exception(ValueError())
            future.exception()

    async def cancel_one(self) -> None:
        self.draw.choice(self.tasks + self.futures + self.gathered).cancel()

    async def note_one(self) -> None:
        future = self.open()
        if future is not None:
            notes = [self.aio.future_add_to_awaited_by, self.aio.future_discard_from_awaited_by]
            self.draw.choice(notes)(future, self.draw.choice(self.tasks))

    async def look_later(self) -> None:
        if self.futures and self.draw.random() < 0.5:
            self.draw.choice(self.futures).add_done_callback(lambda future: self.look("called"))
        else:
            self.aio.get_running_loop().call_soon(self.look, "soon")


def compared(graph: Any) -> Any:
    below = () if graph.future.done() else tuple(map(compared, graph.awaited_by))
    return dataclasses.replace(graph, awaited_by=below)


@pytest.mark.parametrize(
    "seeds", [range(start, start + 25) for start in range(0, 100, 25)], ids=str
)
def test_programs(seeds: range) -> None:
    edges = 0
    for seed in seeds:
        ours, theirs = (Program(library, seed).run() for library in (miniloop, asyncio))
        assert ours == theirs, f"seed {seed}"
        edges += sum(graph.count("\n") for graph in ours)
    assert edges > 1000, "the programs wait for nothing"
