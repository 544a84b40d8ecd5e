"""A student becomes an encoder that is loaded as any other."""

import pytest
import torch

from merit.errors import MeritError
from merit.nets.ssl import load_encoder
from merit.systems.distillation.export import export_student, load_student


def test_the_exported_encoder_has_the_students_states(student_run, tmp_path):
    export_student(student_run, tmp_path)
    waveform, lengths = torch.randn(1, 8000), torch.tensor([8000])
    with torch.no_grad():
        exported, own = (
            encoder.eval()(waveform, lengths)[0] for encoder in (load_encoder(tmp_path), load_student(student_run))
        )
    torch.testing.assert_close(exported, own, atol=5e-3, rtol=5e-3)  # of weights in float16
    assert not torch.equal(exported, own)
    size = sum(2 * value.numel() for value in load_encoder(tmp_path).model.parameters())
    assert size <= (tmp_path / "model.safetensors").stat().st_size < size + 10_000


def test_what_is_no_student(tmp_path):
    with pytest.raises(MeritError, match="no config.json; expected the directory of a trained model, as exp/wavlm"):
        export_student(tmp_path, tmp_path / "encoder")
    assert not (tmp_path / "encoder").exists()
