"""The plugin under test is not installed when the tests run from a clone."""

from miniloop.difftest.plugin import same_schedule  # noqa: F401
