import asyncio
import subprocess
import sys


async def main():
    command = [sys.executable, "-c", "import time; time.sleep(0.3); print('from a child')"]
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)
    print(ended.stdout.decode().strip())


asyncio.run(main())
