import asyncio
import logging
import sys
import time

logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(levelname)s %(name)s")


async def main():
    logging.warning("slow")
    time.sleep(0.5)
    await asyncio.sleep(0.1)
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0.1)


asyncio.run(main(), debug=True)
