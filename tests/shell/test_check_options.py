"""The checks in egs/TEMPLATE/common.sh and merit.sh: what cannot work is refused before anything runs."""

from pathlib import Path

from recipe_stub import EVERYTHING, STAGES, Recipe, call_of, mini_recipe, modules


def test_snrs_are_named_as_python_names_them(recipe: Recipe) -> None:
    options = ("--snr-train", "5e+0", "--snrs-test", "-5.0 -0 +5 .5 10.50", "--probe-snr", "0.0")
    assert recipe.run(*options).returncode == 0
    calls = recipe.calls()
    assert "--snrs [5] " in call_of(calls, "mix_noise", "--data data/train")
    assert "--snrs [-5,0,5,0.5,10.5] " in call_of(calls, "mix_noise", "--noise wind")
    # The names that Python gives to the numbers it is told.
    conditions = ",".join(f"data/test_wind_{float(snr) + 0.0:g}dB" for snr in "-5.0 -0 +5 .5 10.50".split())
    assert f",{conditions}," in call_of(calls, "sparse_merit.decode")
    assert f"--dev data/dev_babble_{5e0:g}dB" in call_of(calls, "train_joint")
    assert "--data [data/test_babble_0dB,data/test_wind_0dB," in call_of(calls, "sparse_merit.probe_routing")
    assert recipe.run("--snr-train", "5", "--snrs-test", "-5 0 5 0.5 10.5").returncode == 0
    assert {*modules(recipe.calls())} <= {"report", "compare"}  # which show the command line


def test_spaces_between_the_words_of_a_list_do_not_count(recipe: Recipe) -> None:
    options = ("--stop-stage", "6", "--seeds", "7", "--classes", "angry sad", "--snrs-test", "0 5")
    first = recipe.run(*options)
    assert first.returncode == 0 and len(recipe.calls()) > 10
    options = ("--stop-stage", "6", "--seeds", " 7 ", "--classes", " angry  sad ", "--snrs-test", "0  5 ")
    second = recipe.run(*options)
    assert {*modules(recipe.calls())} <= {"report"}  # which shows the command line
    assert first.stdout == second.stdout and "exp/sparse_merit-7/RESULTS.md" in first.stdout  # of the one run


def test_spaces_in_paths_that_stand_in_no_list(recipe: Recipe, tmp_path: Path) -> None:
    options = ("--work", str(tmp_path / "my work"), "--noise-seen", "crss=/my noise", "--rir", "/my rooms")
    assert recipe.run(*options, "--ssl", "/my models/wavlm-base+", "--mini", "/my corpus").returncode == 0
    calls = (tmp_path / "my work/calls").read_text().splitlines()
    assert modules(calls) == [name for name in EVERYTHING if name != "make_babble"]
    dump = call_of(calls, "dump_states", "--data data/dev")
    assert "--ssl '/my models/wavlm-base+' --output dump/states/wavlm-base+/" in dump
    assert sum(" --ssl '/my models/wavlm-base+' " in call for call in calls) == 5
    assert sum(" --rir '/my rooms' " in call for call in calls) == 5
    assert sum(" --noise 'crss=/my noise' " in call for call in calls) == 3
    assert "local/data.sh '/my corpus' data" in calls
    assert recipe.run(*options, "--ssl", "/my models/wavlm-base+", "--mini", "/my corpus").returncode == 0
    assert (tmp_path / "my work/calls").read_text().splitlines() == calls


def test_a_clone_in_a_folder_with_a_space(tmp_path: Path) -> None:
    recipe = mini_recipe(tmp_path / "my clone")
    assert recipe.run("--stop-stage", "6").returncode == 0
    assert modules(recipe.calls()) == sum(STAGES[:6], [])
    result = recipe.run("--work", str(tmp_path / "work"))
    assert result.returncode == 2 and f"the recipe lies in '{recipe.folder}', which has a space" in result.stderr
    assert not (tmp_path / "work").exists()


def test_wrong_options_are_refused_before_anything_runs(recipe: Recipe) -> None:
    for options, reason in (
        (["--stgae", "2"], "unknown option --stgae"),
        (["--feats", "disk"], "--feats is dump, features or online, not 'disk'"),
        (["--stage", "two"], "--stage is a whole number, not 'two'"),
        (["--stage", "0"], "no stages from 0 to 7; there are 1 to 7"),
        (["--stop-stage", "8"], "no stages from 1 to 8; there are 1 to 7"),
        (["--stage", "5", "--stop-stage", "3"], "no stages from 5 to 3; there are 1 to 7"),
        (["--seeds", "7 x"], "--seeds are whole numbers, not 'x'"),
        (["--seeds", " "], "--methods and --seeds name at least one each"),
        (["--methods", ""], "--methods and --seeds name at least one each"),
        (["--nj", "0"], "--nj is at least 1"),
        (["--methods", "ft_m nothere"], "--methods: there is no conf/nothere.yaml"),
        (["--noise-seen", "crss="], "noise 'crss=' is not name=folder"),
        (["--noise-unseen", "dns"], "noise 'dns' is not name=folder"),
        (["--noise-unseen", "dns=/a dns=/b"], "two noises are called dns"),
        (["--noise-seen", "dns=/a", "--noise-unseen", "dns=/a"], "two noises are called dns"),
        (["2"], "'2' is no option"),
        (["--nj", "99999999999999999999"], "--nj is a whole number of at most nine digits, not '99999999999999999999'"),
        (["--stage", "99999999999999999999"], "--stage is a whole number of at most nine digits, not '9999"),
        (["--seeds", "7 18446744073709551617"], "--seeds are whole numbers of at most nine digits, not '18446744073"),
        (["--seeds", "7 017"], "--seeds: write '017' without zeros in front"),
        (["--seeds", "7 17 7"], "--seeds names 7 twice"),
        (["--enhancer-seed", "7 17"], "--enhancer-seed is a whole number, not '7 17'"),
        (["--methods", "ft_m ft_m"], "--methods names ft_m twice"),
        (["--methods", "../../TEMPLATE/conf/ft_m"], "--methods: '../../TEMPLATE/conf/ft_m' cannot be in a file's name"),
        (["--methods", "se_p", "--enhancer", "se"], "--enhancer: there is no conf/se.yaml"),
        (["--classes", "sad angry sad"], "--classes names sad twice"),
        (["--snrs-test", "-5 abc"], "--snrs-test: 'abc' is no ratio in dB, as -5, 0 or 2.5"),
        (["--snrs-test", "5 5.0"], "--snrs-test names 5 twice"),
        (["--snrs-test", ""], "--snrs-test names none"),
        (["--snrs-test", "1e999"], "--snrs-test: '1e999' is no ratio in dB"),
        (["--snrs-test", "nan"], "--snrs-test: 'nan' is no ratio in dB"),
        (["--snr-train", "0x5"], "--snr-train: '0x5' is no ratio in dB"),
        (["--snr-train", "5 10"], "--snr-train is one ratio, not '5 10'"),
        (["--snr-train", ""], "--snr-train is one ratio, not ''"),
        (["--tag", "a;b"], "--tag: 'a;b' cannot be in a file's name here: letters, digits and . _ + - only"),
        (["--tag", "../x"], "--tag: '../x' cannot be in a file's name"),
        (["--tag", "a b"], "--tag: 'a b' cannot be in a file's name"),
        (["--tag", "a,b"], "--tag: 'a,b' cannot be in a file's name"),
        (["--ssl", "/x/my enc"], "--ssl: 'my enc' cannot be in a file's name"),
        (["--ssl", "/x/.."], "--ssl: '..' cannot be in a file's name"),
        (["--ssl", ""], "--ssl: '' cannot be in a file's name"),
        (["--babble-data", "my data"], "--babble-data: 'my data' has a space"),
        (["--se-pretrain", "../my models/se_only-7"], "--se-pretrain: '../my models/se_only-7' has a space"),
        (["--noise-unseen", "dns=/my noise"], "noise 'noise' is not name=folder"),
        (["--noise-unseen", "d_s=/a"], "noise 'd_s' is named with other than letters, digits, . and -"),
        (["--noise-unseen", "../d=/a"], "noise '../d' is named with other than letters, digits, . and -"),
        (["--composite", "cmgam"], "--composite is matlab or cmgan, not 'cmgam'"),
        (["--dump-dtype", "float32"], "--dump-dtype is bfloat16 or float16, not 'float32'"),
        (["--backend", "pbs"], "--backend is local or slurm, not 'pbs'"),
        (["--orphan", "keep"], "--orphan is wait or cancel, not 'keep'"),
        (["--methods", "se_p", "--enhancer", "ft_m"], "--enhancer: ../TEMPLATE/conf/ft_m.yaml must have the task enh"),
        (["--clean-methods", "ft_m"], "unknown option --clean-methods"),
        (["--snr-train", "-5:15"], "--snr-train is one ratio, not '-5:15'; --mix online takes ranges and lists"),
        (["--mix", "onlin"], "--mix is stored or online, not 'onlin'"),
        (["--babble-talkers", "0"], "--babble-talkers is at least 1"),
        (["--babble-talkers", "four"], "--babble-talkers is a whole number, not 'four'"),
        (["--noise-train", "babble"], "--noise-train is for --mix online; stored mixtures draw none of it"),
        (["--gain-train", "0"], "--gain-train is for --mix online"),
        (["--mix", "online"], "--mix online hears no states twice, so add --feats online or --feats features"),
        *[
            (["--mix", "online", "--feats", "online", *options], reason)
            for options, reason in (
                (["--noise-train", "esc@0=/a"], "--noise-train: 'esc@0=/a': the weight '0' is no number above 0"),
                (["--noise-train", "esc"], "noise 'esc' is not name=folder"),
                (["--noise-train", "wind=/a"], "two noises are called wind"),
                (["--noise-train", "a=/a a@2=/b"], "two noises are called a"),
                (["--snr-train", "15:-5"], "--snr-train: '15:-5' ends below its beginning; write -5:15"),
                (["--snr-train", ""], "--snr-train: '' is no range in dB"),
                (["--gain-train", "3 x"], "--gain-train: '3 x' is no range in dB"),
                (["--rir-share", "0.5"], "--rir-share is the share of rooms, which --rir FOLDER gives"),
                (["--telephone-share", "30"], "--telephone-share is a share from 0 to 1, not '30'"),
                (["--methods", "se_p"], "--methods: se_p hears enhanced speech, which is made of stored mixtures"),
            )
        ],
    ):
        result = recipe.run(*options)
        assert result.returncode == 2 and reason in result.stderr, options
    assert recipe.calls() == []


def test_a_corpus_that_is_noisy_already_is_not_mixed_online(recipe: Recipe) -> None:
    script = recipe.folder / "run.sh"
    script.write_text(script.read_text().replace("\nnj=2", "\nmixed=true\nnj=2"))
    result = recipe.run("--mix", "online", "--feats", "online")
    assert result.returncode == 2 and "data preparation makes noisy sets of its own" in result.stderr
    assert recipe.calls() == []


def test_a_mistyped_method_is_refused_before_anything_runs(recipe: Recipe) -> None:
    (recipe.folder / "conf/mine.yaml").write_text("model:\n  front_end: moe\n  expert_sise: 9\n")
    result = recipe.run("--methods", "sparse_merit mine")
    assert result.returncode == 2 and "conf/mine.yaml: not the file of a method" in result.stderr
    assert "expert_sise" in result.stderr and "Traceback" not in result.stderr
    assert recipe.calls() == []
