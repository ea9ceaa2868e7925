"""The one exception that every command raises for what the person at the terminal can mend."""


class BadInput(Exception):
    """One line that names what is wrong and how to mend it; `main` prints it and exits with 2."""
