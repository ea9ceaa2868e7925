"""A crawler follows every link of a site, never with more than three connections at a time.

The workers share a queue of pages to fetch. The site is a server in the same program, which counts
how many visitors it has at once.
"""

import asyncio
import re

SITE = {
    "/": "Welcome. <a href='/fish'> <a href='/birds'> <a href='/beasts'>",
    "/fish": "<a href='/fish/cod'> <a href='/fish/eel'> <a href='/'>",
    "/birds": "<a href='/birds/owl'> <a href='/birds/jay'> <a href='/birds/dodo'>",
    "/beasts": "<a href='/beasts/ox'> <a href='/fish'>",
    "/fish/cod": "Cold.",
    "/fish/eel": "Long. <a href='/fish/cod'>",
    "/birds/owl": "Wise.",
    "/birds/jay": "Blue.",
    "/beasts/ox": "Strong. <a href='/beasts'>",
}
WORKERS = 3


class Site:
    def __init__(self):
        self.visitors = self.most = 0

    async def answer(self, reader, writer):
        self.visitors += 1
        self.most = max(self.most, self.visitors)
        request = await reader.readuntil(b"\r\n\r\n")
        path = request.split()[1].decode()
        await asyncio.sleep(0.01)  # somewhere a disk turns
        status = "200 OK" if path in SITE else "404 Not Found"
        writer.write(f"HTTP/1.0 {status}\r\n\r\n{SITE.get(path, '')}".encode())
        writer.close()
        await writer.wait_closed()
        self.visitors -= 1


async def fetch(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return head.split(maxsplit=1)[1], body


async def worker(port, queue, seen, found):
    while True:
        path = await queue.get()
        status, body = await fetch(port, path)
        found[path] = status
        for link in re.findall(r"href='(.*?)'", body):
            if link not in seen:
                seen.add(link)
                queue.put_nowait(link)
        queue.task_done()


async def main():
    site = Site()
    server = await asyncio.start_server(site.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    queue, seen, found = asyncio.Queue(), {"/"}, {}
    queue.put_nowait("/")
    workers = [asyncio.create_task(worker(port, queue, seen, found)) for _ in range(WORKERS)]
    await queue.join()
    for task in workers:
        task.cancel()
    server.close()

    for path, status in sorted(found.items()):
        print(f"{path:<12} {status}")
    print(f"{len(found)} pages, at most {site.most} connections at a time")


asyncio.run(main())
