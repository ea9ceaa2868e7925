"""What asyncio does besides. Nothing here decides an order."""
