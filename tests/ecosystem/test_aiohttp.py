"""aiohttp on miniloop: its server and its client, with TLS, and websockets."""

import asyncio
import contextlib
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp import web

from miniloop import interop
from tests.ecosystem.on_interop import assert_on_miniloop, run

URLS = 200
AT_ONCE = 50


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's and the client's side of TLS, with a certificate that nobody else trusts."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


@contextlib.asynccontextmanager
async def serving(
    handler: Callable[[web.Request], Any], tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Serve every path with one handler; the address is what `async with` gives."""
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        yield f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_200_urls_at_once(tls: bool, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async def main() -> None:
        # Nobody is answered before as many requests are there as there are connections.
        waiting, all_there = 0, asyncio.Event()
        schemes = set()

        async def answer(request: web.Request) -> web.Response:
            nonlocal waiting
            waiting += 1
            if waiting == AT_ONCE:
                all_there.set()
            await all_there.wait()
            schemes.add(request.scheme)
            return web.json_response({"path": request.path, "double": 2 * int(request.path[1:])})

        async def get(session: aiohttp.ClientSession, number: int) -> Any:
            assert_on_miniloop()
            async with session.get(f"/{number}") as response:
                assert response.status == 200
                return await response.json()

        server, client = contexts
        async with serving(answer, server if tls else None) as address:
            connector = aiohttp.TCPConnector(limit=AT_ONCE, ssl=client)
            async with aiohttp.ClientSession(address, connector=connector) as session:
                answers = await asyncio.gather(*[get(session, number) for number in range(URLS)])
        assert answers == [{"path": f"/{n}", "double": 2 * n} for n in range(URLS)]
        assert schemes == {"https" if tls else "http"}
        assert waiting == URLS

    run(main())


def test_an_untrusted_certificate_is_refused(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async def main() -> None:
        async with serving(hello, contexts[0]) as address, aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get(address)

    run(main())


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="hello")


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_websocket_echo(tls: bool, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                if message.data == "bye":
                    await socket.close(code=4000, message=b"as you wish")
                    break
                await socket.send_str(message.data.upper())
            else:
                await socket.send_bytes(message.data[::-1])
        return socket

    async def talk(session: aiohttp.ClientSession, number: int) -> None:
        async with session.ws_connect("/") as socket:
            for turn in range(10):
                await socket.send_str(f"hello {number} {turn}")
                assert await socket.receive_str() == f"HELLO {number} {turn}"
            blob = bytes(range(256)) * 300
            await socket.send_bytes(blob)
            assert await socket.receive_bytes() == blob[::-1]
            await socket.send_str("bye")
            message = await socket.receive()
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 4000)

    async def main() -> None:
        server, client = contexts
        async with serving(echo, server if tls else None) as address:
            connector = aiohttp.TCPConnector(ssl=client)
            async with (
                aiohttp.ClientSession(address, connector=connector) as session,
                asyncio.TaskGroup() as group,
            ):
                for number in range(10):
                    group.create_task(talk(session, number))

    run(main())


def test_a_request_that_takes_too_long_is_given_up_on_both_sides() -> None:
    async def main() -> None:
        time_is_up, cancelled = asyncio.timeout(None), asyncio.Event()

        async def hang(request: web.Request) -> web.Response:
            time_is_up.reschedule(asyncio.get_running_loop().time())
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
            return web.Response()

        async with serving(hang) as address, aiohttp.ClientSession(address) as session:
            with pytest.raises(TimeoutError):
                async with time_is_up:
                    await session.get("/")
            await cancelled.wait()

    run(main())


def test_a_handlers_task() -> None:
    """On 3.12 and 3.13 aiohttp makes its server's tasks itself, and of asyncio's class."""

    async def main() -> None:
        async def answer(request: web.Request) -> web.Response:
            task: Any = asyncio.current_task()
            assert isinstance(task, asyncio.Task)
            assert asyncio.get_running_loop() is task.get_loop()
            kinds = {asyncio.create_task(asyncio.sleep(0)): "made in it", task: "handler"}
            assert kinds.keys() <= asyncio.all_tasks()
            return web.json_response([[name, type(one).__module__] for one, name in kinds.items()])

        async with (
            serving(answer) as address,
            aiohttp.ClientSession(address) as session,
            session.get("/") as response,
        ):
            kinds = dict(await response.json())
        assert kinds["made in it"] == interop.__name__
        itself = (3, 12) <= sys.version_info < (3, 14)
        assert kinds["handler"] == ("_asyncio" if itself else interop.__name__)

    run(main())
