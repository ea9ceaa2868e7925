import asyncio
import socket


async def main():
    loop = asyncio.get_running_loop()
    one, other = socket.socketpair()
    for end in (one, other):
        end.setblocking(False)
    receiving = asyncio.create_task(loop.sock_recv(one, 100))
    await asyncio.sleep(0.01)
    await loop.sock_sendall(other, b"hello")
    print(await receiving)
    one.close()
    other.close()


asyncio.run(main())
