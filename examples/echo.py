"""A server answers every line with the same line, and several clients talk to it at once.

Each connection is a coroutine of its own, with a reader and a writer. While one waits for its
client, the others go on.
"""

import asyncio


async def echo(reader, writer):
    async for line in reader:
        writer.write(line)
        await writer.drain()  # waits if the client does not read
    writer.close()
    await writer.wait_closed()


async def client(name, port, words):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for word in words:
        writer.write(f"{word}\n".encode())
        await writer.drain()
        answers.append((await reader.readline()).decode().strip())
    writer.write_eof()  # nothing more to say; the server's loop ends, and it hangs up
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    return f"{name} hears: {' '.join(answers)}"


async def main():
    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        heard = await asyncio.gather(
            client("Ann", port, ["is", "there", "anybody?"]),
            client("Bob", port, ["hello", "valley"]),
            client("Cleo", port, ["echo"] * 4),
        )
    print("\n".join(heard))


asyncio.run(main())
