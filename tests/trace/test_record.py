"""A coroutine can be traced in its own process, too."""

import asyncio

import jsonschema
import pytest

import miniloop
from miniloop.trace.explain import explained
from miniloop.trace.tracing import record

from .test_formats import SCHEMA

LOOPS = [(miniloop, miniloop.EventLoop), (asyncio, asyncio.SelectorEventLoop)]


@pytest.mark.parametrize(("library", "loop_class"), LOOPS, ids=["miniloop", "asyncio"])
def test_a_coroutine_is_traced(library, loop_class, capsys):
    async def child(seconds):
        await library.sleep(seconds)
        print("slept", seconds)

    async def main():
        await library.gather(child(2), child(1))

    document = record(main(), loop_class)
    jsonschema.validate(document, SCHEMA)
    assert document["loop"] == library.__name__
    assert [row["text"] for row in document["output"]] == ["slept 1", "slept 2"]
    assert document["end"]["kind"] == "finished"
    text = "\n".join(explained(document))
    assert "child-2: runs because its sleep(1), line" in text
    assert "await library.sleep(seconds)" in text
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("library", "loop_class"), LOOPS, ids=["miniloop", "asyncio"])
def test_a_coroutine_that_fails_is_traced(library, loop_class):
    async def main():
        await library.sleep(1)
        raise ValueError("no")

    document = record(main(), loop_class)
    assert document["end"]["kind"] == "exception"
    assert document["end"]["say"] == "The program has ended with ValueError(no)."


@pytest.mark.parametrize(("library", "loop_class"), LOOPS, ids=["miniloop", "asyncio"])
def test_a_deadlock_is_traced_and_nothing_stays_replaced(library, loop_class):
    acquire = library.Lock.acquire

    async def main():
        lock = library.Lock()
        async with lock, lock:
            pass

    document = record(main(), loop_class)
    assert document["end"]["kind"] == "deadlock"
    [waiting] = document["end"]["waiting"]
    assert waiting["for"] == "the Lock of main"
    assert document["end"]["ring"] == [[0]]
    assert library.Lock.acquire is acquire


@pytest.mark.parametrize(("library", "loop_class"), LOOPS, ids=["miniloop", "asyncio"])
def test_a_coroutine_that_is_over_makes_a_task_that_fails(library, loop_class):
    async def child():
        pass

    async def main():
        over = child()
        with pytest.raises(StopIteration):
            over.send(None)
        with pytest.raises(RuntimeError, match="cannot reuse"):
            await library.create_task(over)
        sleep = library.sleep(0)
        sleep.send(None)
        sleep.close()
        with pytest.raises(RuntimeError, match="cannot reuse"):
            await library.create_task(sleep)

    assert record(main(), loop_class)["end"]["kind"] == "finished"


def test_too_many_ticks_and_steps_end_a_recording():
    async def main():
        while True:
            await miniloop.sleep(0)

    assert record(main(), most_ticks=20)["end"]["kind"] == "endless"
    document = record(main(), most_ticks=100, most_steps=30)
    assert document["end"]["kind"] == "cut"
    assert len(document["steps"]) == 31
