"""Cost of the text front end: start, memory, and time per line.

    python -m benchmarks.text_frontend [--repeats 200]

Start and memory are taken in fresh processes, one per language, so that libraries shared between languages
count for each. Times per line are processor time of one warm process; lines come in turn, so that a busy
machine is busy for all.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

from edge.text import FrontEnd

from .harness import interleave, summarize

LINES = {
    "zh": "你终究还是选择了怀疑，我本可以拯救所有人",
    "zh, numbers": "票价是$3.50，大约25元，下午3:45开场。",
    "en": "He walked slowly to the old door.",
    "en, numbers": "It costs $1,299.00 on May 5, 2026.",
    "ja": "今日はとてもいい天気ですね、散歩しましょう",
    "ja, numbers": "会費は3,500円、3月5日の10時から。",
    "zh + en": "他说Hello，然后走了，请打开VIP通道",
    "zh + ja": "他说こんにちは，意思是你好",
}
# 2,000 characters each; what is spoken first is read first.
LONG_LINES = {
    "zh, long": "你终究还是选择了怀疑，我本可以拯救所有人。他得马上离开这里，长得很像父亲的人站在银行门口！"
    * 45,
    "en, long": "He walked slowly to the old door. I read the letter, and the wind tore it away! " * 25,
    "ja, long": "今日はとてもいい天気ですね、散歩しましょう。どうして来なかったんだ！" * 59,
}
LONG_LIMIT_MS = 30.0
LIMITS_MS = {line: 6.0 if "numbers" in line else 2.0 for line in LINES}
_START = """
import json, sys, time
def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096 / 2**20
before, started, used = resident(), time.perf_counter(), time.process_time()
from edge.text import FrontEnd
FrontEnd().warm_up(sys.argv[1:])
print(json.dumps([time.perf_counter() - started, time.process_time() - used, resident() - before]))
"""


def start(languages: tuple[str, ...]) -> tuple[float, float, float]:
    """Seconds on the clock, seconds of the processor and MiB that importing and warming up take."""
    command = [sys.executable, "-c", _START, *languages]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, processor_seconds, mebibytes = json.loads(result.stdout)
    return seconds, processor_seconds, mebibytes


def read_ms(front_end: FrontEnd, text: str) -> float:
    """Processor milliseconds for one line."""
    started = time.process_time()
    front_end.read(text)
    return (time.process_time() - started) * 1000


def start_ms(front_end: FrontEnd, text: str) -> float:
    """Processor milliseconds until the first sentences of a long text are read."""
    started = time.process_time()
    next(front_end.read_blocks(text[:2000]))
    return (time.process_time() - started) * 1000


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=200, help="samples per line (%(default)s)")
    repeats = parser.parse_args().repeats
    print(f"{'start':12} {'s':>6} {'cpu s':>6} {'MiB':>6}   best of 3 fresh processes")
    for languages in (("zh",), ("en",), ("ja",), ("zh", "en", "ja")):
        best = min(start(languages) for _ in range(3))
        print(f"{' '.join(languages):12} {best[0]:6.2f} {best[1]:6.2f} {best[2]:6.1f}")
    front_end = FrontEnd()
    front_end.warm_up()
    variants = [({"line": name}, lambda text=text: read_ms(front_end, text)) for name, text in LINES.items()]
    limits = LIMITS_MS | dict.fromkeys(LONG_LINES, LONG_LIMIT_MS)
    variants += [
        ({"line": name}, lambda text=text: start_ms(front_end, text)) for name, text in LONG_LINES.items()
    ]
    print(f"\n{'line':12} {'p50':>6} {'p95':>6} {'limit':>6}   ms of the processor, {repeats} samples")
    for variant, samples in interleave(variants, repeats):
        measure = summarize("read", "ms", variant, samples)
        name = str(variant["line"])
        print(f"{name:12} {measure.p50:6.2f} {measure.p95:6.2f} {limits[name]:6.1f}")


if __name__ == "__main__":
    main()
