"""Where the standard library looks asyncio up by itself, it meets what the script has."""

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.cli.both_ways import on_miniloop, on_python

PATCHES = """
    import asyncio, beside
    from unittest import mock
    from unittest.mock import patch as patched

    async def child():
        return await asyncio.sleep(0, "asleep")

    NAME = "asyncio.sleep"

    @patched(NAME, return_value="decorated")
    def decorated(sleep):
        print(asyncio.run(child()), asyncio.run(beside.child()), sleep.await_count)

    decorated()
    with mock.patch("asyncio.sleep", new=mock.AsyncMock(return_value="in a block")) as sleep:
        print(asyncio.run(child()), sleep.mock_calls)
    with mock.patch.multiple("asyncio", sleep=mock.DEFAULT, wait=1) as several:
        several["sleep"].return_value = "one of several"
        print(asyncio.run(child()), asyncio.wait, list(several))
    with mock.patch.dict("asyncio.__dict__", sleep=lambda *_: asyncio.Queue().get()):
        with mock.patch("asyncio.Queue.get", return_value="method"):
            print(asyncio.run(child()))
    with mock.patch.object(asyncio, "sleep", return_value="object"):
        print(asyncio.run(child()))
    with mock.patch("beside.asyncio.sleep", return_value="beside"):
        print(asyncio.run(child()))
    with mock.patch("asyncio.tasks.sleep"):
        print(asyncio.run(child()), type(asyncio.tasks.sleep).__name__)
    print(asyncio.run(child()))
    try:
        mock.patch("asyncio.no_such_thing").start()
    except AttributeError as error:
        print(str(error).rpartition(">")[2])
    try:
        mock.patch("asyncio_of_ours.sleep").start()
    except ModuleNotFoundError as error:
        print(error)
"""

BESIDE = """
    import asyncio
    async def child():
        return await asyncio.sleep(0, "asleep beside")
"""

LOGS = """
    import asyncio, logging, sys

    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(name)s %(taskName)s: %(message)s"
    )

    class Record(logging.LogRecord):
        def getMessage(self):
            return "recorded " + super().getMessage()

    class Nameless(asyncio.Task):
        def get_name(self):
            raise ValueError("no name")

    async def child():
        logging.info("in child")
        await asyncio.to_thread(logging.info, "in a thread")

    async def main():
        logging.getLogger("another").info("in main")
        asyncio.current_task().set_name("a new name")
        logging.info("renamed")
        await asyncio.create_task(child(), name="the child")
        loop = asyncio.get_running_loop()
        loop.call_soon(logging.info, "in a callback")
        await asyncio.sleep(0)
        await Nameless(child())
        logging.logAsyncioTasks = False
        logging.info("not asked for")
        logging.logAsyncioTasks = True
        logging.setLogRecordFactory(Record)
        logging.info("by a factory")
        print(logging.makeLogRecord({"msg": "made"}).taskName)

    logging.info("before")
    asyncio.run(main())
    logging.info("after")
"""


def test_mock_patches_what_the_script_has(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(dedent(PATCHES))
    (tmp_path / "beside.py").write_text(dedent(BESIDE))
    ours = on_miniloop(tmp_path, "--core", "script.py")
    assert ours == on_python(tmp_path, "script.py")
    assert ours.stdout.startswith("decorated decorated 2\n")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="logging has no taskName")
def test_logs_name_the_task(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(dedent(LOGS))
    ours = on_miniloop(tmp_path, "--core", "script.py")
    assert ours == on_python(tmp_path, "script.py")
    assert "root the child: in child\n" in ours.stdout
