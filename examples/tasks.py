"""An await waits until a coroutine has ended, but a task runs beside you.

Breakfast is made twice. The first cook stands by the eggs until they are done, and only then thinks
of the toast. The second cook puts both on the stove, and the toast is ready first.
"""

import asyncio


async def cook(dish, seconds):
    print(f"  {dish} on the stove")
    await asyncio.sleep(seconds)
    print(f"  {dish} on the plate")


async def main():
    print("Two awaits, one after the other:")
    await cook("eggs", 0.2)
    await cook("toast", 0.1)

    print("Two tasks, side by side:")
    eggs = asyncio.create_task(cook("eggs", 0.2))
    toast = asyncio.create_task(cook("toast", 0.1))
    print("  (both ordered, none begun: a task starts when the cook next has to wait)")
    await eggs
    await toast


asyncio.run(main())
