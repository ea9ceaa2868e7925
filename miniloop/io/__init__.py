"""The world outside: descriptors, signals, executors, threads, sockets, streams."""
