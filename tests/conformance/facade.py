"""A package that calls itself asyncio and is made of another implementation's names.

Only the standard library is imported here, and neither ``unittest`` nor ``test``: they import
asyncio.
"""

import importlib
import selectors
import sys
import types
from collections.abc import Callable, Iterator

# Classes, constants and checks that schedule nothing: taken from the installed asyncio where the
# implementation under test has no such name.
BORROWED_MODULES = ("constants", "exceptions", "format_helpers", "log", "protocols", "transports")
BORROWED_NAMES = {
    "base_events": ("Server",),
    "coroutines": ("_is_coroutine", "iscoroutinefunction"),
    "events": (
        "AbstractEventLoop",
        "AbstractEventLoopPolicy",  # deprecated since 3.14, where the next one is the class
        "_AbstractEventLoopPolicy",
        "AbstractServer",
    ),
    "proactor_events": ("BaseProactorEventLoop",),
    "unix_events": ("can_use_pidfd",),
}

# A module of the installed asyncio that is executed a second time, as a part of the stand-in, so
# that it uses the implementation's tasks, futures and locks. Not where that has one itself.
EXECUTED_AGAIN = ("staggered",)

# The tests know two implementations of Future and Task, one in C and one in Python. The one under
# test stands where the Python one stood; as there is none in C, the tests of that one are skipped.
OTHER_NAMES = {
    "_py__get_running_loop": "_get_running_loop",
    "_py__set_running_loop": "_set_running_loop",
    "_py_get_running_loop": "get_running_loop",
    "_py_get_event_loop": "get_event_loop",
    "_PyFuture": "Future",
    "_PyTask": "Task",
    "_py_all_tasks": "all_tasks",
    "_py_current_task": "current_task",
    "_py_enter_task": "_enter_task",
    "_py_future_add_to_awaited_by": "future_add_to_awaited_by",
    "_py_future_discard_from_awaited_by": "future_discard_from_awaited_by",
    "_py_leave_task": "_leave_task",
    "_py_register_task": "_register_task",
    "_py_unregister_task": "_unregister_task",
}
LOOP_NAMES = ("BaseEventLoop", "BaseSelectorEventLoop", "EventLoop", "SelectorEventLoop")


class StandIn(types.ModuleType):
    """One module of the stand-in. What is assigned to it also reaches the modules behind it.

    This is how ``mock.patch("asyncio.base_events.logger")`` takes effect: every module behind that
    holds the replaced object under the same name gets the new one too.
    """

    def __init__(self, name: str, behind: list[types.ModuleType]) -> None:
        super().__init__(name)
        self.__dict__["_behind"] = behind

    def __setattr__(self, name: str, value: object) -> None:
        if name in self.__dict__:
            old = self.__dict__[name]
            for module in self._behind:
                if name in module.__dict__ and module.__dict__[name] is old:
                    setattr(module, name, value)
        super().__setattr__(name, value)


class Policy:
    """What ``get_event_loop_policy`` returns while no test has set a policy of its own."""

    def __init__(self, top: types.ModuleType) -> None:
        self.get_event_loop = top.get_event_loop
        self.new_event_loop = top.new_event_loop
        self.set_event_loop = top.set_event_loop


class ChildWatcher:
    """What the set-up of a test file asks for; the implementation starts no subprocesses."""

    def attach_loop(self, loop: object) -> None:
        pass


class Facade:
    """All modules of the stand-in; ``install`` puts them in the place of asyncio's, for good."""

    def __init__(self, package: str) -> None:
        self.package = importlib.import_module(package)
        importlib.import_module("asyncio.proactor_events")  # the tests name it on every system
        self._implementation = [
            module
            for name, module in sorted(sys.modules.items())
            if name.startswith(package + ".") and not hasattr(module, "__path__")
        ]
        self._real = {
            name.removeprefix("asyncio").removeprefix("."): module
            for name, module in sys.modules.items()
            if name == "asyncio" or name.startswith("asyncio.")
        }
        self._modules = {name: self._stand_in(name) for name in self._real}
        self._top = self._modules[""]
        self._defaults = {name: self._top.__dict__[name] for name in LOOP_NAMES}
        self._defaults["new_event_loop"] = self._top.new_event_loop
        self._loop_names = self._defaults
        self._policy = self._no_policy = Policy(self._top)
        for name, module in self._modules.items():
            for prefix in ("", "_"):  # the tests of 3.14 and later call those with the underscore
                module.__dict__[f"{prefix}get_event_loop_policy"] = self.get_event_loop_policy
                module.__dict__[f"{prefix}set_event_loop_policy"] = self.set_event_loop_policy
            module.__dict__["_event_loop_policy"] = None
            module.__dict__["_DefaultEventLoopPolicy"] = lambda: Policy(self._top)
            module.__dict__["SafeChildWatcher"] = ChildWatcher
            module.__dict__["set_child_watcher"] = lambda watcher: None
            if name:
                self._top.__dict__[name] = module

    def install(self) -> None:
        """Replace asyncio in this process; before ``unittest`` or the tests are imported."""
        if "unittest" in sys.modules:
            raise RuntimeError("too late to replace asyncio: unittest has imported it")
        for name, module in self._modules.items():
            sys.modules[f"asyncio.{name}" if name else "asyncio"] = module
        for name in EXECUTED_AGAIN:
            module = self._modules.get(name)
            if module is not None and not self._has_module(name):
                exec(self._real[name].__loader__.get_code(f"asyncio.{name}"), module.__dict__)
                for public in module.__all__:
                    self._top.__dict__[public] = module.__dict__[public]
                    # The interop loop finds the same object, so that a mock reaches it too.
                    setattr(self._real[name], public, module.__dict__[public])

    def use_loop(self, loop_class: type | None) -> None:
        """Give the tests this class for every loop they make; None: the implementation's own."""
        if loop_class is None:
            self._loop_names = self._defaults
        else:
            self._loop_names = _loop_names(loop_class) | {"new_event_loop": loop_class}
        for module in self._modules.values():
            module.__dict__.update({name: self._loop_names[name] for name in LOOP_NAMES})
        self._assign("new_event_loop", self._loop_names["new_event_loop"])

    # Event loop policies: the implementation has none. While a test has set one, the functions that
    # the policy provides take the place of the implementation's, inside the implementation too.

    def get_event_loop_policy(self) -> object:
        return self._policy

    def set_event_loop_policy(self, policy: object) -> None:
        if policy is None:
            self._policy = self._no_policy
            self._assign("new_event_loop", self._loop_names["new_event_loop"])
            self._assign("set_event_loop", self._no_policy.set_event_loop)
        else:
            self._policy = policy
            self._assign("new_event_loop", lambda: self._policy.new_event_loop())
            self._assign("set_event_loop", lambda loop: self._policy.set_event_loop(loop))

    def _assign(self, name: str, value: Callable[..., object]) -> None:
        for module in self._modules.values():
            setattr(module, name, value)

    def _has_module(self, name: str) -> bool:
        return any(_last_part(module) == name for module in self._implementation)

    def _stand_in(self, name: str) -> StandIn:
        real = self._real[name]
        module = StandIn(real.__name__, [self.package, *self._implementation, real])
        names = module.__dict__
        names["__package__"] = "asyncio"
        if not name:
            names["__path__"] = []
        for source in (*self._sources(name), self._borrowed(name), _foreign_modules(real)):
            for key, value in source.items():
                names.setdefault(key, value)
        for other, own in OTHER_NAMES.items():
            if own in names:
                names.setdefault(other, names[own])
        if "BaseSelectorEventLoop" not in names:  # then it has not asyncio's hierarchy of loops
            names.update(_loop_names(names["EventLoop"]))
        names.setdefault("EventLoop", names["SelectorEventLoop"])  # asyncio has it since 3.13
        return module

    def _sources(self, name: str) -> Iterator[dict[str, object]]:
        """The implementation's namespaces: the public one, its module `name`'s, others."""
        yield {key: getattr(self.package, key) for key in self.package.__all__}
        for module in sorted(self._implementation, key=lambda module: _last_part(module) != name):
            yield _own_names(module)

    def _borrowed(self, name: str) -> dict[str, object]:
        """What this stand-in takes from the installed asyncio; the top module takes it all."""
        borrowed = {}
        for module_name in BORROWED_MODULES:
            if name in ("", module_name):
                borrowed.update(_own_names(self._real[module_name]))
        for module_name, keys in BORROWED_NAMES.items():
            if name in ("", module_name):
                module = self._real[module_name]
                borrowed.update({key: vars(module)[key] for key in keys if key in vars(module)})
        return borrowed


def _loop_names(loop_class: type) -> dict[str, type]:
    """One loop class under all the names of asyncio's hierarchy."""

    class Loop(loop_class):
        """Has no self-pipe where a test puts a mock in the place of the selector.

        asyncio's BaseEventLoop, which the tests treat so, has none at all.
        """

        def _make_self_pipe(self) -> None:
            if self._selector is None or isinstance(self._selector, selectors.BaseSelector):
                super()._make_self_pipe()

    Loop.__name__ = Loop.__qualname__ = loop_class.__name__
    return dict.fromkeys(LOOP_NAMES, Loop)


def _last_part(module: types.ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def _own_names(module: types.ModuleType) -> dict[str, object]:
    """The names of a module, without other modules and what Python itself puts there."""
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("__") and not isinstance(value, types.ModuleType)
    }


def _foreign_modules(module: types.ModuleType) -> dict[str, object]:
    """The modules from outside asyncio that a module holds, such as ``base_events.socket``."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, types.ModuleType) and not value.__name__.startswith("asyncio")
    }
