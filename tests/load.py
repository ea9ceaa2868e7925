"""Many connections at once to an echo server on 127.0.0.1: `python -m tests.load`.

The server runs in this process, the clients in another, as each connection takes a descriptor in
both. When all are open, each client sends lines and checks every byte of the answers. Then all are
closed, and nothing may be left in either process: no descriptor, no task, no memory.

    python -m tests.load --connections 10000 --loop miniloop
    python -m tests.load --soak 600      again and again, for ten minutes

The soft limit of open files is raised within the hard one. If that is not enough, fewer connections
are opened, and the report says how many. Exit status 1 if a byte is wrong or anything is left.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import miniloop
import miniloop.interop

ROOT = Path(__file__).parents[1]
LOOPS: dict[str, tuple[ModuleType, Callable[[], Any]]] = {
    "asyncio": (asyncio, asyncio.new_event_loop),
    "miniloop": (miniloop, miniloop.new_event_loop),
    "interop": (asyncio, miniloop.interop.EventLoop),
}
SPARE = 100  # descriptors for all but the connections
AT_ONCE = 200  # connections that are being opened at the same time
LINES = 3  # sent over each connection
LENGTH = 2_000  # of the longest line, in bytes
WARM_UP = 1_000  # connections before the measuring: what Python keeps for reuse is kept then


@dataclass
class Left:
    """What a process has, or has more than before."""

    descriptors: int
    tasks: int
    blocks: int
    """Blocks of memory, as Python allocates them: an object is one or two."""


@dataclass
class Result:
    """What one round of load came to."""

    wanted: int
    connections: int
    """How many fitted into the limit of open files."""
    at_once: int
    """How many the server had open at the same time."""
    checked: int
    """Bytes that were sent, came back, and were compared."""
    wrong: int
    """Connections over which something else came back."""
    seconds: float
    server: Left
    client: Left

    def problems(self) -> list[str]:
        """Say what is wrong; nothing, if all is well."""
        found = []
        if self.at_once != self.connections:
            found.append(f"only {self.at_once:,} of {self.connections:,} were open at once")
        if self.wrong:
            found.append(f"{self.wrong:,} connections did not bring back what was sent")
        for name, left in (("server", self.server), ("client", self.client)):
            if left.descriptors or left.tasks:
                found.append(f"{name}: {left.descriptors} descriptors, {left.tasks} tasks left")
            # Python keeps some blocks for reuse. A leak is at least one block for each connection.
            if left.blocks > 100 + self.connections // 10:
                found.append(f"{name}: {left.blocks:,} blocks of memory left")
        return found


def raise_limit(connections: int) -> int:
    """Make room for so many descriptors; return how many connections fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return min(connections, wanted - SPARE)


async def measure(aio: Any, before: Left | None = None) -> Left:
    """Return what there is now, or how much more than before."""
    await aio.sleep(0)  # the step that has waited for the clients holds them all until it ends
    gc.collect()
    now = Left(len(os.listdir("/dev/fd")), len(aio.all_tasks()), sys.getallocatedblocks())
    if before is None:
        return now
    return Left(
        now.descriptors - before.descriptors,
        now.tasks - before.tasks,
        now.blocks - before.blocks,
    )


# -- the server ------------------------------------------------------------------------------------


class Server:
    """Sends every line back."""

    def __init__(self, aio: Any) -> None:
        self.aio = aio
        self.open = self.most = 0

    async def echo(self, reader: Any, writer: Any) -> None:
        """Serve one connection."""
        self.open += 1
        self.most = max(self.most, self.open)
        async for line in reader:
            writer.write(line)
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        self.open -= 1


async def serve(kind: str, wanted: int) -> Result:
    """Serve the clients of a child process."""
    aio = LOOPS[kind][0]
    loop = aio.get_running_loop()
    connections = raise_limit(wanted)
    server = Server(aio)
    listening = await aio.start_server(server.echo, "127.0.0.1", 0, backlog=AT_ONCE)
    port = listening.sockets[0].getsockname()[1]

    async def clients(count: int) -> dict[str, Any]:
        command = [sys.executable, "-m", "tests.load", "--client", str(port)]
        options = ["--connections", str(count), "--loop", kind]
        with subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            said = await loop.run_in_executor(None, child.stdout.read)
        while server.open:
            await aio.sleep(0.001)
        return json.loads(said)  # type: ignore[no-any-return]

    await clients(min(connections, WARM_UP))
    server.most = 0
    before = await measure(aio)
    started = time.monotonic()
    told = await clients(connections)
    seconds = time.monotonic() - started
    left = await measure(aio, before)
    listening.close()
    await listening.wait_closed()
    return Result(
        wanted,
        connections,
        server.most,
        told["checked"],
        told["wrong"],
        seconds,
        left,
        Left(**told["left"]),
    )


# -- the clients -----------------------------------------------------------------------------------


async def be_clients(kind: str, port: int, connections: int) -> dict[str, Any]:
    """Open connections, use them when all are open, and close them."""
    aio = LOOPS[kind][0]
    await talk(aio, port, min(connections, WARM_UP))
    before = await measure(aio)
    checked, wrong = await talk(aio, port, connections)
    return {"checked": checked, "wrong": wrong, "left": asdict(await measure(aio, before))}


async def talk(aio: Any, port: int, connections: int) -> tuple[int, int]:
    """Return how many bytes were checked, and over how many connections they were wrong."""
    room = aio.Semaphore(AT_ONCE)
    all_open = aio.Barrier(connections)

    async def client(number: int) -> int:
        async with room:
            reader, writer = await aio.open_connection("127.0.0.1", port)
            writer.write(b"I am here\n")
            assert await reader.readline() == b"I am here\n"
        await all_open.wait()
        chance = random.Random(number)
        checked = 0
        for _ in range(LINES):
            line = chance.randbytes(chance.randrange(LENGTH)).replace(b"\n", b".") + b"\n"
            writer.write(line)
            await writer.drain()
            if await reader.readline() != line:
                checked = -1
                break
            checked += len(line)
        writer.write_eof()
        if await reader.read() != b"":
            checked = -1
        writer.close()
        await writer.wait_closed()
        return checked

    counts = await aio.gather(*[client(number) for number in range(connections)])
    return sum(count for count in counts if count > 0), counts.count(-1)


# -- the command -----------------------------------------------------------------------------------


def run(kind: str, main: Any) -> Any:
    """Run a coroutine on a loop of that kind."""
    with LOOPS[kind][0].Runner(loop_factory=LOOPS[kind][1]) as runner:
        return runner.run(main)


def load(kind: str, connections: int) -> Result:
    """Run one round."""
    return run(kind, serve(kind, connections))  # type: ignore[no-any-return]


def report(result: Result) -> bool:
    """Print a result; return True if all is well."""
    fitted = result.connections
    if fitted < result.wanted:
        print(f"only {fitted:,} of {result.wanted:,} connections fit the limit of open files")
    print(
        f"{result.at_once:,} connections at once, {result.checked:,} bytes checked, "
        f"{result.seconds:.1f} s; left in the server {result.server}, in the client {result.client}"
    )
    for problem in result.problems():
        print(f"WRONG: {problem}")
    return not result.problems()


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--loop", choices=LOOPS, default="miniloop")
    parser.add_argument("--soak", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--client", type=int, metavar="PORT", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.connections < 1:
        parser.error("--connections: must be 1 or more")
    if args.client is not None:
        raise_limit(args.connections)
        print(json.dumps(run(args.loop, be_clients(args.loop, args.client, args.connections))))
        return 0
    end = time.monotonic() + args.soak
    while True:
        if not report(load(args.loop, args.connections)):
            return 1
        if time.monotonic() >= end:
            return 0


if __name__ == "__main__":
    sys.exit(main())
