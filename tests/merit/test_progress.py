"""Progress bars: for people alone."""

import io

import pytest

from merit.progress import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "terminal, environment, shown",
    [
        (True, {}, True),
        (False, {}, False),
        (False, {"MERIT_PROGRESS": "1"}, True),
        (False, {"MERIT_PROGRESS": "0"}, False),
        (True, {"RANK": "0"}, True),
        (True, {"RANK": "1"}, False),
        (True, {"RANK": "1", "MERIT_PROGRESS": "1"}, False),
    ],
)
def test_a_bar_is_drawn_where_somebody_looks(monkeypatch, terminal, environment, shown):
    for name in ("MERIT_PROGRESS", "RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    with progress(4, "reading", "utt", mininterval=0) as bar:
        for _ in range(4):
            bar.update()
    drawn = stream.getvalue()
    assert ("reading: 100%" in drawn and "4/4" in drawn and "utt" in drawn) if shown else drawn == ""
