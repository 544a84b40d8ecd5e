"""What a metric raises when it has no value for a pair of signals."""


class UndefinedScore(Exception):
    """The metric is not defined for these signals; the message is the reason.

    Not an error of the program or of the user: the score becomes NaN, is counted, and stays out of the mean.
    """
