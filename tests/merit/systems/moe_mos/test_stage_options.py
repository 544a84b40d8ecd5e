"""The stages' options: the paper's numbers, and shares that cannot be."""

from dataclasses import replace

import pytest

from merit.errors import MeritError
from merit.systems.moe_mos.stage_options import STAGES, MosTraining, classification_stage, joint_stage, mos_stage


def test_what_the_paper_says_of_its_stages():
    stages = (classification_stage(), joint_stage(), mos_stage())
    assert len(STAGES) == 3
    assert [stage.mos_share for stage in stages] == [[0.0, 0.0], [0.3, 0.7], [0.9, 0.9]]
    assert stages[0].learning_rate == 1e-4 and stages[2].learning_rate == 1e-5
    assert [stage.rated_only for stage in stages] == [False, False, True]
    assert all(stage.schedule == "cosine" and stage.gradient_clip == 1.0 for stage in stages)


@pytest.mark.parametrize("share", [[0.5], [0.2, 1.2], [-0.1, 0.5], [0.1, 0.2, 0.3]])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(MeritError, match="mos_share is .*expected its first and last value"):
        MosTraining(mos_share=share)


def test_shared_options_are_checked_as_well():
    with pytest.raises(MeritError, match="training.epochs is 0"):
        replace(joint_stage(), epochs=0)
