"""What multiprocessing starts afresh runs the script as its parent does."""

import multiprocessing
from pathlib import Path
from textwrap import dedent

import pytest

from tests.cli.both_ways import Ended, on_miniloop, on_python

pytestmark = pytest.mark.long

METHODS = [name for name in multiprocessing.get_all_start_methods() if name != "fork"]

CLASSES_AND_TASKS = """
    import asyncio
    import concurrent.futures
    import multiprocessing
    import sys

    class Box:
        def __init__(self, value):
            self.value = value

    class BoxError(Exception):
        pass

    async def in_box(value):
        await asyncio.sleep(0)
        return Box(value)

    def work(value):
        if value is None:
            raise BoxError(__name__, Box.__module__, sys.argv[1:])
        return asyncio.run(in_box(value))

    async def main(method):
        context = multiprocessing.get_context(method)
        loop = asyncio.get_running_loop()
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
            box = await loop.run_in_executor(pool, work, Box("in a box"))
            print(type(box).__name__, box.value.value, type(box) is Box)
            try:
                await loop.run_in_executor(pool, work, None)
            except BoxError as error:
                print(error)

    if __name__ == "__main__":
        asyncio.run(main(sys.argv[1]))
"""

WHOSE = """
    import asyncio, multiprocessing, runpy, sys
    import beside

    whose = type(asyncio.new_event_loop()).__module__
    if __name__ == "__mp_main__":
        print("imported with", whose, beside.WHOSE, flush=True)

    def grandchild(place):
        print(place, __name__, whose, beside.WHOSE, flush=True)

    def child(method):
        grandchild("child")
        print(runpy.run_path("elsewhere.py")["WHOSE"], flush=True)
        run(method, grandchild, "grandchild")

    def run(method, target, *args):
        process = multiprocessing.get_context(method).Process(target=target, args=args)
        process.start()
        process.join()
        assert process.exitcode == 0

    if __name__ == "__main__":
        run(sys.argv[1], child, sys.argv[1])
"""


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(dedent(text))


@pytest.mark.parametrize("way", ["--core", "--interop"])
@pytest.mark.parametrize("method", METHODS)
def test_classes_come_back(method: str, way: str, tmp_path: Path) -> None:
    write(tmp_path, script=CLASSES_AND_TASKS)
    ours = on_miniloop(tmp_path, way, "script.py", method)
    assert ours == on_python(tmp_path, "script.py", method)
    assert ours.stdout.startswith("Box in a box True\n")


@pytest.mark.parametrize("way", ["--core", "--interop"])
@pytest.mark.parametrize("method", METHODS)
def test_whose_asyncio_they_get(method: str, way: str, tmp_path: Path) -> None:
    module = "import asyncio\nWHOSE = type(asyncio.new_event_loop()).__module__"
    write(tmp_path, script=WHOSE, beside=module, elsewhere=module)
    theirs = on_python(tmp_path, "-W", "ignore", "script.py", method)
    ours = on_miniloop(tmp_path, way, "script.py", method, options=["-W", "ignore"])
    assert "grandchild __mp_main__ asyncio.unix_events" in theirs.stdout
    loops = {"--core": "miniloop.io.event_loop", "--interop": "miniloop.interop"}[way]
    assert ours == Ended(theirs.stdout.replace("asyncio.unix_events", loops), "", 0)


def test_from_a_copy_that_is_not_installed(tmp_path: Path) -> None:
    """The new process need not find miniloop by itself."""
    write(tmp_path, script=CLASSES_AND_TASKS)
    root = Path(__file__).parents[2]
    command = f"import sys; sys.path.insert(0, {str(root)!r}); import miniloop.cli as cli; "
    command += f"sys.path.remove({str(root)!r}); cli.main(['run', 'script.py', 'spawn'])"
    ours = on_python(tmp_path, "-E", "-S", "-c", command)
    assert ours == on_python(tmp_path, "script.py", "spawn")
