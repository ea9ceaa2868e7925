"""Whether `compare` gives the same verdict each time, and the right one.

    python -m tests.verdicts [--times N] [NAME ...]

Compares each script of `right.toml` N times (20 by default) as a person would, and counts the
verdicts. The scripts are the examples and those in `scripts/`: with threads, pools, logs and
libraries, and with ends of all kinds. Prints a line for each script as soon as it is done. The exit
status is 1 if any verdict was wrong. Only the scripts with one of the NAMEs in their path are
compared, if there are any. The library scripts want the extra `ecosystem`.
"""
