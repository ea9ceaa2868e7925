"""What runs, and when: the event loop itself. The reading order stands in miniloop/__init__.py."""
