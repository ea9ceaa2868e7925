"""The grammar of programs: one table of operations, each with a line or two of Python.

The template of an operation has fields in braces. The name of a field, without trailing digits, is
the domain of its values, and equal names take equal values. `{here}` becomes a label that is unique
in the program, `{block}` a nested list of operations, and `{depth}` the number of task groups
around the operation.

Programs consist of named functions: coroutines `c0` to `c3`, callbacks `k0` to `k2`, an async
generator `g0`, and a plain generator used as a coroutine, `y0`. A function may only name functions
that come later in `FUNCTIONS`. So no program recurses, and each one ends.

All code that generates, enumerates, shrinks or prints programs reads this one table.
"""

from __future__ import annotations

import functools
import re
import sys
from dataclasses import dataclass

FUNCTIONS = ("c0", "c1", "k0", "g0", "c2", "k1", "y0", "c3", "k2")
PHASES = "phases"

# The simplest values come first, because shrinking moves towards the front. Values are repeated and
# domains are small on purpose: programs find faults where things collide.
DOMAINS: dict[str, tuple[str, ...]] = {
    "n": ("1", "2", "3"),
    "delay": ("0", "0.01", "0.02", "0.01", "0", "0.03", "-1", "0.01001", "0.0105", "0.3"),
    "limit": ("None", "0.01", "0", "0.02", "-1", "0.01001", "0.3"),
    "pause": ("0.005", "0.01", "0.03", "0.2"),
    "f": ("f0", "f1", "f2"),
    "t": ("t1", "t2", "t3"),
    "x": ("f0", "t1", "f1", "t2", "f2", "t3"),
    "h": ("h0", "h1"),
    "e": ("e0", "e1"),
    "l": ("l0", "l1"),
    "s": ("s0", "s1"),
    "d": ("d0",),
    "b": ("b0",),
    "q": ("q0", "q1", "q2"),
    "v": ("v0",),
    "heap": ("110", "95"),
    "args": ("", ", 1", ", 1, 2", ", 1, 2, 3"),
    "message": ("", "'m'"),
    "many": ("", "return_exceptions=True"),
    "when": ("ALL_COMPLETED", "FIRST_COMPLETED"),
    "caught": ("BaseException", "asyncio.CancelledError", "Exception", "TimeoutError"),
    "error": (
        "ValueError(1)",
        "asyncio.CancelledError()",
        "KeyboardInterrupt(2)",
        "ValueError(2)",
        "SystemExit(3)",
        "ValueError(2)",
        "asyncio.CancelledError()",
    ),
    "failure": ("ValueError(1)", "ValueError(2)", "asyncio.CancelledError()", "SystemExit(3)"),
    "on": ("True", "False"),
    "thing": (
        "f0",
        "t1",
        "asyncio.sleep(0, 1)",
        "asyncio.sleep(0.01, 2)",
        "t2",
        "f1",
        "e0.wait()",
        "q0.get()",
        "asyncio.shield(t1)",
        "asyncio.shield(f0)",
        "asyncio.gather(f0, t1)",
        "asyncio.gather(t1, t2, return_exceptions=True)",
        "asyncio.shield(asyncio.gather(t1, f0))",
        "asyncio.wait_for(f0, 0.01)",
        "asyncio.wait_for(t1, 0)",
        "o0",
    ),
    "how": (
        "loop.call_soon(",
        "loop.call_soon_threadsafe(",
        "loop.call_later(0.01, ",
        "loop.call_at(0, ",
    ),
    "schedule": (
        "loop.call_soon(",
        "f0.add_done_callback(",
        "loop.call_soon_threadsafe(",
        "loop.call_later(0.01, ",
        "loop.call_at(0, ",
        "t1.add_done_callback(",
    ),
    "key": ("'future'", "'task'", "'handle'"),
}


@dataclass(frozen=True)
class Operation:
    """One kind of operation."""

    name: str
    template: str
    where: str
    """The kinds of functions in which it may stand: c, k, g, y, and p for the main program."""
    feature: str
    weight: int = 2
    since: tuple[int, int] = (3, 11)
    """The first Python whose asyncio has it."""
    needs: str = ""
    """The operation that must be around it, if any."""

    @functools.cached_property
    def fields(self) -> tuple[str, ...]:
        """The fields that take a value, in the order of an operation's values."""
        names = dict.fromkeys(re.findall(r"\{(\w+)\}", self.template))
        return tuple(name for name in names if name not in ("here", "block", "depth"))

    @functools.cached_property
    def waits(self) -> bool:
        """Whether it waits by itself, not only in its block."""
        return "await " in self.template

    @functools.cached_property
    def has_block(self) -> bool:
        """Whether it has operations inside it."""
        return "{block}" in self.template


ASYNC, SYNC, ANY = "cg", "ckgyp", "ckgy"


def table() -> list[Operation]:
    """Return all operations, feature by feature."""
    ops: list[Operation] = []

    def add(feature: str, where: str, weight: int = 2, **rest: object) -> None:
        """Add operations. `rest` maps names to templates, and may have `since` and `needs`."""
        since = rest.pop("since", (3, 11))
        needs = rest.pop("needs", "")
        for name, template in rest.items():
            ops.append(Operation(name, template, where, feature, weight, since, needs))  # type: ignore[arg-type]

    add("tasks", SYNC, 8, spawn="{t} = loop.create_task({c}())")
    add("tasks", SYNC, 4, spawn_only="loop.create_task({c}())")
    add("tasks", SYNC, 4, cancel="print('{here}', {x}.cancel({message}))")
    add(
        "tasks",
        ASYNC,
        cancel_self="print('{here}', asyncio.current_task().cancel({message}))",
        # A task that waits for itself in a roundabout way is cancelled as often as it may recurse:
        # above 9 the number is that of the frames that were left.
        uncancel_self="print('{here}', min(9, asyncio.current_task().uncancel()))",
    )
    add(
        "tasks",
        SYNC,
        1,
        uncancel="if isinstance({t}, asyncio.Task): print('{here}', min(9, {t}.uncancel()))",
        spawn_named="{t} = loop.create_task({c}(), name={n})\n"
        "print('{here}', repr({t}.get_name()))",
        rename="if isinstance({t}, asyncio.Task):\n    {t}.set_name({n})\n"
        "    print('{here}', repr({t}.get_name()))",
        ensure="{t} = asyncio.ensure_future({x})",
    )
    add("tasks", SYNC, 3, mark="print('{here}')")
    add("tasks", SYNC, 1, state="print('{here}', {x}.done(), {x}.cancelled())")
    add("tasks", ASYNC, 8, wait_one="print('{here}', await {thing})")
    add("tasks", ASYNC, 4, call="print('{here}', await {c}())")
    add("sleep", ASYNC, 8, sleep="await asyncio.sleep({delay})")
    add("sleep", ASYNC, 3, ticks="for _ in range({n}):\n    await asyncio.sleep(0)")
    add("errors", ANY, 1, fail="raise {error}")
    add(
        "errors",
        ASYNC,
        5,
        caught="try:\n    {block}\nexcept {caught} as error:\n    print('{here}', repr(error))",
    )
    add(
        "errors",
        ASYNC,
        1,
        at_last="try:\n    {block}\nfinally:\n"
        "    print('{here}')\n    await asyncio.sleep({delay})",
    )
    add("errors", ASYNC, 5, suppressed="with contextlib.suppress({caught}):\n    {block}")
    add("errors", ASYNC, 4, repeat="for _ in range({n}):\n    {block}")
    add(
        "futures",
        SYNC,
        4,
        set_result="{f}.done() or {f}.set_result({n})",
    )
    add(
        "futures",
        SYNC,
        2,
        set_exception="{f}.done() or {f}.set_exception({failure})",
        set_both="for n, x in enumerate([{f}, {f2}]): x.done() or x.set_result(n)",
        set_done="{f}.set_result({n})",
    )
    # A task is woken and cancelled in the same tick, in either order.
    add(
        "futures",
        SYNC,
        1,
        wake_and_cancel="{f}.done() or {f}.set_result({n})\nprint('{here}', {t}.cancel({message}))",
        cancel_and_wake="print('{here}', {t}.cancel())\n{f}.done() or {f}.set_result({n})",
    )
    add("futures", SYNC, 1, new_future="{f} = loop.create_future()")
    add(
        "callbacks",
        SYNC,
        add_callback="{x}.add_done_callback({k})",
        remove_callback="print('{here}', {x}.remove_done_callback({k}))",
        add_callback_context="{x}.add_done_callback({k}, context=contextvars.copy_context())",
    )
    add("call_soon", SYNC, 3, call_soon="{h} = loop.call_soon({k}{args})")
    add("call_soon", SYNC, 3, call_soon_only="loop.call_soon({k}{args})")
    add(
        "call_soon",
        SYNC,
        1,
        call_soon_context="{h} = loop.call_soon({k}{args}, context=contextvars.copy_context())",
        handle_cancelled="print('{here}', {h}.cancelled())",
    )
    add("call_soon", SYNC, 2, handle_cancel="{h}.cancel()")
    add(
        "timers",
        SYNC,
        3,
        call_later="{h} = loop.call_later({delay}, {k}{args})",
        call_at="{h} = loop.call_at(start + {delay}, {k}{args})",
        call_later_only="loop.call_later({delay}, {k}{args})",
        call_at_only="loop.call_at(start + {delay}, {k}{args})",
    )
    add(
        "timers",
        SYNC,
        1,
        # Longer than one select() may wait.
        call_much_later="{h} = loop.call_later(100_000, {k})",
    )
    add("timers", ANY, 1, block="time.sleep({pause})")
    # Enough cancelled timers for the heap to be swept, which changes its shape.
    add(
        "timers",
        SYNC,
        1,
        timers_tied="for n in range(5): loop.call_at(start + {delay}, {k}, n)",
        cancelled_at="loop.call_at(start + {delay}, lambda: {h}.cancel())",
    )
    add(
        "timers",
        SYNC,
        1,
        ask_order="x = loop.call_at(start + {delay}, {k})\n"
        "y = loop.call_at(start + {delay2}, {k2})\n"
        "print('{here}', x == y, x < y, x <= y, x > y, x >= y)",
    )
    add(
        "timers", "p", 1, timers_swept="for n in range(110): loop.call_later(n % 7, print).cancel()"
    )
    # Near the bounds at which it is swept: more than 100 timers, more than half of them cancelled.
    add(
        "timers",
        "pc",
        1,
        timers_many="for n in range({heap}):\n    x = loop.call_later(50, print)\n"
        "    n > 54 + {n} or x.cancel()\n"
        "for n in range(5): loop.call_at(start + {delay}, {k}, n)",
    )
    add("threads", SYNC, 2, threadsafe="loop.call_soon_threadsafe({k}{args})")
    add("threads", SYNC, 1, threadsafe_kept="{h} = loop.call_soon_threadsafe({k}{args})")
    add(
        "threads",
        SYNC,
        1,
        threadsafe_context="loop.call_soon_threadsafe("
        "{k}{args}, context=contextvars.copy_context())",
    )
    add(
        "threads",
        SYNC,
        1,
        from_thread="thread = threading.Thread("
        "target=loop.call_soon_threadsafe, args=({k}{args},))\n"
        "thread.start(); thread.join()",
        # A generator is not accepted here: asyncio asks for a true coroutine.
        coroutine_threadsafe="asyncio.run_coroutine_threadsafe({a}(), loop).add_done_callback({k})",
    )
    add(
        "executor",
        ANY,
        1,
        # Jobs finish when the program says so, on the loop's thread or on another one.
        executor="{t} = loop.run_in_executor(types.SimpleNamespace(submit=lambda *job: j0), {k})",
        wrap_future="{t} = asyncio.wrap_future(j0, loop=loop)",
        job_done="j0.done() or j0.set_result({n})",
        job_failed="j0.done() or j0.set_exception({failure})",
        job_done_in_thread="if not j0.done():\n"
        "    thread = threading.Thread(target=j0.set_result, args=({n},))\n"
        "    thread.start(); thread.join()",
        job_cancelled="print('{here}', j0.cancel(), j0.running())",
    )
    add(
        "gather",
        ASYNC,
        3,
        gather_0="print('{here}', await asyncio.gather())",
        gather_1="print('{here}', await asyncio.gather({thing}, {many}))",
        gather_2="print('{here}', await asyncio.gather({thing}, {thing2}, {many}))",
        gather_3="print('{here}', await asyncio.gather({c}(), {thing}, {c2}(), {many}))",
    )
    add("gather", ANY, 2, gather_kept="{t} = asyncio.gather({x}, {x2}, {many})")
    add("gather", SYNC, 1, gather_spawned="{t} = asyncio.gather({x}, {c}(), {many})")
    add("shield", ANY, 1, shield="{t} = asyncio.shield({x})")
    # Only the sizes are printed: `wait` returns sets. It also adds its callbacks in the order of a
    # set. That shows when several futures are done already and it looks for the first exception:
    # whether the exception counts as retrieved depends on who is asked first. So those are left
    # out there.
    add(
        "wait",
        ASYNC,
        3,
        wait="print('{here}', [len(x) for x in await asyncio.wait([{x}, {x2}], "
        "timeout={limit}, return_when=asyncio.{when})])",
        wait_first_exception="print('{here}', [len(x) for x in await asyncio.wait("
        "[x for x in ({x}, {x2}) if not x.done()], "
        "timeout={limit}, return_when=asyncio.FIRST_EXCEPTION)])",
    )
    add(
        "wait_for",
        ASYNC,
        3,
        wait_for="print('{here}', await asyncio.wait_for({thing}, {limit}))",
        wait_for_call="print('{here}', await asyncio.wait_for({c}(), {limit}))",
    )
    add("timeout", ASYNC, 4, timeout="async with asyncio.timeout({limit}):\n    {block}")
    cancelling = "print('{here}', min(9, asyncio.current_task().cancelling()))"
    add("timeout", ASYNC, 1, cancelling=cancelling)
    add("group", ASYNC, 1, group_cancelling=cancelling)
    add(
        "timeout",
        ASYNC,
        1,
        timeout_at="async with asyncio.timeout_at(start + {delay}):\n    {block}",
        reschedule="async with asyncio.timeout({limit}) as m:\n"
        "    m.reschedule(loop.time() + {delay})\n"
        "    {block}\n"
        "print('{here}', m.expired())",
    )
    # as_completed starts its callbacks in the order of a set, which is undefined, and that order
    # can be seen when several futures are done already. So only futures that are not done are
    # passed.
    add(
        "as_completed",
        ASYNC,
        2,
        as_completed="for x in asyncio.as_completed([x for x in ({x}, {x2}) if not x.done()], "
        "timeout={limit}):\n    print('{here}', await x)",
    )
    add(
        "as_completed",
        ASYNC,
        1,
        as_completed_futures="for x in asyncio.as_completed([x for x in ({f}, {f2}) "
        "if not x.done()]):\n    print('{here}', await x)",
        as_completed_call="for x in asyncio.as_completed([{c}()], timeout={limit}):\n"
        "    print('{here}', await x)",
    )
    add(
        "as_completed",
        ASYNC,
        1,
        since=(3, 13),
        as_completed_async="async for x in asyncio.as_completed([x for x in ({x}, {x2}) "
        "if not x.done()], timeout={limit}):\n    print('{here}', x.done())",
    )
    # A group cancels its tasks in the order of a set. `sides.ordered_group` makes it their order of
    # creation, on every loop.
    add(
        "group",
        ASYNC,
        4,
        group="async with asyncio.TaskGroup() as group{depth}:\n    {block}",
    )
    add(
        "group",
        ASYNC,
        10,
        needs="group",
        group_spawn="{t} = group{depth}.create_task({c}())",
        group_spawn_only="group{depth}.create_task({c}())",
    )
    add(
        "group",
        ASYNC,
        3,
        needs="group",
        since=(3, 15),
        group_cancel="group{depth}.cancel()",
        group_cancel_soon="loop.call_soon(group{depth}.cancel)",
        group_cancel_later="loop.call_later({delay}, group{depth}.cancel)",
        group_cancel_done="{x}.add_done_callback(lambda x: group{depth}.cancel())",
        group_spawn_eager="{t} = group{depth}.create_task({c}(), eager_start={on})",
    )
    add(
        "group",
        ASYNC,
        1,
        since=(3, 15),
        group_cancelled="m = asyncio.TaskGroup()\nm.cancel()\nasync with m:\n    {block}",
        group_cancels_itself="async with asyncio.TaskGroup() as m:\n"
        "    async def canceller():\n        m.cancel()\n        await asyncio.sleep({delay})\n"
        "    print('{here}', m.create_task(canceller(), eager_start={on}).cancelling())\n"
        "    {block}",
    )
    add(
        "locks",
        ASYNC,
        2,
        lock="async with {l}:\n    {block}",
        acquire="print('{here}', await {l}.acquire())",
    )
    add("locks", SYNC, 2, release="if {l}.locked(): {l}.release()")
    add(
        "semaphores",
        ASYNC,
        2,
        semaphore="async with {s}:\n    {block}",
        semaphore_acquire="print('{here}', await {s}.acquire(), {s}.locked())",
    )
    add(
        "locks",
        SYNC,
        1,
        release_and_cancel="if {l}.locked(): {l}.release()\nprint('{here}', {t}.cancel())",
        cancel_and_release="print('{here}', {t}.cancel())\nif {l}.locked(): {l}.release()",
    )
    add("semaphores", SYNC, 2, semaphore_release="{s}.release()")
    add("events", ASYNC, 3, event_wait="print('{here}', await {e}.wait())")
    add("events", SYNC, 2, event_set="{e}.set()")
    add("events", SYNC, 1, event_clear="{e}.clear()")
    add(
        "conditions",
        ASYNC,
        2,
        condition_wait="async with {d}:\n    print('{here}', await {d}.wait())",
        condition_notify="async with {d}:\n    {d}.notify({n})",
    )
    add(
        "conditions",
        ASYNC,
        1,
        condition_wait_for="async with {d}:\n    print('{here}', await {d}.wait_for({x}.done))",
        condition_block="async with {d}:\n    {block}",
        condition_notify_all="async with {d}:\n    {d}.notify_all()",
    )
    add(
        "conditions",
        SYNC,
        1,
        condition_notify_if="if {d}.locked(): {d}.notify({n})",
    )
    add("barriers", ASYNC, 2, barrier_wait="print('{here}', await {b}.wait())")
    add(
        "barriers",
        ASYNC,
        1,
        barrier_reset="await {b}.reset()",
        barrier_abort="await {b}.abort()",
    )
    add(
        "queues",
        ASYNC,
        3,
        put="await {q}.put({n})",
        get="print('{here}', await {q}.get())",
    )
    add("queues", ASYNC, 1, join="await {q}.join()")
    add(
        "queues",
        SYNC,
        2,
        put_nowait="{q}.full() or {q}.put_nowait({n})",
        get_nowait="print('{here}', {q}.empty() or {q}.get_nowait())",
    )
    add(
        "queues",
        SYNC,
        1,
        put_and_cancel="{q}.full() or {q}.put_nowait({n})\nprint('{here}', {t}.cancel())",
    )
    add("queues", ANY, 1, task_done="{q}.task_done()")
    add("queue_shutdown", SYNC, 1, since=(3, 13), shutdown="{q}.shutdown()")
    add("queue_shutdown", SYNC, 1, since=(3, 13), shutdown_now="{q}.shutdown(immediate=True)")
    add(
        "contexts",
        SYNC,
        1,
        context_set="{v}.set({n})",
        context_soon="loop.call_soon(lambda: print('{here}', {v}.get()))",
        context_threadsafe="loop.call_soon_threadsafe(lambda: print('{here}', {v}.get()))",
        context_later="loop.call_later({delay}, lambda: print('{here}', {v}.get()))",
        context_done="{v}.set({n}); {x}.add_done_callback(lambda x: print('{here}', {v}.get()))",
        context_get="print('{here}', {v}.get())",
        context_given="{v}.set({n}); {schedule}lambda *x: print('{here}', {v}.get()), "
        "context=contextvars.Context())",
        context_of_task="async def show():\n    print('{here}', {v}.get())\n"
        "{v}.set({n}); loop.create_task(show(), context=contextvars.Context())",
    )
    add(
        "contexts",
        ANY,
        1,
        spawn_context="{t} = asyncio.create_task({c}(), context=contextvars.copy_context())",
        spawn_show="async def show():\n    print('{here}', {v}.get())\n"
        "{v}.set({n})\n"
        "x = asyncio.create_task(show(), context=contextvars.Context(), name='n')\n"
        "print('{here}', x.get_name(), asyncio.create_task(show(), name='m').get_name())",
    )
    add("stop", SYNC, 2, stop="loop.stop()")
    add(
        "handler",
        SYNC,
        1,
        handler="loop.set_exception_handler(lambda loop, context: {k}(context.get('exception')))",
        handler_keys="loop.set_exception_handler(lambda loop, context: {k}(*sorted(context)))",
        handler_fails="def failing(loop, context): raise {failure}\n"
        "loop.set_exception_handler(failing)",
        handler_call="loop.call_exception_handler({{'message': 'by hand'}})",
    )
    # Its argument, and the context in which it runs: that of the callback, but only since 3.12.
    add(
        "handler",
        SYNC,
        1,
        since=(3, 12),
        handler_sees="{v}.set({n})\n"
        "loop.set_exception_handler(lambda where, context: print('{here}', where is loop, "
        "*sorted(context), {v}.get()))",
        handler_call_of="loop.call_exception_handler({{'message': 'by hand', {key}: {x}}})",
        fails_elsewhere="{v}.set(5); {how}lambda: 1 / 0, context=contextvars.Context())",
    )
    add(
        "async_generators",
        ASYNC,
        2,
        each="async for x in {g}():\n    print('{here}', x)",
        each_left="async for x in {g}():\n    print('{here}', x)\n    break",
        one_of="print('{here}', await anext({g}(), None))",
    )
    add("async_generators", "g", 12, **{"yield": "yield {n}"})
    add(
        "async_generators",
        "p",
        2,
        shutdown_asyncgens="loop.run_until_complete(loop.shutdown_asyncgens())",
    )
    add(
        "generators",
        "y",
        1,
        yield_number="yield {n}",
        yield_future="yield {f}",
        yield_generator="yield (x for x in ())",
    )
    add("generators", "y", 8, pass_on="yield", pass_on_from="print('{here}', (yield from {thing}))")
    add(
        "readiness",
        SYNC,
        2,
        add_reader="loop.add_reader(r0, lambda: {k}(r0.recv(1)))",
        send="w0.send(b'{n}')",
    )
    add(
        "readiness",
        SYNC,
        1,
        add_writer="loop.add_writer(w0, lambda: {k}(loop.remove_writer(w0)))",
        send_and_call="loop.call_later(0, {k}); w0.send(b'{n}')",
        remove_reader="print('{here}', loop.remove_reader(r0))",
        remove_writer="print('{here}', loop.remove_writer(w0))",
    )
    # Questions that a program may ask, and things that it must not do.
    add(
        "asking",
        SYNC,
        1,
        ask_future="print('{here}', {x}.result())",
        ask_exception="print('{here}', {x}.exception())",
        ask_loop="print('{here}', loop.is_running(), loop.is_closed(), loop.get_debug())",
        ask_stack="if isinstance({t}, asyncio.Task) and not {t}.done():\n"
        "    print('{here}', len({t}.get_stack(limit=1)))",
        print_stack="if isinstance({t}, asyncio.Task) and not {t}.done():\n"
        "    {t}.print_stack(limit=1, file=types.SimpleNamespace("
        "write=lambda text: print(text[:5])))",
        ask_when="print('{here}', isinstance({h}, asyncio.TimerHandle) and {h}.when())",
        ask_hooks="print('{here}', *[hook is None for hook in sys.get_asyncgen_hooks()])",
        ask_tasks="print('{here}', len(asyncio.all_tasks(loop)), "
        "asyncio.current_task(loop) is {t})",
    )
    add(
        "misuse",
        SYNC,
        1,
        no_delay="loop.call_later(None, {k})",
        no_deadline="loop.call_at(None, {k})",
        exception_class="{f}.done() or {f}.set_exception(ValueError)",
        set_task="asyncio.create_task({c}()).set_result({n})",
        not_awaitable="asyncio.ensure_future({n})",
        no_task="loop.create_task({n})",
        runs_already="loop.run_until_complete({x})",
        no_handler="loop.set_exception_handler({n})",
        no_factory="loop.set_task_factory({n})",
        close="loop.close()\nprint('{here}', len(asyncio.all_tasks(loop)))",
    )
    add(
        "misuse",
        ASYNC,
        1,
        wait_for_nothing="await asyncio.wait([])",
        wait_for_one="await asyncio.wait({x})",
        wait_badly="await asyncio.wait([{x}], return_when={n})",
        wait_for_coroutine="await asyncio.wait([{a}()])",
        wait_for_this="try:\n    await asyncio.wait({a}())\n"
        "except TypeError as error:\n    print('{here}', *error.args)",
        other_loop="await asyncio.Future(loop=types.SimpleNamespace(get_debug=bool, _debug=False))",
    )
    # A task made without the factory that records its steps. Older Pythons are watched through it.
    add(
        "plain_tasks",
        SYNC,
        1,
        since=(3, 13),
        plain_task="factory = loop.get_task_factory()\n"
        "loop.set_task_factory(None)\n"
        "print(loop.create_task({a}(), name='{here}').get_name())\n"
        "print(loop.create_task({a}()).get_name().strip('0123456789'))\n"
        "loop.set_task_factory(factory)",
        plain_task_context="factory = loop.get_task_factory()\n"
        "loop.set_task_factory(None)\n"
        "loop.create_task({a}(), context=contextvars.copy_context())\n"
        "loop.set_task_factory(factory)",
    )
    # Where something was made: in a file of the library or in the program. Not while the loop runs,
    # since debug mode makes all slow. (Of callbacks of futures asyncio's C and Python code say
    # different things.)
    add(
        "debug",
        "p",
        1,
        made_where="loop.set_exception_handler(lambda loop, context: print('{here}', "
        "type(context.get('exception')) is ZeroDivisionError "
        "and [x.filename[-1] for x in context.get('source_traceback', ())[-1:]]))\n"
        "loop.set_debug(True); {how}lambda: 1 / 0); loop.set_debug(False)",
    )
    add(
        "plain_tasks",
        "p",
        1,
        since=(3, 13),
        plain_task_made="factory = loop.get_task_factory()\n"
        "loop.set_debug(True); loop.set_task_factory(None)\n"
        "x = loop.create_task({a}())\n"
        "loop.set_debug(False); loop.set_task_factory(factory)\n"
        "print('{here}', x._source_traceback[-1].filename[-1])",
    )
    # These are errors only since Python 3.13.
    add(
        "misuse",
        ASYNC,
        1,
        since=(3, 13),
        stop_iteration="{f}.done() or {f}.set_exception(StopIteration({n}))",
        as_completed_one="asyncio.as_completed({x})",
        sleep_nan="await asyncio.sleep(float('nan'))",
    )
    add("debug", SYNC, 2, debug="loop.set_debug({on})")
    # A step that fails, not the coroutine in it: the task asks in vain to be called back. Not in
    # its first step: of an eager task's the C code of Python 3.13.0 makes a SystemError. Nor before
    # 3.12, when the handler began to run in the task's context.
    mute = "types.SimpleNamespace(_asyncio_future_blocking=True, get_loop=lambda: loop)"
    add(
        "debug",
        "y",
        1,
        since=(3, 12),
        step_fails=f"yield\nloop.set_debug({{on}})\nyield {mute}",
        step_fails_in_debug=f"loop.set_debug(True)\nyield\nyield {mute}",
    )
    add("handler", "y", 1, since=(3, 12), step_fails_seen=f"{{v}}.set({{n}})\nyield\nyield {mute}")
    add(
        "debug",
        SYNC,
        1,
        ask_origins="print('{here}', sys.get_coroutine_origin_tracking_depth() > 0)",
    )
    add(
        "debug",
        SYNC,
        1,
        call_coroutine="try:\n    {how}{a})\n"
        "except TypeError as error:\n    print('{here}', *error.args)",
        call_nothing="try:\n    {how}{n})\n"
        "except TypeError as error:\n    print('{here}', *error.args)",
        call_coroutine_object="try:\n    {how}{a}())\n"
        "except TypeError as error:\n    print('{here}', *error.args)",
        wrong_thread="def wrong():\n    try:\n        loop.call_soon({k})\n"
        "    except RuntimeError as error:\n        print('{here}', repr(error))\n"
        "thread = threading.Thread(target=wrong)\nthread.start(); thread.join()",
    )
    add("eager", "p", 1, since=(3, 12), eager="loop.set_task_factory(asyncio.eager_task_factory)")
    add(
        "eager",
        SYNC,
        1,
        since=(3, 12),
        eager_named="{t} = asyncio.eager_task_factory(loop, {c}(), name='n')\n"
        "print('{here}', {t}.get_name())",
    )
    add(
        "eager",
        ANY,
        2,
        since=(3, 14),
        eager_start="{t} = asyncio.create_task({c}(), name={n}, eager_start={on})",
        eager_start_loop="{t} = loop.create_task({c}(), eager_start={on})",
    )
    # The phases of the main program.
    add("tasks", "p", 6, run="loop.run_until_complete({c}())")
    add(
        "stop",
        "p",
        6,
        run_caught="try:\n    loop.run_until_complete({c}())\n"
        "except BaseException as error:\n    print('{here}', repr(error))",
        run_suppressed="with contextlib.suppress(BaseException):\n"
        "    loop.run_until_complete({c}())",
        run_forever="loop.call_later({delay}, loop.stop)\nloop.run_forever()",
        run_forever_suppressed="loop.call_later({delay}, loop.stop)\n"
        "with contextlib.suppress(BaseException):\n    loop.run_forever()",
        run_forever_caught="loop.call_later({delay}, loop.stop)\ntry:\n    loop.run_forever()\n"
        "except BaseException as error:\n    print('{here}', repr(error))",
        cancel_left="for x in (t1, t2, f0): x.cancel()",
        run_batch="loop.stop()\nloop.run_forever()",
    )
    return ops


TABLE: dict[str, Operation] = {op.name: op for op in table()}
"""All operations, also those that this Python's asyncio lacks."""
OPERATIONS: dict[str, Operation] = {
    name: op for name, op in TABLE.items() if sys.version_info >= op.since
}
FEATURES: tuple[str, ...] = tuple(dict.fromkeys(op.feature for op in OPERATIONS.values()))


def domain_of(field: str) -> str:
    """Return the domain of a field's values: its name without trailing digits."""
    return field.rstrip("0123456789")


@functools.cache
def values(field: str, function: str) -> tuple[str, ...]:
    """Return the values of a field inside a function (`PHASES` for the main program)."""
    domain = domain_of(field)
    after = FUNCTIONS[FUNCTIONS.index(function) + 1 :] if function != PHASES else FUNCTIONS
    if domain == "c":
        return tuple(name for name in after if name[0] in "cy")
    if domain == "a":
        return tuple(name for name in after if name[0] == "c")
    if domain in ("k", "g"):
        return tuple(name for name in after if name[0] == domain)
    if domain == "thing":
        calls = tuple(f"{name}()" for name in after if name[0] in "cy")
        waits = (f"asyncio.wait_for({calls[-1]}, 0.01)",) if calls else ()
        if function[0] == "y":
            # `yield from` takes futures and generators, and only futures stay pending for ever
            # here.
            return tuple(v for v in DOMAINS["thing"] if v[0] in "ft" or "asyncio." in v) + calls
        return DOMAINS["thing"] + calls + waits
    return DOMAINS[domain]


@functools.cache
def allowed(function: str, around: str = "") -> tuple[Operation, ...]:
    """Return the operations that may stand in a function, inside the operation `around`."""
    kind = "p" if function == PHASES else function[0]
    return tuple(
        op
        for op in OPERATIONS.values()
        if kind in op.where
        and (not op.needs or op.needs == around)
        and all(values(field, function) for field in op.fields)
    )
