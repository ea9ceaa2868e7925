"""The exception that every command raises for an error that the user can mend."""


class BadInput(Exception):
    """One line that says what is wrong and how to mend it. `main()` prints it and returns 2."""
