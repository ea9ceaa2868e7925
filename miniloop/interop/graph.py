"""Find the task for which a callback of asyncio's own functions waits, for call graphs.

asyncio's ``gather()``, ``wait()``, ``shield()`` and ``as_completed()`` tell which task awaits a
future with ``asyncio.future_add_to_awaited_by()``. That function does nothing for futures that are
not asyncio's own. But since Python 3.14 the callbacks that they put on a future have the task in a
variable ``cur_task``.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

__all__ = ["task_of_asyncios_callback"]

# Of gather(), wait() and shield().
_CALLBACKS = {"_done_callback", "_on_completion", "_clear_awaited_by_callback"}


def task_of_asyncios_callback(owner: Any) -> Any:
    """Return the task on whose behalf one of asyncio's callbacks waits for a future, or None.

    ``owner`` is a function, or the object whose method the callback is.
    """
    if type(owner).__module__ == "asyncio.tasks":  # the iterator of as_completed()
        return getattr(owner, "_cur_task", None)
    if not (
        isinstance(owner, FunctionType)
        and owner.__module__ == "asyncio.tasks"
        and owner.__name__ in _CALLBACKS
    ):
        return None
    closure = owner.__closure__ or ()
    variables = {
        name: cell.cell_contents
        for name, cell in zip(owner.__code__.co_freevars, closure, strict=True)
    }
    outer = variables.get("outer")
    if outer is not None and outer.done():
        return None  # a gather that has failed does not wait for the others
    return variables.get("cur_task") or next(iter(owner.__defaults__ or ()), None)
