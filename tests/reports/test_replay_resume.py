"""A replay that is killed at any moment and started again ends as if nobody had disturbed it."""

from __future__ import annotations

import random
import signal
import subprocess
from pathlib import Path

import pytest
from django.db import transaction

from reports.models import ReplayRun
from tests.reports.conftest import demand_text
from tests.reports.replay_state import asked_twice, differences, end_state, live_through, start

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("ground"),
    pytest.mark.slow,
    pytest.mark.race,
    pytest.mark.once,
]

#: How long anything here may take before the test fails, in seconds.
PATIENCE = 240
KILLS = 4


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "demand.csv"
    path.write_text(demand_text(parts=14, months=4))
    return path


@pytest.fixture
def undisturbed(file: Path) -> dict[str, list[object]]:
    """What a run leaves that nobody disturbs; the run itself is rolled back."""
    with transaction.atomic():
        live_through(file)
        state = end_state()
        transaction.set_rollback(True)
    assert not ReplayRun.objects.exists()
    return state


def wait_until_it_lives(process: subprocess.Popen[str]) -> None:
    """Wait for its first line: from now on it lives day after day."""
    assert process.stderr is not None
    assert "units of" in process.stderr.readline()


def killed(process: subprocess.Popen[str], after: float) -> bool:
    """Kill it some seconds after it began to live; False where it was done before."""
    wait_until_it_lives(process)
    try:
        process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate(timeout=PATIENCE)
    return process.returncode == -signal.SIGKILL


def test_killed_at_random_and_resumed_it_ends_as_if_undisturbed(
    file: Path, undisturbed: dict[str, list[object]]
) -> None:
    chance = random.Random()  # another moment in every run; a failure prints what differs
    stopped = []
    for _attempt in range(KILLS):
        if not killed(start(file), chance.uniform(0.05, 1.2)):
            break
        run = ReplayRun.objects.get()
        stopped.append(run.lived_until)
        assert run.finished_at is None
    last = start(file)
    _, said = last.communicate(timeout=PATIENCE)

    assert last.returncode == 0, said
    assert len(stopped) >= 2, "it was done before it could be killed; give it more to do"
    assert any(stopped)
    assert differences(undisturbed, end_state()) == {}
    assert asked_twice() == 0


def test_a_stop_from_the_keyboard_ends_after_the_day_and_says_how_to_go_on(
    file: Path, undisturbed: dict[str, list[object]]
) -> None:
    process = start(file)
    wait_until_it_lives(process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)

    run = ReplayRun.objects.get()
    assert process.returncode == 130
    assert f"Stopped after {run.lived_until}. The same command goes on from there." in said
    assert run.finished_at is None

    again = start(file)
    out, said = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, said
    assert f"goes on after {run.lived_until}" in said
    assert "Promises kept" in out
    assert differences(undisturbed, end_state()) == {}
