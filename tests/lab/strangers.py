"""Loops as strangers write them, each with one rule broken, to be named in tests.

`A__B`, with the names of two loops of the lab in snake case, is a loop that breaks both rules.
"""

import asyncio
import collections
from types import ModuleType

import miniloop
from miniloop import lab
from miniloop.difftest import Side


class Stack(collections.deque):
    popleft = collections.deque.pop


class Stacked(asyncio.SelectorEventLoop):
    def __init__(self, selector=None):
        super().__init__(selector)
        self._ready = Stack()


class Clamped(asyncio.SelectorEventLoop):
    def call_at(self, when, callback, *args, context=None):
        return super().call_at(max(when, self.time()), callback, *args, context=context)


class StopsLate(asyncio.SelectorEventLoop):
    def stop(self):
        self.call_soon(super().stop)


class RealStacked(Stacked):
    def __init__(self):
        super().__init__()


class Both:
    """A loop that breaks the rules of two loops of the lab."""

    def __init__(self, name, stand_ins):
        self.name = name
        self.stand_ins = stand_ins

    def side(self):
        module = ModuleType(f"miniloop, broken twice: {self.name}")
        module.__dict__.update({name: getattr(miniloop, name) for name in miniloop.__all__})
        module.__dict__.update(self.stand_ins)
        classes = {"EventLoop": miniloop.EventLoop, "Task": miniloop.Task, "Future": None}
        return Side(self.name, module, *({**classes, **self.stand_ins}[name] for name in classes))


def merged(one, other):
    """The stand-ins of two loops of the lab. A class that both replace gets both as bases."""
    both = {**one.stand_ins(), **other.stand_ins()}
    for name in one.stand_ins().keys() & other.stand_ins().keys():
        both[name] = type(name, (one.stand_ins()[name], other.stand_ins()[name]), {})
    return both


def __getattr__(name):
    one, both, other = name.partition("__")
    if not one or not both:
        raise AttributeError(name)
    stand_ins = merged(*(lab.broken(each.replace("_", "-")) for each in (one, other)))
    return Both(name, stand_ins)
