"""Proof that the tester can fail: it finds every loop that was broken on purpose."""
