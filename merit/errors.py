"""The one exception of the package that is meant for people."""


class MeritError(Exception):
    """Something a user can mend: bad input, a full disk, two things that do not fit together.

    The message names the file (and line or utterance), what was expected there and what to do about it.
    Commands print it alone, without a traceback, and exit with status 1 (see ``merit.command``).
    """


def brief(error: BaseException, length: int = 200) -> str:
    """Kind and words of a library's error in one line, cut to ``length``, to be quoted in a message."""
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return words if len(words) <= length else f"{words[:length]}..."
