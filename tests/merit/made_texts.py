"""An experiment of speech to text as its stages leave it, with texts made by hand."""

import json
from dataclasses import replace
from pathlib import Path

from small_smoe import TINY, describe

from merit.data.datadir import write_data_directory
from merit.files import csv_text, write_text
from merit.systems.smoe.speech_decoding import COLUMNS
from merit.training.run_state import start_run

ENGLISH = {"u1": "the black cat sees two dogs", "u2": "a girl wants the house", "u3": "six boats follow my horse"}
FRENCH = {
    "u1": "le chat noir voit deux chiens",
    "u2": "une fille veut la maison",
    "u3": "six bateaux suivent mon cheval",
}
ONE_WRONG = {**ENGLISH, "u2": "a girl wants a house"}
MISSING = {**FRENCH, "u3": ""}


def make_tests(root: Path) -> list[Path]:
    """Data directories ``test`` (wide) and ``test_narrow``, without audio."""
    found = []
    for name, bandwidth in (("test", "wide"), ("test_narrow", "narrow")):
        tables = {"utt2bw": dict.fromkeys(ENGLISH, bandwidth), "text.en": ENGLISH, "text.fr": FRENCH}
        speakers = dict.fromkeys(ENGLISH, "u")
        write_data_directory(root / name, {key: f"{key}.wav" for key in ENGLISH}, speakers, **tables)
        found.append(root / name)
    return found


def write_decoded(folder: Path, english: dict[str, str], french: dict[str, str], seconds: float = 1.0) -> None:
    """What decoding writes of a set."""
    for task, texts in (("transcribe", english), ("translate", french)):
        write_text(folder / f"{task}.csv", csv_text(COLUMNS, ([key, text, "-0.5"] for key, text in texts.items())))
        described = {"audio_seconds": 10.0, "seconds": seconds, "threads": 1, "device": "cpu", "peak_memory_gb": 0.25}
        write_text(folder / f"{task}.json", json.dumps(described))


def make_run(directory: Path, vocabulary, english, french, **changes) -> Path:
    """A run whose texts are these in both sets."""
    description = replace(describe(vocabulary), model=replace(TINY, **changes))
    start_run(directory, description, {"seed": 7})
    for name in ("test", "test_narrow"):
        write_decoded(directory / "decode" / name, english, french, seconds=2.0)
    return directory


def make_experiment(root: Path, vocabulary) -> Path:
    """Runs ``base-7`` with a mistake and ``encdec_smoe-7`` without, the latter probed."""
    exp = root / "exp"
    make_run(exp / "base-7", vocabulary, ONE_WRONG, MISSING, encoder_experts=1, decoder_experts=1)
    run = make_run(exp / "encdec_smoe-7", vocabulary, ENGLISH, FRENCH)
    for way in ("other_bandwidth", "other_expert", "other_tag"):
        for name in ("test", "test_narrow"):
            texts = (ENGLISH, FRENCH) if way == "other_bandwidth" else (FRENCH, ENGLISH)
            write_decoded(run / "probe" / way / name, *texts)
    updates = [
        {"side": side, "expert": expert, "updates": 100.0 + 80 * expert, "distance": 0.1}
        for side in ("encoder", "decoder")
        for expert in (0, 1)
    ]
    detected = {name: dict.fromkeys(ENGLISH, "narrow") for name in ("test", "test_narrow")}
    ways = ["other_bandwidth", "other_expert", "other_tag"]
    write_text(run / "probe/probe.json", json.dumps({"ways": ways, "updates": updates, "detected": detected}))
    return exp
