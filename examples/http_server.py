"""A small HTTP server that a browser can open: run it with `--serve`, end it with Ctrl-C.

Without `--serve` (or `--serve PORT`) it fetches pages of its own, prints what it gets, and ends.
"""

import asyncio
import html
import sys
from urllib.parse import unquote_plus, urlsplit

PAGE = """\
<!doctype html>
<title>miniature</title>
<h1>Hello, {name}!</h1>
<form>What is your name? <input name="name" autofocus> <button>Greet me</button></form>
<p>This page has been served {count} times.</p>
"""


class Site:
    def __init__(self):
        self.count = 0

    def page(self, path):
        url = urlsplit(path)
        if url.path != "/":
            return "404 Not Found", f"There is nothing at {html.escape(url.path)}.\n"
        self.count += 1
        name = unquote_plus(url.query.removeprefix("name=")) or "stranger"
        return "200 OK", PAGE.format(name=html.escape(name), count=self.count)

    async def answer(self, reader, writer):
        """Answer one request after the other, for as long as the browser keeps the connection."""
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                method, path, _ = request.decode("latin-1").split(maxsplit=2)
                status, text = self.page(path)
                body = text.encode()
                head = [
                    f"HTTP/1.1 {status}",
                    "Content-Type: text/html; charset=utf-8",
                    f"Content-Length: {len(body)}",
                ]
                writer.write("\r\n".join([*head, "", ""]).encode())
                if method != "HEAD":
                    writer.write(body)
                await writer.drain()
        except (
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            ConnectionError,
            ValueError,
        ):
            writer.close()  # the browser has gone, or the client was no browser


async def fetch(reader, writer, method, path):
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    print(f"{method} {path} -> {head.splitlines()[0]}")
    length = int(head.partition("Content-Length: ")[2].split()[0])
    if method != "HEAD":
        print((await reader.readexactly(length)).decode())


async def main():
    serve = sys.argv[1:2] == ["--serve"]
    port = int((sys.argv[2:] or ["8000"])[0]) if serve else 0
    server = await asyncio.start_server(Site().answer, "127.0.0.1", port)
    port = server.sockets[0].getsockname()[1]
    if serve:
        print(f"Open http://127.0.0.1:{port}/ in a browser. Ctrl-C ends the server.", flush=True)
        await asyncio.Event().wait()  # serve_forever() would wait for all browsers to hang up

    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await fetch(reader, writer, "GET", "/?name=Grace+Hopper")
    await fetch(reader, writer, "HEAD", "/")
    await fetch(reader, writer, "GET", "/cellar")
    await fetch(reader, writer, "GET", "/?name=%3Cb%3EBobby%3C/b%3E")
    writer.close()
    await writer.wait_closed()
    server.close()


try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("The server has ended.")
