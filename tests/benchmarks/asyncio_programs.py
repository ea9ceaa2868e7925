"""The work in asyncio's words. ``aio`` is the module that it runs on: asyncio or miniloop.

Each program returns what it took by ``clock`` and what it computed; ``expected()`` says what that
must be.
"""

import concurrent.futures
import gc
import random
from collections.abc import Awaitable, Callable
from typing import Any

Clock = Callable[[], float]


async def take_turns(sleep: Callable[[float], Awaitable[Any]], turns: int) -> int:
    """The body of the switching work, on every loop that awaits."""
    for _ in range(turns):
        await sleep(0)
    return turns


async def switching(aio: Any, size: int, clock: Clock) -> tuple[float, int]:
    """100 tasks hand each other the processor."""
    tasks = [aio.create_task(take_turns(aio.sleep, size // 100)) for _ in range(100)]
    start = clock()
    turns = [await task for task in tasks]
    return clock() - start, sum(turns)


async def futures(aio: Any, size: int, clock: Clock) -> tuple[float, int]:
    """100 pairs of tasks; each task waits for a future of its own and ends its partner's."""
    create_future = aio.get_running_loop().create_future

    async def player(table: list[Any], mine: int, theirs: int, rounds: int) -> int:
        total = 0
        for number in range(rounds):
            total += await table[mine]
            table[mine] = create_future()
            table[theirs].set_result(number)
        return total

    rounds = size // 200
    start = clock()
    players = []
    for _ in range(100):
        table = [create_future(), create_future()]
        table[0].set_result(0)
        players += [
            aio.create_task(player(table, 0, 1, rounds)),
            aio.create_task(player(table, 1, 0, rounds)),
        ]
    totals = [await task for task in players]
    return clock() - start, sum(totals)


async def add_one(number: int) -> int:
    return number + 1


async def spawning(aio: Any, size: int, clock: Clock) -> tuple[float, int]:
    """Tasks in batches of 100, each awaited."""
    total = 0
    start = clock()
    for _ in range(size // 100):
        tasks = [aio.create_task(add_one(number)) for number in range(100)]
        for task in tasks:
            total += await task
    return clock() - start, total


async def call_soon_chain(aio: Any, size: int, clock: Clock) -> tuple[float, int]:
    """A callback that puts itself into the queue again: one per tick."""
    loop = aio.get_running_loop()
    done = loop.create_future()
    count = 0

    def again() -> None:
        nonlocal count
        count += 1
        if count < size:
            loop.call_soon(again)
        else:
            done.set_result(None)

    start = clock()
    loop.call_soon(again)
    await done
    return clock() - start, count


async def call_soon_batch(aio: Any, size: int, clock: Clock) -> tuple[float, int]:
    """1,000 callbacks with an argument in each tick."""
    loop = aio.get_running_loop()
    total = 0

    def add(number: int) -> None:
        nonlocal total
        total += number

    start = clock()
    for _ in range(size // 1000):
        for number in range(1000):
            loop.call_soon(add, number)
        await aio.sleep(0)
    return clock() - start, total


def delays(size: int) -> list[float]:
    """The same delays on every loop, in no order, within a twentieth of a second."""
    generator = random.Random(20_260)
    return [generator.random() / 20 for _ in range(size)]


async def timers_fired(aio: Any, size: int, clock: Clock) -> tuple[float, int]:
    """All timers set at once, and each calls back when its time has come."""
    loop = aio.get_running_loop()
    done = loop.create_future()
    waits = delays(size)
    fired = 0

    def fire() -> None:
        nonlocal fired
        fired += 1
        if fired == size:
            done.set_result(None)

    start = clock()
    for delay in waits:
        loop.call_later(delay, fire)
    await done
    return clock() - start, fired


async def timers_cancelled(aio: Any, size: int, clock: Clock) -> tuple[float, int]:
    """All timers set and, as timeouts that were not needed, cancelled; the loop sweeps them out."""
    loop = aio.get_running_loop()
    waits = delays(size)

    def fire() -> None:
        raise AssertionError("a cancelled timer was called")

    start = clock()
    timers = [loop.call_later(60 + delay, fire) for delay in waits]
    for timer in timers:
        timer.cancel()
    await aio.sleep(0)
    await aio.sleep(0)
    return clock() - start, sum(timer.cancelled() for timer in timers)


async def gather(aio: Any, size: int, clock: Clock) -> tuple[float, int]:
    """One gather of many coroutines."""
    start = clock()
    numbers = await aio.gather(*[add_one(number) for number in range(size)])
    return clock() - start, sum(numbers)


async def queue(aio: Any, size: int, clock: Clock) -> tuple[float, int]:
    """Two tasks, two queues, one number that goes to and fro."""
    there, back = aio.Queue(), aio.Queue()

    async def answer() -> None:
        for _ in range(size):
            await back.put(await there.get() + 1)

    start = clock()
    answering = aio.create_task(answer())
    number = 0
    for _ in range(size):
        await there.put(number)
        number = await back.get()
    await answering
    return clock() - start, number


async def lock(aio: Any, size: int, clock: Clock) -> tuple[float, int]:
    """100 tasks, one lock; its holder lets the others run before it lets go."""
    mutex = aio.Lock()
    count = 0

    async def worker(turns: int) -> None:
        nonlocal count
        for _ in range(turns):
            async with mutex:
                before = count
                await aio.sleep(0)
                count = before + 1  # wrong if anyone else had the lock meanwhile

    start = clock()
    tasks = [aio.create_task(worker(size // 100)) for _ in range(100)]
    for task in tasks:
        await task
    return clock() - start, count


def increment(number: int) -> int:
    return number + 1


async def executor(aio: Any, size: int, clock: Clock) -> tuple[float, int]:
    """One thread; the next job goes there when the one before has come back."""
    loop = aio.get_running_loop()
    number = 0
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        await loop.run_in_executor(pool, increment, 0)  # starts the thread
        start = clock()
        for _ in range(size):
            number = await loop.run_in_executor(pool, increment, number)
        return clock() - start, number


async def echo(aio: Any, size: int, clock: Clock) -> tuple[float, int]:
    """10 clients of one server over 127.0.0.1, all in this process: a line there and back."""
    handlers = []

    async def answer(reader: Any, writer: Any) -> None:
        handlers.append(aio.current_task())
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def client(port: int, turns: int) -> int:
        reader, writer = await aio.open_connection("127.0.0.1", port)
        right = 0
        for number in range(turns):
            line = b"%d\n" % number
            writer.write(line)
            await writer.drain()
            right += await reader.readline() == line
        writer.close()
        await writer.wait_closed()
        return right

    server = await aio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    start = clock()
    right = await aio.gather(*[client(port, size // 10) for _ in range(10)])
    taken = clock() - start
    await aio.gather(*handlers)
    server.close()
    await server.wait_closed()
    return taken, sum(right)


async def aiohttp(aio: Any, size: int, clock: Clock) -> tuple[float, int]:
    """20 clients of one server over 127.0.0.1, all in this process: a request, the next, ..."""
    import aiohttp
    from aiohttp import web

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=request.path)

    async def client(session: aiohttp.ClientSession, turns: int) -> int:
        right = 0
        for number in range(turns):
            async with session.get(f"/{number}") as response:
                right += await response.text() == f"/{number}"
        return right

    app = web.Application()
    app.router.add_get("/{number}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession(address) as session:
        start = clock()
        right = await aio.gather(*[client(session, size // 20) for _ in range(20)])
        taken = clock() - start
    await runner.cleanup()
    return taken, sum(right)


async def memory(aio: Any, size: int, resident: Clock) -> tuple[float, int]:
    """Tasks that wait, each for a future of its own."""
    loop = aio.get_running_loop()

    async def park(future: Any) -> None:
        await future

    tasks: list[Any] = [None] * size
    gc.collect()
    before = resident()
    for number in range(size):
        tasks[number] = aio.create_task(park(loop.create_future()))
    await aio.sleep(0)
    taken = resident() - before
    parked = len(aio.all_tasks()) - 1
    for task in tasks:
        task.cancel()
    await aio.gather(*tasks, return_exceptions=True)
    return taken / size, parked


def expected(work: str, size: int) -> int:
    """Return what the program must have computed."""
    match work:
        case "futures":
            rounds = size // 200  # the first in each pair waits for 0, 0, 1, ..., rounds - 2
            return 100 * (sum(range(rounds)) + sum(range(rounds - 1)))
        case "spawning":
            return size // 100 * sum(range(1, 101))
        case "call_soon_batch":
            return size // 1000 * sum(range(1000))
        case "gather":
            return sum(range(1, size + 1))
        case _:
            return size
