"""An experiment whose noisy, enhanced and clean speech can be listened to."""

from pathlib import Path

import numpy as np
from routing_folder import CONDITIONS, UTTERANCES, make_run, write_enhancement

from merit.data.audio import write_audio
from merit.data.datadir import write_data_directory, write_table
from merit.data.noise.mixed_names import parse_condition
from merit.systems.sparse_merit.results.experiment import open_experiment

ALL = list(map(parse_condition, CONDITIONS))


class Listened:
    """Runs with audio, and scores of the noisy input."""

    def __init__(self, root: Path, make_speech):
        self.root = root
        self.runs = [
            make_run(root / "exp", "ft_m", 7, routed=False, heads=("emotion",)),
            make_run(root / "exp", "sparse_merit", 7),
            make_run(root / "exp", "sparse_merit", 17),
        ]
        noisy, data = root / "noisy", root / "data"
        speakers = dict.fromkeys(UTTERANCES, "speaker")
        audio = {
            kind: {utt: root / kind / f"{utt}.flac" for utt in UTTERANCES}
            for kind in ("noisy_audio", "enhanced", "clean")
        }
        for seed, files in enumerate(audio.values()):
            for n, file in enumerate(files.values()):
                write_audio(file, make_speech(0.3 + 0.02 * n, 100 * seed + n))
        for n, condition in enumerate(ALL):
            write_enhancement(noisy / condition.name / "enhancement.csv", np.random.default_rng(n), 0.0)
            clean = {"spk1.scp": audio["clean"]}
            write_data_directory(data / condition.name, audio["noisy_audio"], speakers, utt2emo=UTTERANCES, **clean)
            for run in self.runs[1:]:
                write_table(run.decoded(condition) / "wav.scp", audio["enhanced"])
        self.experiment = open_experiment(self.runs, ["babble"], data, noisy)
