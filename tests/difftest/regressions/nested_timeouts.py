"""Of nested timeouts the one that expires raises; the other sees no cancel (PR 31394)."""

import asyncio


async def main():
    for inner, outer in ((0.01, 0.02), (0.02, 0.01), (0.01, 0.01), (None, 0.01)):
        try:
            async with asyncio.timeout(outer) as a:
                try:
                    async with asyncio.timeout(inner) as b:
                        await asyncio.sleep(1)
                except TimeoutError:
                    print("inner", b.expired(), asyncio.current_task().cancelling())
                    await asyncio.sleep(1)
        except TimeoutError:
            print("outer", a.expired(), b.expired(), asyncio.current_task().cancelling())


asyncio.run(main())
