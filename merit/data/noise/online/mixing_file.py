"""``mixing.json`` of a data directory that is mixed while it is read: all that its mixtures are drawn from."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from merit.data.datadir import MIXING
from merit.data.noise.online.mixer import OnlineMixing
from merit.data.noise.online.noises import Babble, Recordings
from merit.data.noise.online.values import Values
from merit.errors import MeritError


def mixing_text(mixing: OnlineMixing) -> str:
    """Lay out a mixing as JSON."""
    fields = asdict(mixing) | {"snr": mixing.snr.text, "gain": mixing.gain.text}
    return json.dumps(fields, indent=1) + "\n"


def read_mixing(path: Path) -> OnlineMixing:
    """Read what :func:`mixing_text` laid out.

    Raises:
        MeritError: when the file is missing or holds something else.
    """
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        values = {name: Values.parse(fields.pop(name), name) for name in ("snr", "gain")}
        noises = [_noise(noise) for noise in fields.pop("noises")]
        return OnlineMixing(noises=noises, **values, **fields)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, MeritError) as error:
        raise MeritError(f"{path}: not what mixtures are drawn from ({error}); run the noise mixing again") from error


def summary(directory: Path) -> dict[str, object]:
    """What sets the mixing of a directory apart from another one, in a few words each."""
    mixing = read_mixing(directory / MIXING)
    return {
        "noises": {noise.name: _described(noise) for noise in mixing.noises},
        "snr": mixing.snr.text,
        "gain": mixing.gain.text,
        "rooms": f"{len(mixing.rooms)} in a share of {mixing.room_share:g}",
        "telephone_share": mixing.telephone_share,
        "seed": mixing.seed,
        "content": mixing.content,
    }


def _described(noise: Recordings | Babble) -> str:
    if isinstance(noise, Babble):
        return f"weight {noise.weight:g}, {noise.talkers} talkers of {len(noise.speech)} speakers"
    return f"weight {noise.weight:g}, {len(noise.files)} files"


def _noise(fields: Mapping[str, object]) -> Recordings | Babble:
    return Babble(**fields) if "talkers" in fields else Recordings(**fields)
