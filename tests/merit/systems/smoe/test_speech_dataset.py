"""Examples: what stands where, labels that are wrong on purpose, and tables that are wrong by accident."""

from dataclasses import replace

import pytest
import torch
from small_smoe import LANGUAGES, TINY, make_set

from merit.data.datadir import read_table, write_table
from merit.errors import MeritError
from merit.systems.smoe.feature_dump import dump_features, open_features
from merit.systems.smoe.speech_batch import UNSCORED
from merit.systems.smoe.speech_dataset import Labels, SpeechDataset
from merit.systems.smoe.vocabulary import END


def dataset(speech_corpus, vocabulary, part="train", **options):
    return SpeechDataset([speech_corpus[part]], vocabulary, LANGUAGES, TINY, **options)


def test_each_utterance_stands_there_once_for_each_task(speech_corpus, vocabulary):
    examples = dataset(speech_corpus, vocabulary)
    english, french = (read_table(speech_corpus["train"] / f"text.{language}") for language in ("en", "fr"))
    assert len(examples) == 24 and examples.groups == [0] * 12 + [1] * 12
    assert examples.samples[:12] == examples.samples[12:]
    for position, (task, language, texts) in ((3, (0, "en", english)), (15, (1, "fr", french))):
        item = examples[position, 0]
        assert item.keys == ["train003"] and item.task == task and item.bandwidths == [1]
        text = vocabulary.encode(texts["train003"])
        assert item.tokens.tolist() == [[*vocabulary.prefix(task, language), *text]]
        assert item.targets.tolist() == [[UNSCORED, UNSCORED, *text, END]]
        assert item.features.shape == (1, int(item.frames), 80)
        assert item.transcripts is None


def test_the_transcript_is_there_for_ctc_whatever_the_task(speech_corpus, vocabulary):
    examples = SpeechDataset([speech_corpus["dev"]], vocabulary, LANGUAGES, replace(TINY, ctc=True))
    english = read_table(speech_corpus["dev"] / "text.en")
    assert examples[7, 0].transcripts.tolist() == [vocabulary.encode(english["dev002"])]


def test_dumped_features_are_those_of_the_audio(speech_corpus, vocabulary, tmp_path):
    dump_features(speech_corpus["dev"], tmp_path / "dump")
    reader = open_features(tmp_path / "dump", speech_corpus["dev"], 80)
    dumped, heard = (
        dataset(speech_corpus, vocabulary, "dev", readers=[reader]),
        dataset(speech_corpus, vocabulary, "dev"),
    )
    torch.testing.assert_close(dumped[1, 0].features, heard[1, 0].features, atol=2e-3, rtol=1e-3)
    assert dumped.shards is None  # as few as are open anyway


def test_directories_stand_one_after_the_other(speech_corpus, vocabulary):
    both = [speech_corpus["train"], speech_corpus["dev"]]
    examples = SpeechDataset(both, vocabulary, LANGUAGES, TINY)
    assert len(examples) == 34 and examples[12, 0].keys == ["dev000"] and examples[29, 0].keys == ["dev000"]
    with pytest.raises(MeritError, match="utterance train000 is in another data directory too"):
        SpeechDataset([both[0], both[0]], vocabulary, LANGUAGES, TINY)


def test_a_share_of_the_labels_is_wrong_and_always_the_same(tmp_path, vocabulary):
    data = make_set(tmp_path, "many", 200, 5)
    labels = Labels(seed=4, corrupt_bandwidth=0.4, corrupt_task=0.1)
    given, wrong = (SpeechDataset([data], vocabulary, LANGUAGES, TINY, labels=some) for some in (Labels(), labels))
    bandwidths = [wrong[place, 0].bandwidths != given[place, 0].bandwidths for place in range(200)]
    assert 60 <= sum(bandwidths) <= 100
    tasks = [place for place in range(400) if wrong.groups[place] != given.groups[place]]
    assert 20 <= len(tasks) <= 60
    again, otherwise = (replace(labels, seed=seed) for seed in (4, 5))
    assert wrong.groups == SpeechDataset([data], vocabulary, LANGUAGES, TINY, labels=again).groups
    assert wrong.groups != SpeechDataset([data], vocabulary, LANGUAGES, TINY, labels=otherwise).groups
    taken = wrong[tasks[0], 0]  # the text stays, and stands under the other tags
    assert taken.task == wrong.groups[tasks[0]] != given[tasks[0], 0].task
    text = given[tasks[0], 0].tokens[0, 3:].tolist()
    language = ("en", "fr")[taken.task]
    assert taken.tokens.tolist() == [[*vocabulary.prefix(taken.task, language), *text]]


def test_masks_change_with_the_epoch_and_come_back(speech_corpus, vocabulary):
    examples = dataset(speech_corpus, vocabulary, labels=Labels(seed=1, augment=True))
    first, again, later = examples[0, 0].features, examples[0, 0].features, examples[0, 1].features
    assert torch.equal(first, again) and not torch.equal(first, later)


def test_masks_are_those_of_the_seed_the_epoch_and_the_utterance():
    frames = torch.ones(300, 80)
    labels = Labels(seed=1, augment=True)
    masked = [labels.augmented(frames, "u", 0), labels.augmented(frames, "u", 1), labels.augmented(frames, "v", 0)]
    masked.append(replace(labels, seed=2).augmented(frames, "u", 0))
    assert all(torch.equal(one, other) == (one is other) for one in masked for other in masked)
    assert torch.equal(labels.augmented(frames, "u", 0), masked[0])
    assert torch.equal(Labels(seed=1).augmented(frames, "u", 0), frames)


@pytest.mark.parametrize(
    "table, change, message",
    [
        ("utt2bw", {"dev001": "telephone"}, "utt2bw: 'telephone' for utterance dev001; expected wide or narrow"),
        ("utt2bw", {"dev001": None}, "utt2bw: no line for utterance dev001"),
        ("text.fr", {"dev002": None}, "text.fr: no line for utterance dev002, which wav.scp has"),
        ("text.en", {"dev002": "low " * 40}, r"text.en: the text of utterance dev002 has \d+ tokens; expected 1 to 36"),
        ("utt2dur", {"dev003": "61"}, "utterance dev003 of 61.00 s is longer than the model takes, 60 s"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, vocabulary, table, change, message):
    data = make_set(tmp_path, "dev", 5, 2)
    lines = {key: change.get(key, value) for key, value in read_table(data / table).items()}
    write_table(data / table, {key: value for key, value in lines.items() if value is not None})
    with pytest.raises(MeritError, match=message):
        SpeechDataset([data], vocabulary, LANGUAGES, TINY)


def test_an_empty_text_is_named(tmp_path, vocabulary):
    data = make_set(tmp_path, "dev", 5, 2)
    path = data / "text.en"
    path.write_text("".join(f"{line.split()[0]}\n" if "002" in line else line for line in path.open()))
    with pytest.raises(MeritError, match="text.en:3: expected 'key value': 'dev002'"):
        SpeechDataset([data], vocabulary, LANGUAGES, TINY)


def test_bandwidths_have_the_numbers_of_their_experts(speech_corpus, vocabulary):
    assert dataset(speech_corpus, vocabulary, "dev").bandwidths == [0, 1, 0, 1, 0]  # wide-band E0, narrow-band E1


def test_a_dump_of_other_audio_is_refused(speech_corpus, tmp_path):
    dump_features(speech_corpus["dev"], tmp_path / "dump")
    with pytest.raises(MeritError, match="its audio is not that of wav.scp any more"):
        open_features(tmp_path / "dump", speech_corpus["train"], 80)
    with pytest.raises(MeritError, match="features is Kaldi log-mel, 80 bins"):
        open_features(tmp_path / "dump", speech_corpus["dev"], 40)
