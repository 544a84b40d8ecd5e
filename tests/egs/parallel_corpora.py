"""What tests of translated corpora share: small parts of them in their official layout, and a look at what is made."""

from pathlib import Path

import numpy as np
import soundfile

from merit.data.datadir import problems_in, read_table

EGS = Path(__file__).parents[2] / "egs"


def write_audio(path: Path, rate: int = 16000, seconds: float = 0.1, channels: int = 1, **how: str) -> None:
    """Noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(0).standard_normal((round(rate * seconds), channels)) / 10
    soundfile.write(path, samples, rate, **how)


def write_lines(path: Path, *lines: str, encoding: str = "utf-8") -> None:
    """A text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding=encoding)


def prepared(data: Path, part: str, *languages: str) -> dict[str, tuple[str, ...]]:
    """Utterance -> its texts, of a set that is a valid data directory."""
    assert problems_in(data / part, audio=True) == []
    tables = [read_table(data / part / f"text.{language}") for language in languages]
    return {utterance: tuple(table[utterance] for table in tables) for utterance in tables[0]}


def make_covost2(folder: Path) -> None:
    """Common Voice of English with its translations into German; quotations open and do not end."""
    clips = {"a": "train", "b": "train_covost", "c": "dev", "d": "test"}
    for clip in (*clips, "e"):
        write_audio(folder / f"clips/common_voice_en_{clip}.mp3", 48000)
    write_lines(
        folder / "validated.tsv",
        "client_id\tpath\tsentence\tup_votes",
        *(f'c{clip}\tcommon_voice_en_{clip}.mp3\t"Say {clip}, please.\t2' for clip in (*clips, "e")),
    )
    write_lines(
        folder / "covost_v2.en_de.tsv",
        "path\ttranslation\tsplit",
        *(f'common_voice_en_{clip}.mp3\t"Sagen Sie {clip}, bitte.\t{split}' for clip, split in clips.items()),
        "common_voice_en_gone.mp3\tNicht in Common Voice.\ttrain",
    )


def make_mustc(folder: Path) -> None:
    """Two talks of each split, the second with a segment that goes beyond its end."""
    for number, split in enumerate(("train", "dev", "tst-COMMON")):
        base, first, second = folder / "data" / split, f"ted_{2 * number + 1}.wav", f"ted_{2 * number + 2}.wav"
        for talk in (first, second):
            write_audio(base / "wav" / talk, seconds=1)
        write_lines(
            base / f"txt/{split}.yaml",
            "- {duration: 0.500000, offset: 0.250000, rW: 2, uW: 0, speaker_id: spk.1, wav: " + first + "}",
            "- {duration: 0.250000, offset: 0.750000, rW: 2, uW: 0, speaker_id: spk.1, wav: " + first + "}",
            "- {duration: 0.600000, offset: 0.500000, rW: 2, uW: 0, speaker_id: spk.2, wav: " + second + "}",
        )
        write_lines(base / f"txt/{split}.en", "Thank you.", "Good  morning.", "(Applause)")
        write_lines(base / f"txt/{split}.de", "Danke.", "Guten Morgen.", "(Beifall)")


def make_fisher_callhome(folder: Path) -> None:
    """A call of each set of Fisher and of CALLHOME, two channels of mu-law at 8 kHz."""
    clone = folder / "fisher-callhome-corpus"
    for number, name in enumerate(("train", "dev", "dev2", "test")):
        call = f"20051009_18203{number}_217_fsp"
        sphere = {"format": "NIST", "subtype": "ULAW"}
        write_audio(folder / f"LDC2010S01/DISC1/data/speech/{call}.sph", 8000, 2, 2, **sphere)
        rows = [
            (0, 0.0, 0.5, "Buenas <laugh> tardes </laugh>."),
            (1, 0.5, 0.75, "((Buenas)) tardes"),
            (1, 0.75, 1.25, "¿Cómo está? [noise]"),
            (0, 1.25, 2.1, "{cough}"),
        ]
        write_lines(
            folder / f"LDC2010T04/fisher_spa_tr/data/transcripts/{call}.tdf",
            "file;unicode\tchannel;int\tstart;float\tend;float",
            ";;MM sectionTypes\t[u'None', u'report']",
            ";;MM sectionBoundaries\t[0.0, 9999999.0]",
            *(
                f"{call}.sph\t{side}\t{start}\t{end}\tAna\tfemale\tnative\t{text}\t0\t0\t-1"
                for side, start, end, text in rows
            ),
        )
        write_lines(clone / f"mapping/fisher_{name}", f"{call} 1", f"{call} 2_3", f"{call} 4")
        suffixes = ("",) if name == "train" else (".0", ".1", ".2", ".3")
        for suffix in suffixes:
            write_lines(
                clone / f"corpus/ldc/fisher_{name}.en{suffix}", f"Good{suffix} afternoon.", "How are you?", "Hm"
            )
    for number, (name, part) in enumerate((("train", "train"), ("devtest", "devtest"), ("evltest", "evltest"))):
        call = f"sp_089{number}"
        write_audio(folder / f"LDC96S35/{part}/{call}.SPH", 8000, 220, 2, format="NIST", subtype="ULAW")
        write_lines(
            folder / f"LDC96T17/transcrp/{part}/{call}.txt",
            "",
            "207.64 210.55 A: No porque ya no estoy {laugh}",
            "210.60 211.00 B1: Ajá, mañana.",
            encoding="iso8859-1",
        )
        write_lines(clone / f"mapping/callhome_{name}", f"{call} 2", f"{call} 3")
        write_lines(clone / f"corpus/ldc/callhome_{name}.en", "No because I am not", "Aha, tomorrow.")


MBOSHI_SENTENCES = ("kyéma yeékirá ikóó", "mósωngώsώ ngá", "wa ámitúúngá", "otángi ndée", "múnda ómiwáa", "wó twεrε ya")


def make_mboshi(folder: Path) -> None:
    """Utterances of three speakers; of each published part's sentences, the first is said twice."""
    for part, sentences in {"train": [*MBOSHI_SENTENCES, MBOSHI_SENTENCES[0]], "dev": ["mvundzú ádzá"]}.items():
        for number, sentence in enumerate(sentences):
            name = f"{('abiayi', 'kouarata', 'martial')[number % 3]}_2015_elicit_Dico{number}_{len(part)}"
            base = folder / "full_corpus_newsplit" / part / name
            write_audio(base.with_name(f"{name}.wav"))
            write_lines(base.with_name(f"{name}.mb"), f"{sentence.capitalize()}'")
            write_lines(base.with_name(f"{name}.mb.cleaned"), sentence)
            write_lines(base.with_name(f"{name}.fr"), f"L'été, c'est  {number}.")
            write_lines(base.with_name(f"{name}.fr.cleaned.noPunct"), f"l&apos; été c&apos; est {number} ")
