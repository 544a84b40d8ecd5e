import multiprocessing
import os
import signal

from merit.processes import quiet_processes


def test_started_processes_leave_ctrl_c_to_this_one_and_compute_on_one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with quiet_processes():
        pool = multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1)
    with pool:
        assert pool.apply(os.getenv, ("OMP_NUM_THREADS",)) == "1"
        # The second process is started by the pool after the block has ended.
        for _ in range(2):
            assert signal.SIGINT in pool.apply(signal.pthread_sigmask, (signal.SIG_BLOCK, []))
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
    assert os.environ["OMP_NUM_THREADS"] == "3" and "MKL_NUM_THREADS" not in os.environ
