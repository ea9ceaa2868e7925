"""Tests that hold miniloop against asyncio, and tests of the tester itself."""
