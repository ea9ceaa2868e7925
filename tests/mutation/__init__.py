"""Mutation testing of the core under the property suite alone.

    python -m tests.mutation

takes a fixed-seed sample of small changes to the core (mutmut's operators), runs the random
programs of the property suite against each, and writes which changes they found to
`docs/generated/`.

Reading order: `mutants` (what can be changed), `suite` (runs in a child process: does the property
suite notice?), `score` (results, and the page made of them), `__main__` (the run).
"""
