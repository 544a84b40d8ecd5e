import pytest

from merit.errors import MeritError
from merit.systems.sparse_merit.methods.online_planning import DrawOptions, plan_online, refuse_draws

NOBODY_WAITS = {"waiting": ""}


def plan(noises="esc@2=/a babble", snr="-5:15", rooms="", methods=NOBODY_WAITS, **options):
    draw = DrawOptions(noise_train=noises, **options)
    return plan_online(draw, snr, rooms, ["dns"], "-5 0", "0", methods)


def test_training_and_dev_have_names_of_their_own_and_every_noise_is_tested():
    found = plan(snr="-5.0  0")
    assert (found["train"], found["dev"], found["snr_train"]) == ("train_online", "dev_drawn", "-5 0")
    assert found["tests babble"] == "test_babble_-5dB test_babble_0dB"
    assert found["tests"] == " ".join(found[f"tests {noise}"] for noise in ("esc", "babble", "dns"))
    assert found["probed"] == "test_esc_0dB test_babble_0dB test_dns_0dB" and found["snrs_test"] == "-5 0"
    assert plan(rooms="/r", rir_share="0.5", gain_train="0", telephone_share="1")["train"] == "train_online"


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"noises": "esc@0=/a"}, "--noise-train: 'esc@0=/a': the weight '0' is no number above 0"),
        ({"noises": ""}, "--noise-train names no noise"),
        ({"snr": "15:-5"}, "--snr-train: '15:-5' ends below its beginning"),
        ({"gain_train": "loud"}, "--gain-train: 'loud' is no range in dB"),
        ({"telephone_share": "2"}, "--telephone-share is a share from 0 to 1, not '2'"),
        ({"rir_share": "-1", "rooms": "/r"}, "--rir-share is a share from 0 to 1, not '-1'"),
        ({"rir_share": "0.5"}, "--rir-share is the share of rooms, which --rir FOLDER gives"),
        (
            {"methods": {"waiting": "se_p mine"}},
            "--methods: se_p hears enhanced speech, which is made of stored mixtures",
        ),
    ],
)
def test_what_cannot_be_trained_on_is_refused(changes, reason):
    with pytest.raises(MeritError) as error:
        plan(**changes)
    assert str(error.value).startswith(reason)


def test_nothing_is_drawn_where_mixtures_are_stored():
    refuse_draws(DrawOptions())
    for name, value in (("noise_train", "babble"), ("gain_train", "0"), ("rir_share", "0.5"), ("telephone_share", "1")):
        with pytest.raises(MeritError, match=f"--{name.replace('_', '-')} is for --mix online"):
            refuse_draws(DrawOptions(**{name: value}))
