"""Loops as strangers write them, each with one rule broken, to be named in tests.

`A__B`, with the names of two loops of the lab in snake case, is a loop that breaks both rules.
"""

import asyncio
import collections

from miniloop import lab
from miniloop.lab.broken import combined


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

    def __init__(self, *names):
        self.names = names

    def side(self):
        return combined([lab.broken(name) for name in self.names])


def __getattr__(name):
    one, both, other = name.partition("__")
    if not one or not both:
        raise AttributeError(name)
    return Both(one.replace("_", "-"), other.replace("_", "-"))
