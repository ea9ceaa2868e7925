"""Compare event loops in a test: `assert_same_schedule()`, and the pytest fixture `same_schedule`.

>>> from miniloop.testing import assert_same_schedule
>>> assert_same_schedule("import asyncio; asyncio.run(asyncio.sleep(1))")

`assertion` runs a program on two or more loops, and fails if they differ. `plugin` is the fixture.
If two loops differ, the error names the rule that the second one breaks, as the lab tells. So this
room stands above the lab.
"""

from .assertion import NotComparedFurther, assert_same_schedule

__all__ = ["NotComparedFurther", "assert_same_schedule"]
