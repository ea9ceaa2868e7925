import asyncio
import signal
import time


def alarm(*_):
    print("alarm")


async def main():
    signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    time.sleep(1)
    print("slept")
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    await asyncio.sleep(1)
    print("slept again")


asyncio.run(main())
