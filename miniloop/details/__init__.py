"""What else asyncio does. A program of plain futures and tasks is scheduled without it."""
