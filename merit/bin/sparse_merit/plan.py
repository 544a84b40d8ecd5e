"""The plan of a recipe, which egs/TEMPLATE/merit.sh runs: a line for each question, with a tab before the answer."""

from typing import Literal

from merit.command import run_command
from merit.systems.sparse_merit.methods.online_planning import DrawOptions, plan_online, refuse_draws
from merit.systems.sparse_merit.methods.planning import plan_methods, plan_sets


def plan(
    methods: str,
    seeds: str,
    own: str = "conf",
    common: str = "../TEMPLATE/conf",
    enhancer: str = "se_only",
    enhancer_seed: str = "7",
    se_pretrain: str = "",
    noise_seen: str = "",
    noise_unseen: str = "",
    snr_train: str = "5",
    snrs_test: str = "-5 0 5 10",
    probe_snr: str = "0",
    mix: Literal["stored", "online"] = "stored",
    rir: str = "",
    draw: DrawOptions = DrawOptions(),
) -> None:
    """Print what follows from the methods' files and from the options of a recipe, or refuse them in one sentence.

    Lists are written as a recipe's options, with spaces between the words.

    Args:
        methods: to train and compare.
        seeds: of the training.
        own: folder of the recipe's methods.
        common: folder of the methods of all recipes.
        enhancer: the method that enhances for those that hear enhanced speech.
        enhancer_seed: its seed.
        se_pretrain: model that the enhancer begins with; empty: heads of phase 1.
        noise_seen: name of the noise of training and test; empty for a corpus that is noisy already, and for training
            that is mixed online.
        noise_unseen: names of the noises of the test alone.
        snr_train: signal-to-noise ratio in training, dB; online a range or a list.
        snrs_test: signal-to-noise ratios in the test, dB.
        probe_snr: those of the test at which other experts than the gates' are tried; empty: all.
        mix: whether training is mixed once, or while it is read.
        rir: folder of room impulse responses; empty: none.
        draw: what is drawn in training, for online alone.
    """
    answers = plan_methods(
        methods.split(), seeds.split(), (own, common), enhancer, enhancer_seed, is_pretrained=se_pretrain != ""
    )
    if mix == "online":
        answers |= plan_online(draw, snr_train, rir, noise_unseen.split(), snrs_test, probe_snr, methods=answers)
    else:
        refuse_draws(draw)
        answers |= plan_sets(noise_seen, noise_unseen.split(), snr_train, snrs_test, probe_snr)
    for question, answer in answers.items():
        print(question, answer, sep="\t")


if __name__ == "__main__":
    run_command(plan)
