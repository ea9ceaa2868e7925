"""Whose asyncio an import gets: miniloop in the script and beside it, the real one elsewhere."""

import asyncio
from pathlib import Path
from textwrap import dedent, indent

import pytest

import miniloop
from miniloop.cli.redirect import Beside
from tests.cli.both_ways import Ended, on_miniloop, on_python

# Each puts things under the names `loop_class` and `queue_class`.
IMPORTS = {
    "import": "import asyncio; loop_class, queue_class = asyncio.SelectorEventLoop, asyncio.Queue",
    "import as": "import asyncio as a; loop_class, queue_class = a.SelectorEventLoop, a.Queue",
    "among others": "import os, asyncio, sys as s; loop_class, queue_class = "
    "asyncio.SelectorEventLoop, asyncio.Queue; os, s",
    "from": "from asyncio import SelectorEventLoop as loop_class, Queue as queue_class",
    "from, in brackets": "from asyncio import (\n    SelectorEventLoop as loop_class,\n"
    "    Queue as queue_class,\n)",
    "submodule": "import asyncio.queues; loop_class, queue_class = "
    "asyncio.SelectorEventLoop, asyncio.queues.Queue",
    "submodule as": "import asyncio.queues as q; from asyncio import SelectorEventLoop as "
    "loop_class; queue_class = q.Queue",
    "from submodule": "from asyncio.queues import Queue as queue_class; "
    "from asyncio.base_events import BaseEventLoop as loop_class",
    "submodule from package": "from asyncio import queues as q, events; queue_class = q.Queue; "
    "loop_class = events.new_event_loop().__class__",
    "import_module": "from importlib import import_module; a = import_module('asyncio'); "
    "loop_class = a.SelectorEventLoop; queue_class = import_module('asyncio.queues').Queue",
    "importlib.import_module": "import importlib; a = importlib.import_module('asyncio'); "
    "loop_class, queue_class = a.SelectorEventLoop, a.queues.Queue",
    "conditional": "try:\n    import asyncio as a\nexcept ImportError:\n    a = None\n"
    "loop_class, queue_class = a.SelectorEventLoop, a.Queue",
}


def served_by_miniloop(folder: Path, text: str, *args: str) -> None:
    """Run a script that names `loop_class` and `queue_class`; both must be miniloop's."""
    text += "\nprint(loop_class.__module__.split('.')[0], queue_class.__module__)\n"
    (folder / "script.py").write_text(text)
    assert on_miniloop(folder, "script.py", *args, options=["-W", "ignore"]) == Ended(
        "miniloop miniloop.core.queues\n", "", 0
    )


@pytest.mark.parametrize("name", IMPORTS)
def test_at_the_top(name: str, tmp_path: Path) -> None:
    served_by_miniloop(tmp_path, IMPORTS[name])


@pytest.mark.parametrize("name", IMPORTS)
def test_in_a_function(name: str, tmp_path: Path) -> None:
    body = indent(IMPORTS[name], "        ")
    served_by_miniloop(
        tmp_path,
        f"class Outer:\n    def f(self):\n{body}\n        return loop_class, queue_class\n"
        "loop_class, queue_class = Outer().f()",
    )


def test_star(tmp_path: Path) -> None:
    served_by_miniloop(
        tmp_path, "from asyncio import *; loop_class, queue_class = SelectorEventLoop, Queue"
    )


def test_star_from_a_submodule(tmp_path: Path) -> None:
    served_by_miniloop(
        tmp_path,
        "from asyncio.queues import *; queue_class = Queue\n"
        "from asyncio.base_events import *; loop_class = BaseEventLoop",
    )


def test_one_asyncio_for_all(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        dedent("""
            import asyncio, asyncio.tasks, asyncio.exceptions, beside
            import asyncio as again
            from asyncio import tasks
            print(asyncio is again is beside.asyncio, asyncio.tasks is tasks is beside.tasks)
            print(asyncio.tasks.Task is asyncio.Task)
            print(asyncio.CancelledError is asyncio.exceptions.CancelledError)
            import concurrent.futures, sys
            print(asyncio.CancelledError is sys.modules["asyncio"].CancelledError)
        """)
    )
    (tmp_path / "beside.py").write_text("import asyncio\nfrom asyncio import tasks\n")
    assert on_miniloop(tmp_path, "script.py") == Ended("True True\nTrue\nTrue\nTrue\n", "", 0)


@pytest.mark.parametrize(
    "module",
    [
        *("base_events", "coroutines", "events", "exceptions", "futures", "locks", "queues"),
        *("runners", "taskgroups", "tasks", "threads", "timeouts"),
    ],
)
def test_submodules_hold_what_the_real_ones_list(module: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        f"import asyncio.{module} as m; print(*sorted(n for n in m.__all__ if hasattr(m, n)))"
    )
    real = getattr(asyncio, module).__all__
    ours = {*dir(miniloop), "AbstractEventLoop", "BaseEventLoop"}
    expected = " ".join(sorted(name for name in real if name in ours))
    assert expected
    assert on_miniloop(tmp_path, "script.py") == Ended(expected + "\n", "", 0)


def test_what_a_submodule_has_that_is_no_matter_of_loops(tmp_path: Path) -> None:
    """It is asyncio's own: a logger, a number, the name of a state, a choice."""
    (tmp_path / "script.py").write_text(
        dedent("""
            import asyncio.log, asyncio.constants as c, logging
            from asyncio import base_events, constants, events, exceptions, log, tasks
            from asyncio.constants import DEBUG_STACK_DEPTH
            from asyncio.exceptions import *
            from asyncio.futures import _PENDING
            print(log.logger is asyncio.log.logger is logging.getLogger("asyncio"), log.logger)
            print(constants is c is asyncio.constants, DEBUG_STACK_DEPTH, c.ACCEPT_RETRY_DELAY)
            print(list(c._SendfileMode), c._SendfileMode.TRY_NATIVE.name, _PENDING)
            print(asyncio.subprocess.PIPE, asyncio.streams._DEFAULT_LIMIT, QueueEmpty)
            print(tasks.events is events is asyncio.base_events.events, events.__doc__)
            print(exceptions.CancelledError is asyncio.CancelledError is CancelledError)
            print(events._get_running_loop(), base_events.Server.__name__)
        """)
    )
    assert on_miniloop(tmp_path, "script.py") == on_python(tmp_path, "script.py")


@pytest.mark.parametrize("platform", ["windows_events", "unix_events"])
def test_a_submodule_for_one_platform(platform: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        f"import asyncio.{platform}\nprint(asyncio.{platform}.SelectorEventLoop.__name__)\n"
    )
    ours, theirs = on_miniloop(tmp_path, "script.py"), on_python(tmp_path, "script.py")
    assert ours.status == theirs.status
    assert ours.stderr.splitlines()[-1:] == theirs.stderr.splitlines()[-1:]


def test_annotations_and_isinstance(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        dedent("""
            import asyncio
            def f(loop: asyncio.AbstractEventLoop, queue: "asyncio.Queue[int]") -> asyncio.Task:
                return isinstance(loop, asyncio.AbstractEventLoop), isinstance(loop, asyncio.Queue)
            loop = asyncio.new_event_loop()
            print(f(loop, None))
            loop.close()
        """)
    )
    assert on_miniloop(tmp_path, "script.py") == Ended("(True, False)\n", "", 0)


def test_modules_beside_and_elsewhere(tmp_path: Path) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    whose = "import asyncio\nimport asyncio.queues\nWHOSE = asyncio.queues.Queue.__module__\n"
    files = {
        "plain.py": whose,
        "package/__init__.py": whose + "from . import inner\nfrom .inner import deeper\n",
        "package/inner/__init__.py": whose + "from ..sibling import WHOSE as SIBLING\n",
        "package/inner/deeper.py": whose,
        "package/sibling.py": whose,
        "namespace/part.py": whose,
        "asyncio_tricks.py": whose,
        "env/lib/python3/site-packages/installed.py": whose,
        "env/lib/python3/dist-packages/packaged.py": whose,
        "script.py": """
import sys
sys.path += ["env/lib/python3/site-packages", "env/lib/python3/dist-packages"]
import plain, package.inner.deeper, namespace.part, asyncio_tricks, installed, packaged, library
for module in plain, package, package.inner, package.inner.deeper, package.sibling, namespace.part:
    print(module.__name__, module.WHOSE)
print(package.inner.SIBLING, asyncio_tricks.WHOSE)
print(installed.WHOSE, packaged.WHOSE, library.WHOSE)
""",
    }
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    elsewhere.mkdir()
    (elsewhere / "library.py").write_text(whose)
    (project / "script.py").write_text(
        f"import sys; sys.path.append({str(elsewhere)!r})\n" + files["script.py"]
    )
    expected = """\
plain miniloop.core.queues
package miniloop.core.queues
package.inner miniloop.core.queues
package.inner.deeper miniloop.core.queues
package.sibling miniloop.core.queues
namespace.part miniloop.core.queues
miniloop.core.queues miniloop.core.queues
asyncio.queues asyncio.queues asyncio.queues
"""
    assert on_miniloop(project, "script.py", PYTHONDONTWRITEBYTECODE="") == Ended(expected, "", 0)
    # Nothing of the redirection may stay behind: python itself would read it from a cache.
    assert on_python(project, "-c", "import plain; print(plain.WHOSE)").stdout == "asyncio.queues\n"


def test_a_module_of_that_name_in_a_package(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "asyncio.py").write_text("Queue = 'of the package'\n")
    (package / "__init__.py").write_text("from .asyncio import Queue\nfrom . import asyncio\n")
    (tmp_path / "script.py").write_text("import package; print(package.Queue, package.asyncio)\n")
    assert on_miniloop(tmp_path, "script.py") == on_python(tmp_path, "script.py")


def test_a_script_above_the_standard_library() -> None:
    beside = Beside(Path(Path(asyncio.__file__).anchor))
    assert __file__ in beside
    assert asyncio.__file__ not in beside
    assert miniloop.__file__ not in beside
    assert pytest.__file__ not in beside
    assert "<frozen importlib._bootstrap>" not in beside


def test_a_module_cached_by_python_is_redirected_too(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("from asyncio import Queue\n")
    (tmp_path / "script.py").write_text("import beside; print(beside.Queue.__module__)\n")
    theirs = on_python(tmp_path, "script.py", PYTHONDONTWRITEBYTECODE="")
    assert theirs == Ended("asyncio.queues\n", "", 0)
    assert list(tmp_path.rglob("beside.*.pyc"))
    assert on_miniloop(tmp_path, "script.py") == Ended("miniloop.core.queues\n", "", 0)


def test_the_script_imported_by_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "import asyncio, script\n"
        "print(__name__, asyncio.Queue.__module__, script.asyncio is asyncio)\n"
    )
    # The inner import finds `script` half made, with asyncio already bound in it.
    expected = "script miniloop.core.queues True\n__main__ miniloop.core.queues True\n"
    assert on_miniloop(tmp_path, "script.py") == Ended(expected, "", 0)


def test_the_standard_library_makes_interop_loops(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        dedent("""
            import asyncio, sys
            from unittest import IsolatedAsyncioTestCase
            real = sys.modules["asyncio"]
            class Test(IsolatedAsyncioTestCase):
                async def test(self):
                    print(type(real.current_task()).__module__)
                    await real.sleep(0)
                    await asyncio.sleep(0)
            print(Test("test").run().errors)
            async def main():
                print(type(asyncio.current_task()).__module__)
            asyncio.run(main())
        """)
    )
    assert on_miniloop(tmp_path, "script.py") == Ended(
        "miniloop.interop\n[]\nminiloop.core.tasks\n", "", 0
    )
