"""A night that is killed at random moments and run again: nobody is told twice, nobody is forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.night_kills import killed_nights


@pytest.mark.slow
@pytest.mark.parametrize("deadline", [False, True])
def test_every_recipient_is_told_of_each_patient_once(tmp_path: Path, deadline: bool) -> None:
    found = killed_nights(tmp_path, kills=4, patients=24, recipients=4, seed=3, deadline=deadline)
    assert found.killed
    assert len(found.expected) == 3 * 24
    assert (found.lost, found.repeated, found.same_list) == (0, 0, True)
    assert found.again <= found.killed  # what was under way when the run was killed, at most
