import time

import anyio
import anyio.to_thread


async def child(number, results):
    await anyio.sleep(0.1 * number)
    await anyio.to_thread.run_sync(time.sleep, 0.2)
    results.append(number)
    print("child", number)


async def main():
    results = []
    async with anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(child, number, results)
    with anyio.move_on_after(1) as scope:
        await anyio.sleep(5)
    print(results, scope.cancelled_caught)


anyio.run(main)
