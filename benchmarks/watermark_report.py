"""Tables of docs/labels-and-mark.md about the inaudible mark, from its result file.

python -m benchmarks.watermark_report
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "watermark" / "builtin.json"
PAGE = ROOT / "docs" / "labels-and-mark.md"
BEGIN, END = "<!-- mark: begin -->", "<!-- mark: end -->"


def section(result: dict[str, Any]) -> str:
    """What stands between the marks of the page."""
    machine = result["machine"]
    where = f"{machine['cpu']}, {machine['cores']} cores, commit `{machine['commit']}`"
    return "\n".join(
        [*_found(result), "", *_alarms(result), "", *_heard(result), "", f"Measured on {where}."]
    )


def _found(result: dict[str, Any]) -> list[str]:
    """Share of marked lines that are found, after damage and by length."""
    robustness = result["robustness"]
    rows = {
        **robustness["damage"],
        **robustness["length"],
        "looked for with another key": robustness["another key"],
    }
    lines = [
        f"| {result['lines']} marked lines of 4 to 12 s | found | least score | median |",
        "| --- | --- | --- | --- |",
    ]
    for name, one in rows.items():
        lines.append(f"| {name} | {one['found']:.0%} | {one['least']:.1f} | {one['median']:.1f} |")
    return lines


def _alarms(result: dict[str, Any]) -> list[str]:
    alarms = result["false_alarms"]
    bound = alarms["upper_bound_95"]
    limit = f"; with 95 % confidence fewer than one in {round(1 / bound)}" if bound else ""
    clips = f"{alarms['clips']} clips without the mark ({alarms['hours']:.1f} h)"
    return [
        f"False alarms: {alarms['found']} of {clips} were called found{limit}; {alarms['inconclusive']} "
        f"inconclusive. Largest score {alarms['largest']:.2f}, 99.9th percentile "
        f"{alarms['score']['p99.9']:.2f}; the threshold is {result['threshold']}."
    ]


def _heard(result: dict[str, Any]) -> list[str]:
    """How far a marked line is from the plain one."""
    heard, cost = result["audibility"], result["cost"]
    mel = heard["log_mel_db"]
    told = [
        f"log-mel distance {mel['median']:.2f} dB (largest {mel['largest']:.2f})",
        f"signal to difference {heard['signal_to_difference_db']:.1f} dB",
    ]
    if "pesq_wb" in heard:
        told.append(
            f"PESQ {heard['pesq_wb']['mean']:.2f} (least {heard['pesq_wb']['least']:.2f}; 4.64 is the same)"
        )
    if "dnsmos_overall" in heard:
        dnsmos = heard["dnsmos_overall"]
        told.append(f"DNSMOS {dnsmos['marked']:.2f} with and {dnsmos['plain']:.2f} without it")
    ratio = f"Time of a line with the mark over without: {cost['median']:.3f}."
    return [f"Marked against plain: {', '.join(told)}. {ratio}"]


def update_page() -> None:
    """Write the tables into the page."""
    text = PAGE.read_text("utf-8")
    before, rest = text.split(BEGIN)
    result = json.loads(RESULT.read_text("utf-8"))
    PAGE.write_text(f"{before}{BEGIN}\n{section(result)}\n{END}{rest.split(END)[1]}", "utf-8")


if __name__ == "__main__":
    update_page()
