"""Executors: pools of threads or processes that run functions which block.

CPython's counterparts are the executor methods of ``BaseEventLoop`` in ``asyncio/base_events.py``.
"""

from __future__ import annotations

import concurrent.futures
import threading
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..core.futures import Future, _set_result_unless_cancelled
from ..core.timeouts import timeout as timeout_after  # a method has an argument `timeout`
from .threads import wrap_future

if TYPE_CHECKING:
    from .descriptors import Descriptors as Loop
else:
    Loop = object

__all__: list[str] = []

_T = TypeVar("_T")


class Executors(Loop):
    """What an event loop does with executors."""

    _default_executor: concurrent.futures.Executor | None
    _executor_shutdown_called: bool

    def run_in_executor(
        self,
        executor: concurrent.futures.Executor | None,
        func: Callable[..., _T],
        *args: Any,
    ) -> Future[_T]:
        """Call ``func(*args)`` in an executor and return a Future of its result.

        ``executor`` is any ``concurrent.futures.Executor``. None means the default executor, a
        ThreadPoolExecutor that the loop makes at first use. Cancelling the future does not stop a
        call that has begun. Raises RuntimeError if the loop is closed, or if the executor was shut
        down.
        """
        self._check_closed()
        if self._debug:
            self._check_callback(func, "run_in_executor")
        if executor is None:
            if self._executor_shutdown_called:
                raise RuntimeError("Executor shutdown has been called")
            if self._default_executor is None:
                self._default_executor = concurrent.futures.ThreadPoolExecutor(
                    thread_name_prefix="asyncio"
                )
            executor = self._default_executor
        loop: Any = self
        return wrap_future(executor.submit(func, *args), loop=loop)

    def set_default_executor(self, executor: concurrent.futures.ThreadPoolExecutor) -> None:
        """Set the default executor. Raises TypeError if it is no ThreadPoolExecutor."""
        if not isinstance(executor, concurrent.futures.ThreadPoolExecutor):
            raise TypeError("executor must be ThreadPoolExecutor instance")
        self._default_executor = executor

    # -- leaving in good order -----------------------------------------------------------------

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Shut the default executor down and wait for its threads, ``timeout`` seconds at most.

        If they take longer, this emits a RuntimeWarning and stops waiting. From now on
        ``run_in_executor(None, ...)`` raises RuntimeError.
        """
        self._executor_shutdown_called = True
        executor = self._default_executor
        if executor is None:
            return
        future = self.create_future()
        thread = threading.Thread(target=self._do_shutdown, args=(executor, future))
        thread.start()
        try:
            async with timeout_after(timeout):
                await future
        except TimeoutError:
            warnings.warn(
                # "finishing" is asyncio's.
                f"The executor did not finishing joining its threads within {timeout} seconds.",
                RuntimeWarning,
                stacklevel=2,
            )
            executor.shutdown(wait=False)
        else:
            thread.join()

    def _do_shutdown(self, executor: concurrent.futures.Executor, future: Future[None]) -> None:
        """Wait for the executor, in a thread of its own."""
        try:
            executor.shutdown(wait=True)
            if not self.is_closed():
                self.call_soon_threadsafe(_set_result_unless_cancelled, future, None)
        except Exception as exc:
            if not self.is_closed() and not future.cancelled():
                self.call_soon_threadsafe(future.set_exception, exc)
