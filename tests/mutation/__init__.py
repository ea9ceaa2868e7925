"""Mutation testing of the core under the property suite alone.

    python -m tests.mutation

takes a fixed-seed sample of small changes to the core (mutmut's operators), and runs the random
programs of the property suite against each. A change that these do not find is tried on the tests
of `tests/core` and `tests/details`. What found which change is written to `docs/generated/`.

Reading order: `mutants` (what can be changed), `suite` (runs in a child process: does the property
suite notice?), `score` (results, and the page made of them), `__main__` (the run).
"""
