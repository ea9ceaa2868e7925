"""The ladder in examples/ladder, held against asyncio.

`python -m tests.ladder` prints how many programs each rung agrees on.
"""
