"""CPython's own asyncio tests, run against miniloop.

The interpreter ships its tests as ``test.test_asyncio``. Nothing of them is copied: they are
imported where they are installed, and what they import as ``asyncio`` is either of two things:

* a stand-in made of miniloop's names. So run the tests about scheduling, and those about I/O that
  need no more than the core: sockets, streams, servers, signals;
* asyncio itself, where every loop is ``miniloop.interop.EventLoop``. So run the other tests about
  I/O: transports, TLS, subprocesses, policies.

How one test file is run, in reading order:

1. ``score.py`` (the parent) starts one child process per test file, so that no file can disturb
   another, and reads one JSON line per test from it.
2. ``child.py`` imports the real asyncio and miniloop, and puts what the tests shall get into place
   before anything has imported ``unittest`` or the tests, which both import asyncio. Processes that
   a test spawns come past here too.
3. ``facade.py`` replaces ``asyncio`` and each of its submodules in ``sys.modules``. A name comes
   from miniloop wherever miniloop has it. What miniloop has not is missing, so that its test fails
   and has to be explained, with three exceptions, all listed at the top of that file: classes and
   constants that schedule nothing (protocols, transports, exceptions, ...); a module of the
   installed asyncio that is *executed again* on top of the stand-in, and so runs on miniloop's
   tasks and locks (staggered); and event loop policies and a watcher of child processes, which
   miniloop does not have and the stand-in plays. A mock that a test puts on a stand-in module
   (``asyncio.base_events.logger``) is put on the modules of miniloop that hold the same object.
   ``on_interop.py``, for the other tests, leaves asyncio as it is and replaces its loops. It counts
   ticks and the steps of tasks, and asyncio's own loops refuse to run.
4. ``testloop.py`` replaces the tests' ``TestLoop``, a loop with a made-up clock, by one that needs
   only miniloop's public interface.
5. ``child.py`` runs the tests, each with a time limit kept by a watchdog thread; ``result.py``
   writes down how each ended.
6. ``score.py`` holds the outcomes against two kinds of data, read by ``register.py``:

   ``ids/``           The tests that ask for public behaviour only, found by running CPython's own
                      Python code with all its private names renamed: one list per release. A
                      Python gets the list of the nearest older patch release of its minor
                      version. How many of these tests pass is the first score. ``-core`` is about
                      scheduling; ``-io`` is about sockets, streams, transports and subprocesses,
                      counted apart.

                      These kept their names: ``_asyncio_future_blocking`` and
                      ``_asyncio_awaited_by``, which any future-like object may have; names in an
                      ``__all__``; those by which the tests tell C from Python (``_PyTask``); and
                      ``_default_executor``, ``_threads`` and the policies' names, which every
                      test's set-up and clean-up use. A test that the list of 3.13.0 leaves out,
                      such as one that replaces private methods by mocks, stays out of later lists.
   ``register.toml``  Every test that does not pass, with the reason. It is strict: an excluded test
                      is run all the same, and one that passes is a failure of the suite, and so is
                      an entry that matches no test. Only what is marked ``run = false`` is left
                      out, as its outcome would say nothing about miniloop.

   The second score is how many of *all* tests in the same files pass, those included that look at
   asyncio's private names.
7. ``report.py`` prints the scores and writes the page of the documentation.

Which loop is tested? The core loop, ``miniloop.EventLoop``, wherever it can do what is asked.
``register.toml`` lists which tests about scheduling connect protocols and so need the interop loop
(``[interop]``), and which ones about I/O do not (``[io_on_core]``). Every report counts them apart.

Does a test reach miniloop at all? Inside asyncio some pass beside it, such as those of abstract
classes. They are listed as well (``[io_without_loop]``); any other in which no loop of miniloop
runs is a failure of the suite.

Can it fail? ``test_strictness.py`` runs it on loops that are broken on purpose, on asyncio's own,
and on a register that is wrong. And ``python -m tests.conformance --reference`` runs the same
machinery on CPython's own Python code, copied under another name into a temporary folder, and on
asyncio as it is: what fails there is a fault of the machinery, and nothing does.

    python -m tests.conformance                  the score on this Python
    python -m tests.conformance --help           the rest
"""
