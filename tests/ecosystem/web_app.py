"""A FastAPI application that says on which loop it runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from fastapi import BackgroundTasks, FastAPI
from fastapi.responses import StreamingResponse

events: list[str] = []  # what has happened, in order


class Meeting:
    """Requests that wait for each other: proof that they are served concurrently."""

    def __init__(self, size: int) -> None:
        self.size, self.there, self.complete = size, 0, asyncio.Event()

    async def join(self) -> None:
        self.there += 1
        if self.there == self.size:
            self.complete.set()
        await self.complete.wait()


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    events.append("up")
    app.state.meeting = Meeting(20)
    yield
    events.append("down")
    print("lifespan ended", flush=True)


app = FastAPI(lifespan=lifespan)


@app.get("/loop")
async def loop() -> list[str]:
    running, task = asyncio.get_running_loop(), asyncio.current_task()
    return [f"{type(one).__module__}.{type(one).__name__}" for one in (running, task)]


@app.get("/meet/{number}")
async def meet(number: int) -> int:
    await app.state.meeting.join()
    return number * number


@app.get("/thread")
def in_a_thread() -> str:  # not async: FastAPI calls it in a thread
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return "no loop here"
    return "a loop"


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        for number in range(1000):
            yield f"{number}\n"
            await asyncio.sleep(0)

    return StreamingResponse(lines(), media_type="text/plain")


@app.post("/later")
async def later(tasks: BackgroundTasks, what: dict[str, Any]) -> str:
    async def work() -> None:
        await asyncio.sleep(0)
        events.append(f"background {what['name']}")

    tasks.add_task(work)
    return "accepted"


@app.get("/slow")
async def slow() -> str:
    print("slow has begun", flush=True)
    await asyncio.sleep(0.5)
    return "done in spite of the shutdown"
