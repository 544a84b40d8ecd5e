"""Settings of the whole suite: one thread and one seed, so that results do not depend on the machine."""

import signal

import pytest
import torch

# A suite started in the background of a script (`tests/run.sh &`) inherits an ignored Ctrl-C and would hand it on to
# the commands whose interruption it tests.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def reproducible():
    torch.set_num_threads(1)
    torch.manual_seed(0)
