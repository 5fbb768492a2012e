from __future__ import annotations

from .conftest import table

EARLIER = """
Commit abc, mosquitto 2.0.11.

| fault | counted |
|---|---|
| daemon: SIGKILL, 20 times | 181 lines |
| full disk | refused |
"""


def test_a_run_of_some_faults_keeps_what_was_counted_of_others() -> None:
    first = table([("daemon: SIGKILL, 40 times", "360 lines")], EARLIER)
    assert "| daemon: SIGKILL, 40 times | 360 lines |" in first and "20 times" not in first
    assert "| full disk | refused | abc |" in first
    again = table([("full disk", "still refused")], first)
    assert "| full disk | still refused |" in again and "360 lines" in again and "abc" not in again
