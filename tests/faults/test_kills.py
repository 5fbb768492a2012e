"""SIGKILL at random moments: every accepted request ends exactly once, and nothing is heard twice.

Some kills here, ``KILLS=500 make faults`` for many.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.edge.daemon.broker import MOSQUITTO, mosquitto

from .ledger import TERMINAL, Ledger, daemon, wait

KILLS = int(os.environ.get("KILLS", "6"))
PER_RUN = 9

pytestmark = [pytest.mark.broker, pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")]


def test_kills_lose_nothing_and_say_nothing_twice(tmp_path: Path, noted: Callable[[str, str], None]) -> None:
    choose = random.Random(11)
    state, log = tmp_path / "state", tmp_path / "daemon.log"
    with mosquitto(tmp_path) as port:
        ledger = Ledger(port)
        for _ in range(KILLS):
            with daemon(port, state, log) as process:
                wait(ledger.online.is_set, 60, f"online; {log.read_text()[-2000:]}")
                for _ in range(PER_RUN):
                    ledger.say()
                    time.sleep(choose.random() * 0.05)
                    if ledger.sent and choose.random() < 0.3:
                        ledger.repeat(choose.choice(ledger.sent))
                time.sleep(choose.random() * 0.4)
                process.send_signal(signal.SIGKILL)
                process.wait()
            ledger.online.clear()
        with daemon(port, state, log) as process:
            wait(ledger.online.is_set, 60, "online")
            last = ledger.say()
            wait(lambda: last in ledger.named("finished"), 120, f"the last line; {sorted(ledger.open())}")
            wait(lambda: not ledger.open(), 60, f"an end of everything; {sorted(ledger.open())}")
            process.terminate()
            assert process.wait(20) == 0, log.read_text()[-2000:]
        ledger.close()
    assert not ledger.faults(), ledger.faults()
    # With many kills the queue is full at times. What was written down when the kill came, before it could
    # be told, is heard of when it begins and ends.
    answered = set().union(*map(ledger.named, ("accepted", "rejected", *TERMINAL)))
    assert answered == set(ledger.sent), "the broker keeps what the daemon has not taken"
    n_accepted = len(answered - ledger.named("rejected"))
    noted(
        f"daemon: SIGKILL, {KILLS} times", f"{len(ledger.sent)} lines; {n_accepted} accepted and ended once"
    )
