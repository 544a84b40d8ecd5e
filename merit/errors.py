"""The one exception of the package that is meant for people."""


class MeritError(Exception):
    """Something a user can mend: bad input, a full disk, two things that do not fit together.

    The message names the file (and line or utterance), what was expected there and what to do about it.
    Commands print it alone, without a traceback, and exit with status 1 (see ``merit.command``).
    """
