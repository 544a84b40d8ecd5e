"""The normalisation of the waveforms as a recipe computes it."""

import json

import numpy as np
import soundfile

from merit.data.datadir import read_table


def test_mean_and_deviation_of_all_samples_are_printed_and_kept(recipe, run):
    result = run("waveform_statistics", "--data", "data/test", "--nj", "2")
    assert result.returncode == 0, result.stderr
    files = read_table(recipe / "data/test/wav.scp").values()
    samples = np.concatenate([soundfile.read(recipe / file)[0] for file in files])
    expected = f"mean {samples.mean():.6f}, standard deviation {samples.std():.6f} over {len(samples)} samples"
    assert result.stdout == f"data/test: {expected}\n"
    kept = json.loads((recipe / "data/test/waveform_stats.json").read_text())
    np.testing.assert_allclose((kept["mean"], kept["std"]), (samples.mean(), samples.std()), rtol=1e-9)


def test_no_process_is_refused(run):
    result = run("waveform_statistics", "--data", "data/test", "--nj", "0")
    assert (result.returncode, result.stderr) == (1, "error: --nj 0: expected at least one process\n")
