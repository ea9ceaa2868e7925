import asyncio
import logging
import logging.handlers
import queue
import sys
import time

records = queue.Queue()
logging.basicConfig(level=logging.INFO, handlers=[logging.handlers.QueueHandler(records)])
out = logging.StreamHandler(sys.stdout)
out.setFormatter(logging.Formatter("%(name)s %(threadName)s %(message)s"))
listener = logging.handlers.QueueListener(records, out)


def work(number):
    log = logging.getLogger(f"worker{number}")
    for step in range(3):
        log.info("step %d", step)
        time.sleep(0.1 * number)


async def main():
    await asyncio.gather(*(asyncio.to_thread(work, number) for number in (1, 2, 3)))
    logging.info("all done")


listener.start()
asyncio.run(main())
listener.stop()
