"""The one exception of the package that is meant for people, and what a file error says to them."""


class MeritError(Exception):
    """Something a user can mend: bad input, a full disk, two things that do not fit together.

    The message names the file (and line or utterance), what was expected there and what to do about it.
    Commands print it alone, without a traceback, and exit with status 1 (see ``merit.command``).
    """


def brief(error: BaseException, length: int = 200) -> str:
    """Kind and words of a library's error in one line, cut to ``length``, to be quoted in a message."""
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return words if len(words) <= length else f"{words[:length]}..."


def file_error(error: OSError) -> str:
    """One sentence on a file or directory that cannot be used."""
    place = error.filename2 or error.filename
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return f"{place}: a directory is needed here, and this is a file or lies below one; choose another place"
    if isinstance(error, IsADirectoryError):
        return f"{place}: a file is to be written here, and this is a directory; choose another name"
    return f"{place}: {error.strerror}" if place and error.strerror else str(error)
