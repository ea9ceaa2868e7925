"""A chat room: what one guest says, all the others hear.

The room is a set of writers. A guest who does not read would make everyone wait in `drain()`. So
each guest has a queue, and a task that takes messages from it and writes them.
"""

import asyncio


class Room:
    def __init__(self):
        self.guests = {}

    def say(self, text, but=None):
        for name, queue in self.guests.items():
            if name != but:
                queue.put_nowait(f"{text}\n".encode())

    async def welcome(self, reader, writer):
        name = (await reader.readline()).decode().strip()
        queue = self.guests[name] = asyncio.Queue()
        telling = asyncio.create_task(self.tell(queue, writer))
        self.say(f"* {name} has come in; here are {', '.join(self.guests)}")
        async for line in reader:
            self.say(f"{name}: {line.decode().strip()}", but=name)
        del self.guests[name]
        self.say(f"* {name} has left")
        telling.cancel()
        writer.close()

    async def tell(self, queue, writer):
        while True:
            writer.write(await queue.get())
            await writer.drain()


class Guest:
    def __init__(self, name, port):
        self.name = name
        self.port = port

    async def enter(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.say(self.name)

    def say(self, text):
        self.writer.write(f"{text}\n".encode())

    async def hear(self):
        line = (await self.reader.readline()).decode().strip()
        print(f"{self.name + ' hears':<10} | {line}")

    async def leave(self):
        self.writer.close()
        await self.writer.wait_closed()


async def main():
    server = await asyncio.start_server(Room().welcome, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    ann, bob, cleo = inside = [Guest(name, port) for name in ("Ann", "Bob", "Cleo")]
    for number, guest in enumerate(inside, start=1):
        await guest.enter()
        for other in inside[:number]:
            await other.hear()

    cleo.say("Is it always so quiet here?")
    await ann.hear()
    await bob.hear()
    bob.say("Only while nobody speaks.")
    await ann.hear()
    await cleo.hear()

    await ann.leave()
    await bob.hear()
    await cleo.hear()
    await bob.leave()
    await cleo.hear()
    await cleo.leave()
    server.close()


asyncio.run(main())
