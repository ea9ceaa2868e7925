"""asyncio's subprocesses on miniloop. 3.11 has a thread wait for the child, 3.12 a descriptor."""

import asyncio
import asyncio.subprocess
import signal
import sys
from typing import Any

import pytest

from tests.ecosystem.on_interop import assert_on_miniloop, run

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="selector loops have no subprocesses there"
)

PIPE = asyncio.subprocess.PIPE


async def python(program: str, **options: Any) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-c", program, **options)


def test_communicate() -> None:
    program = """
import sys
text = sys.stdin.read()
print(text[::-1])
print(len(text), file=sys.stderr)
sys.exit(3)
"""

    async def talk(number: int) -> None:
        assert_on_miniloop()
        process = await python(program, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        text = f"{number}" * 50_000
        stdout, stderr = await process.communicate(text.encode())
        assert stdout.decode().strip() == text[::-1]
        assert (int(stderr), process.returncode) == (len(text), 3)

    async def main() -> None:
        await asyncio.gather(*[talk(number) for number in range(4)])

    run(main())


def test_line_by_line() -> None:
    async def main() -> None:
        process = await python(
            "for line in iter(input, 'end'): print(line.upper(), flush=True)",
            stdin=PIPE,
            stdout=PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        for word in ("one", "two", "three"):
            process.stdin.write(f"{word}\n".encode())
            await process.stdin.drain()
            assert (await process.stdout.readline()).decode().strip() == word.upper()
        process.stdin.write(b"end\n")
        assert await process.stdout.read() == b""
        assert await process.wait() == 0
        process.stdin.close()

    run(main())


def test_kill_and_terminate() -> None:
    async def main() -> None:
        for stop, number in (("kill", signal.SIGKILL), ("terminate", signal.SIGTERM)):
            process = await python("import time; time.sleep(60)")
            getattr(process, stop)()
            assert await process.wait() == -number
            with pytest.raises(ProcessLookupError):
                process.kill()

    run(main())


def test_a_timeout() -> None:
    async def main() -> None:
        process = await python("input()", stdin=PIPE, stdout=PIPE)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(process.wait(), 0.01)
        assert process.returncode is None
        await process.communicate(b"\n")  # it is not harmed
        assert process.returncode == 0

    run(main())


def test_a_program_that_is_not_there() -> None:
    async def main() -> None:
        with pytest.raises(FileNotFoundError):
            await asyncio.create_subprocess_exec("/no/such/program")
        shell = await asyncio.create_subprocess_shell("exit 7")
        assert await shell.wait() == 7

    run(main())
