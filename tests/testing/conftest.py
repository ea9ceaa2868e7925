"""The plugin under test is not installed when the tests run from a clone."""

from miniloop.testing.plugin import same_schedule  # noqa: F401
