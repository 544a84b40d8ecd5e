"""The part of a recipe's plan that says what training is mixed with while it is read (``--mix online``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from merit.data.noise.mixed_names import drawn_name, online_name
from merit.data.noise.online.noise_options import parse_noises, parse_share
from merit.data.noise.online.values import Values
from merit.errors import MeritError
from merit.systems.sparse_merit.methods.planning import plan_tests


@dataclass(frozen=True)
class DrawOptions:
    """What is drawn in training, by the names of the recipe's options and as a person has written it.

    The defaults are those of egs/TEMPLATE/merit.sh.
    """

    noise_train: str = ""
    gain_train: str = "-3:3"
    rir_share: str = "1"
    telephone_share: str = "0"


def refuse_draws(options: DrawOptions) -> None:
    """Refuse, with a ``MeritError``, options that say nothing where mixtures are stored."""
    for field in fields(options):
        if getattr(options, field.name) != field.default:
            raise MeritError(f"--{field.name.replace('_', '-')} is for --mix online; stored mixtures draw none of it")


def plan_online(
    options: DrawOptions,
    snr_train: str,
    rooms: str,
    unseen: Sequence[str],
    snrs_test: str,
    probe_snr: str,
    methods: Mapping[str, str],
) -> dict[str, str]:
    """Names of the sets, where training is mixed while it is read.

    Args:
        options: what is drawn.
        snr_train: range or list of ratios, dB.
        rooms: folder of impulse responses; empty for none.
        unseen: names of the noises of the test alone.
        snrs_test, probe_snr: as in :func:`merit.systems.sparse_merit.methods.planning.plan_sets`.
        methods: the plan of the methods.

    Returns:
        What ``plan_sets`` does.

    Raises:
        MeritError: when something cannot be drawn from, or a method hears enhanced speech.
    """
    if methods["waiting"]:
        raise MeritError(
            f"--methods: {methods['waiting'].split()[0]} hears enhanced speech, which is made of stored mixtures; "
            "leave it out, or --mix stored"
        )
    noises = parse_noises(options.noise_train.split(), "--noise-train")
    snr = Values.parse(snr_train, "--snr-train")
    Values.parse(options.gain_train, "--gain-train")
    parse_share(options.telephone_share, "--telephone-share")
    parse_share(options.rir_share, "--rir-share")
    if not rooms and options.rir_share != DrawOptions.rir_share:
        raise MeritError("--rir-share is the share of rooms, which --rir FOLDER gives")
    tests = plan_tests([*(noise.name for noise in noises), *unseen], snrs_test, probe_snr)
    return {"snr_train": snr.text, "train": online_name("train"), "dev": drawn_name("dev"), **tests}
