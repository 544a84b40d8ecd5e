"""The plan of a recipe: what follows from the methods' files and from the options on noise, for bash to look up.

A plan is a dictionary of short texts: ``speech se_p`` is ``enhanced``, ``tests babble`` is ``test_babble_0dB
test_babble_5dB``. Lists have spaces between their words.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from merit.data.noise.mixed_names import condition_name, parse_condition
from merit.errors import MeritError
from merit.systems.sparse_merit.methods.method import Method, find_method, read_method

_RATIO = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def plan_methods(
    names: Sequence[str],
    seeds: Sequence[str],
    folders: Sequence[str],
    enhancer: str,
    enhancer_seed: str,
    is_pretrained: bool,
) -> dict[str, str]:
    """What is to be trained for the methods, and on what.

    Args:
        names: of the methods to compare.
        seeds: every method is trained with each.
        folders: where the files of methods lie; the first one that has it counts.
        enhancer: the method that enhances for those that hear enhanced speech.
        enhancer_seed: its seed.
        is_pretrained: the enhancer starts from a whole model, not from heads of phase 1.

    Returns:
        ``direct``, ``waiting``: the methods that can be trained at once, and those that wait for the enhancer.
        ``kinds``: of speech that is there without the enhancer. ``tasks``: of any of the methods.
        For each method M, ``conf M``: its file, ``speech M``, ``tasks M``, ``routes M``: true or false, ``heads M``:
        tasks whose heads of phase 1 it starts from. For each kind of speech K, ``phase1 K``: heads to train, as
        emotion:7.

    Raises:
        MeritError: when there is no such method, its file is none, or the enhancer cannot enhance for others.
    """
    files = {name: _file(name, folders, "--methods") for name in names}
    methods = {name: read_method(Path(files[name])) for name in names}
    waiting = [name for name in names if methods[name].speech == "enhanced"]
    direct = [name for name in names if name not in waiting]
    if waiting:
        files[enhancer] = _file(enhancer, folders, "--enhancer")
        methods[enhancer] = read_method(Path(files[enhancer]))
        if methods[enhancer].speech == "enhanced" or "enhancement" not in methods[enhancer].model.tasks:
            raise MeritError(
                f"--enhancer: {files[enhancer]} must have the task enhancement and hear speech that is not enhanced "
                "already"
            )
    tasks = {name: sorted(method.model.tasks) for name, method in methods.items()}
    heads = {name: [] if is_pretrained and name == enhancer else tasks[name] for name in methods}

    def phase1(speech: str) -> list[str]:
        """Heads on one kind of speech: of all seeds, and for the enhancer of its own."""
        chosen = [name for name in names if methods[name].speech == speech]
        needed = [f"{task}:{seed}" for seed in seeds for task in _all_of(heads[name] for name in chosen)]
        if waiting and methods[enhancer].speech == speech:
            needed += [f"{task}:{enhancer_seed}" for task in heads[enhancer]]
        return list(dict.fromkeys(needed))

    kinds = {methods[name].speech for name in [*direct, *([enhancer] if waiting else [])]}
    plan = {"direct": direct, "waiting": waiting, "kinds": sorted(kinds), "tasks": _all_of(map(tasks.get, names))}
    for kind in sorted({method.speech for method in methods.values()}):
        plan[f"phase1 {kind}"] = phase1(kind)
    for name, method in methods.items():
        plan |= {f"conf {name}": [files[name]], f"speech {name}": [method.speech]}
        plan |= {f"tasks {name}": tasks[name], f"heads {name}": heads[name], f"routes {name}": [_routes(method)]}
    return {question: " ".join(words) for question, words in plan.items()}


def plan_sets(seen: str, unseen: Sequence[str], snr_train: str, snrs_test: str, probe_snr: str) -> dict[str, str]:
    """Names of the noisy sets, and the ratios as their names have them.

    Args:
        seen: name of the noise of training and test; empty for a corpus that is noisy already.
        unseen: names of the noises of the test alone.
        snr_train, snrs_test, probe_snr: as a person has written them, lists with spaces between.

    Returns:
        ``train``, ``dev``, ``tests``, for each noise N ``tests N``, and ``probed``: those of the test at ``probe_snr``,
        or all where there are none; ``snr_train`` and ``snrs_test``.

    Raises:
        MeritError: when a ratio is none, one is given twice, or there is not one for the training and any for the test.
    """
    if len(snr_train.split()) != 1 or ":" in snr_train:
        raise MeritError(f"--snr-train is one ratio, not '{snr_train}'; --mix online takes ranges and lists")
    (training,) = _ratios("--snr-train", snr_train)
    plan = {"snr_train": _text(training), **plan_tests([seen, *unseen] if seen else [], snrs_test, probe_snr)}
    if not seen:
        return plan | {"train": "train", "dev": "dev"}
    return plan | {part: condition_name(part, seen, training) for part in ("train", "dev")}


def plan_tests(noises: Sequence[str], snrs_test: str, probe_snr: str) -> dict[str, str]:
    """Names of the test sets: of the noises, or of a corpus that is noisy already, where there are none.

    Args:
        noises: their names.
        snrs_test, probe_snr: as a person has written them, lists with spaces between.

    Returns:
        ``tests``, for each noise N ``tests N``, and ``probed``; ``snrs_test``.

    Raises:
        MeritError: when a ratio is none or given twice, or there is none for the test.
    """
    testing, probing = _ratios("--snrs-test", snrs_test), _ratios("--probe-snr", probe_snr)
    if not testing:
        raise MeritError("--snrs-test names none")
    plan = {"snrs_test": " ".join(map(_text, testing))}
    if not noises:
        return plan | {"tests": "test", "probed": "test"}
    tests = {noise: [condition_name("test", noise, snr) for snr in testing] for noise in noises}
    every = [name for names in tests.values() for name in names]
    probed = [name for name in every if parse_condition(name).snr in probing]
    plan |= {"tests": " ".join(every), "probed": " ".join(probed or every)}
    return plan | {f"tests {noise}": " ".join(names) for noise, names in tests.items()}


def _file(name: str, folders: Sequence[str], option: str) -> str:
    file = find_method(name, folders)
    if file is None:
        raise MeritError(f"{option}: there is no conf/{name}.yaml, neither here nor in egs/TEMPLATE")
    return file


def _routes(method: Method) -> str:
    return "true" if method.model.front_end == "moe" else "false"


def _all_of(lists: Iterable[Sequence[str]]) -> list[str]:
    return sorted({word for words in lists for word in words})


def _ratios(option: str, text: str) -> list[float]:
    """The numbers of a list, as the names of sets have them, each once."""
    ratios: list[float] = []
    for word in text.split():
        # A number that the name of a set does not keep would be a set of another kind to whoever reads that name.
        named = _RATIO.fullmatch(word) and parse_condition(condition_name("test", "noise", float(word))).snr
        if named is None:
            raise MeritError(f"{option}: '{word}' is no ratio in dB, as -5, 0 or 2.5")
        if named in ratios:
            raise MeritError(f"{option} names {_text(named)} twice")
        ratios.append(named)
    return ratios


def _text(snr: float) -> str:
    return f"{snr:g}"
