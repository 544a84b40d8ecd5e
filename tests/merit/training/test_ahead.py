"""Preparing one step ahead: in order, nothing lost, never more than two steps in memory."""

import weakref
from contextlib import contextmanager

import pytest
import torch

from merit.systems.sparse_merit.phases.batch import Batch
from merit.training.ahead import prepared_ahead


def steps_of(names):
    return [[Batch(list(step), torch.tensor([len(step)]))] for step in names]


def prepared(calls):
    def prepare(batch):
        calls.append(f"prepare {batch.keys[0]}")
        return batch

    return prepare


def test_every_step_comes_once_and_in_order():
    for names in ("", "a", "ab", "abcde"):
        found = [step[0].keys[0] for step in prepared_ahead(steps_of(names), prepared([]), None)]
        assert found == list(names)


def test_the_next_step_is_prepared_before_this_one_is_used_and_no_further():
    calls = []
    for step in prepared_ahead(steps_of("abcd"), prepared(calls), None):
        calls.append(f"use {step[0].keys[0]}")
    expected = ["prepare a", "prepare b", "use a", "prepare c", "use b", "prepare d", "use c", "use d"]
    assert calls == expected


def test_two_steps_are_in_memory():
    alive = weakref.WeakSet()
    most = []

    def prepare(batch):
        made = Batch(batch.keys, torch.ones(1))
        alive.add(made.lengths)
        most.append(len(alive))
        return made

    for step in prepared_ahead(steps_of("abcdef"), prepare, None):
        assert len(step) == 1
    assert most == [1, 2, 2, 2, 2, 2] and not step


def test_a_consumer_that_stops_leaves_the_rest_alone():
    calls = []
    steps = prepared_ahead(steps_of("abcdef"), prepared(calls), None)
    next(steps)
    steps.close()
    assert calls == ["prepare a", "prepare b"]


def test_an_error_of_the_loader_comes_through():
    def failing():
        yield from steps_of("a")
        raise OSError("no such file")

    with pytest.raises(OSError, match="no such file"):
        list(prepared_ahead(failing(), prepared([]), None))


def test_the_streams_of_a_gpu_wait_for_each_other(monkeypatch):
    """Preparing waits for what the training was told before; training waits for its own step, not for the next one."""
    calls = []

    class Stream:
        def __init__(self, name):
            self.name = name
            self.device = torch.device("cuda")
            self.events = 0

        def wait_stream(self, other):
            calls.append(f"{self.name} waits for {other.name}")

        def wait_event(self, event):
            calls.append(f"{self.name} waits for {event}")

        def record_event(self):
            self.events += 1
            return f"event {self.events}"

    @contextmanager
    def within(stream):
        calls.append(f"on {stream.name}")
        yield
        calls.append(f"off {stream.name}")

    main = Stream("main")
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: main)
    monkeypatch.setattr(torch.cuda, "stream", within)
    for step in prepared_ahead(steps_of("ab"), prepared(calls), Stream("side")):
        calls.append(f"use {step[0].keys[0]}")
    launch = ["side waits for main", "on side", "prepare {}", "off side"]
    launches = [line.format(name) for name in "ab" for line in launch]
    assert calls == launches + ["main waits for event 1", "use a", "main waits for event 2", "use b"]
