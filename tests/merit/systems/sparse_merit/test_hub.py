"""Models by name: a local folder stands for the hub, and huggingface_hub itself where it needs no network."""

import re
import shutil
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace

import pytest
from author_release import random_release
from huggingface_hub import constants
from huggingface_hub.errors import DryRunError, LocalEntryNotFoundError

from merit.cli import main
from merit.errors import MeritError
from merit.systems.sparse_merit import hub
from merit.systems.sparse_merit.inference import Merit

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")


class LocalHub:
    """Repositories are folders of ``root``; behaves as ``huggingface_hub.snapshot_download``, and counts its work."""

    def __init__(self, root: Path) -> None:
        self.root, self.cache = root, root / "cache"
        self.online = True
        self.downloaded: list[str] = []

    def snapshot_download(self, repository, allow_patterns, dry_run=False, local_files_only=False):
        remote, snapshot = self.root / repository, self.cache / repository.replace("/", "--") / "c0ffee"
        reachable = self.online and not local_files_only and remote.exists()
        if dry_run and not reachable:
            raise DryRunError("cannot be accessed") from ConnectionError("no route to the hub\ntry later")
        if not reachable:
            if snapshot.exists():
                return str(snapshot)
            raise LocalEntryNotFoundError("no route to the hub\ntry later")
        files = [path.relative_to(remote).as_posix() for path in remote.rglob("*") if path.is_file()]
        files = [file for file in files if any(fnmatch(file, pattern) for pattern in allow_patterns)]
        if dry_run:
            return [SimpleNamespace(filename=file) for file in files]
        for file in files:
            if not (snapshot / file).exists():
                (snapshot / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(remote / file, snapshot / file)
                self.downloaded.append(file)
        return str(snapshot)


@pytest.fixture
def local_hub(tmp_path, monkeypatch):
    local = LocalHub(tmp_path / "hub")
    monkeypatch.setattr(hub, "snapshot_download", local.snapshot_download)
    monkeypatch.setattr(constants, "HF_ASSETS_CACHE", str(tmp_path / "assets"))
    monkeypatch.chdir(tmp_path)
    return local


def test_release_is_downloaded_and_converted_once(local_hub, make_speech):
    release = random_release()
    folder = release.save(local_hub.root / "RogerTzeng" / "Sparse-MERIT" / "wavLM_adamW")
    for other in ("clean_train_norm_stat.pkl", "final_loss.pt", "../WavLM-Large.pt", "../config.json"):
        (folder / other).write_text("not needed")
    samples = make_speech(0.3)
    expected = release.evaluate(samples)[0].softmax(dim=0).tolist()

    first = Merit.from_pretrained("RogerTzeng/Sparse-MERIT", "cpu", "float32")
    assert list(first(samples, 16000).emotion.values()) == pytest.approx(expected, abs=1e-5)
    parts = [*(f"final_{part}.pt" for part in ("mmoe", "pool", "se", "ser", "ssl")), "train_norm_stat.pkl"]
    assert sorted(local_hub.downloaded) == [f"wavLM_adamW/{name}" for name in parts]
    assert first.description.ssl == "RogerTzeng/Sparse-MERIT@c0ffee"

    local_hub.online = False
    shutil.rmtree(local_hub.cache)
    again = Merit.from_pretrained(Path("RogerTzeng/Sparse-MERIT"), "cpu", "float32")
    assert again(samples, 16000).emotion == first(samples, 16000).emotion
    left = [path.relative_to(local_hub.root.parent / "assets").as_posix() for path in _files(local_hub.root.parent)]
    assert left == [f"merit/RogerTzeng--Sparse-MERIT/{name}" for name in ("config.json", "model.safetensors")]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "assets").rglob("*") if path.is_file())


def test_one_of_several_releases(local_hub):
    repository = local_hub.root / "RogerTzeng" / "Sparse-MERIT"
    for seed in (7, 17):
        random_release(seed).save(repository / "seeds" / str(seed))
    with pytest.raises(MeritError, match="RogerTzeng/Sparse-MERIT: .*several folders; give one: seeds/17, seeds/7"):
        hub.model_directory("RogerTzeng/Sparse-MERIT")
    assert local_hub.downloaded == []
    seven = hub.model_directory("RogerTzeng/Sparse-MERIT/seeds/7")
    assert len(local_hub.downloaded) == 6
    assert hub.model_directory("RogerTzeng/Sparse-MERIT/seeds/17") != seven


def test_half_a_release_is_not_downloaded(local_hub):
    folder = random_release().save(local_hub.root / "RogerTzeng" / "Sparse-MERIT")
    (folder / "train_norm_stat.pkl").unlink()
    with pytest.raises(MeritError, match="RogerTzeng/Sparse-MERIT: .*lacks train_norm_stat.pkl; .* --mean and --std"):
        hub.model_directory("RogerTzeng/Sparse-MERIT")
    assert local_hub.downloaded == []


def test_damaged_release_leaves_nothing_behind(local_hub):
    folder = random_release().save(local_hub.root / "RogerTzeng" / "Sparse-MERIT")
    (folder / "final_se.pt").write_bytes(b"half")
    with pytest.raises(MeritError, match="final_se.pt: cannot be read"):
        hub.model_directory("RogerTzeng/Sparse-MERIT")
    assert _files(local_hub.root.parent) == []


def test_another_process_may_be_faster(local_hub, monkeypatch):
    random_release().save(local_hub.root / "RogerTzeng" / "Sparse-MERIT")
    convert = hub.convert_release

    def convert_twice(source, output, name):
        convert(source, output, name=name)
        monkeypatch.setattr(hub, "convert_release", convert)
        hub.model_directory("RogerTzeng/Sparse-MERIT")

    monkeypatch.setattr(hub, "convert_release", convert_twice)
    directory = hub.model_directory("RogerTzeng/Sparse-MERIT")
    assert _files(local_hub.root.parent) == [directory / "config.json", directory / "model.safetensors"]


@pytest.mark.parametrize("name", ["somebody/merit", "somebody/merit/exp/sparse_merit-7"])
def test_model_directories_of_ours(local_hub, model_directory, make_speech, name):
    shutil.copytree(model_directory, local_hub.root / name)
    (local_hub.root / name / "last.pt").write_text("not needed")
    expected = Merit.from_pretrained(model_directory, "cpu", "float32")(make_speech(0.3), 16000)
    for online in (True, False):
        local_hub.online = online
        found = Merit.from_pretrained(name, "cpu", "float32")(make_speech(0.3), 16000)
        assert found.emotion == expected.emotion
    assert [Path(file).name for file in local_hub.downloaded] == ["config.json", "model.safetensors"]


def test_other_models_are_refused_before_their_weights(local_hub):
    repository = local_hub.root / "microsoft" / "wavlm-large"
    repository.mkdir(parents=True)
    (repository / "config.json").write_text('{"model_type": "wavlm"}')
    (repository / "model.safetensors").write_text("large")
    with pytest.raises(MeritError, match="config.json: not the configuration of a trained MERIT model"):
        hub.model_directory("microsoft/wavlm-large")
    assert local_hub.downloaded == ["config.json"]
    (repository / "config.json").unlink()
    with pytest.raises(MeritError, match="microsoft/wavlm-large: .*lacks final_ssl.pt, final_mmoe.pt"):
        hub.model_directory("microsoft/wavlm-large")


@pytest.mark.parametrize(
    "name", ["nowhere", "exp/sparse_merit-7", "/nowhere/at/all", "../a/b", "./a/b", "a//b", "a/b c", "hub/x"]
)
def test_local_names_are_not_looked_for_on_the_hub(local_hub, name):
    (local_hub.root.parent / "exp").mkdir()
    local_hub.root.mkdir()
    with pytest.raises(
        MeritError, match=f"^{re.escape(name)}: there is no such directory; expected .*RogerTzeng/Sparse-MERIT"
    ):
        Merit.from_pretrained(name)


def test_local_release_is_told_apart(local_hub, tmp_path):
    folder = random_release().save(tmp_path / "authors")
    with pytest.raises(MeritError, match="convert_author_checkpoint.py --checkpoint .*authors --output DIR"):
        hub.model_directory(folder)


def test_without_a_network(local_hub):
    local_hub.online = False
    with pytest.raises(MeritError) as error:
        Merit.from_pretrained("RogerTzeng/Sparse-MERIT")
    message = str(error.value)
    assert "(no route to the hub)" in message and "try later" not in message
    assert "`hf download RogerTzeng/Sparse-MERIT --local-dir DIR`" in message
    assert "convert_author_checkpoint.py" in message


def test_without_a_network_by_the_real_library(monkeypatch, model_directory, tmp_path, capsys):
    for name in ("HF_HUB_CACHE", "HF_ASSETS_CACHE"):
        monkeypatch.setattr(constants, name, str(tmp_path / name))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["emotion", "a.wav", "--model", "somebody/merit", "--device", "cpu"])
    assert str(end.value).startswith("error: somebody/merit: ") and "hf download somebody/merit" in str(end.value)

    repository = tmp_path / "HF_HUB_CACHE" / "models--somebody--merit"  # as an earlier download leaves it
    shutil.copytree(model_directory, repository / "snapshots" / ("0" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    assert Merit.from_pretrained("somebody/merit", "cpu").classes == ["angry", "happy", "neutral", "sad"]
