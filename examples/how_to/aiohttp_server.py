"""A server and a client of aiohttp, in one program."""

import asyncio

import aiohttp
from aiohttp import web


async def hello(request):
    loop = asyncio.get_running_loop()
    return web.Response(text=f"served by {type(loop).__module__}")


async def main():
    app = web.Application()
    app.router.add_get("/", hello)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    async with aiohttp.ClientSession() as client, client.get(address) as answer:
        print(answer.status, await answer.text())
    await runner.cleanup()


asyncio.run(main())
