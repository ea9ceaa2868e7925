"""What else asyncio does. An ordinary program is scheduled without it."""
