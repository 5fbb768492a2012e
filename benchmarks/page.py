"""``make bench-report``: tables of README.md and docs/, and one HTML page with plots that works offline."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import jinja2
import matplotlib

from . import report
from .device_tables import of, setup_name

PAGE = report.ROOT / "build" / "benchmarks.html"
TEMPLATE = Path(__file__).with_name("page.html.j2")
SIZE = (6.4, 3.2)  # inches
Result = dict[str, Any]


def write(path: Path = PAGE) -> None:
    """Write the page from the newest result of every machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html(report.latest()), encoding="utf-8")


def html(results: list[Result]) -> str:
    """The page; each machine by itself, since figures of different machines are no ratio."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    machines = [
        {
            "title": result["device"],
            "heading": report.heading(result).replace("**", ""),
            "plots": [plot for plot in plots(result) if plot],
            "tables": report.all_tables(result),
        }
        for result in results
    ]
    return template.render(machines=machines)


def plots(result: Result) -> list[str]:
    """SVG of each plot that the result has figures for; empty where it has none."""
    return [_factors(result), _first_sound(result), _throughput(result), _peers(result)]


def _factors(result: Result) -> str:
    lines: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for measure in of(result, "rtf"):
        about = measure["variant"]
        name = f"{report.PRECISIONS[about['precision']]}, {about['threads']} thread(s)"
        lines[name].append((about["seconds"], measure["p50"]))
    if not lines:
        return ""
    figure, axes = _figure("real-time factor by length of the line", "seconds of sound", "time / sound")
    for name, points in lines.items():
        axes.plot(*zip(*sorted(points), strict=True), marker="o", label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.legend(fontsize=7)
    return _svg(figure)


def _first_sound(result: Result) -> str:
    measures = [measure for measure in of(result, "first_sound") if not measure["variant"]["cached"]]
    if not measures:
        return ""
    figure, axes = _figure("first sound after publish, new lines", "", "ms")
    names = [f"{one['variant']['language']} {one['variant']['characters']}" for one in measures]
    for offset, point in enumerate(("p50", "p95", "p99")):
        places = [index + 0.25 * offset for index in range(len(names))]
        axes.bar(places, [one[point] for one in measures], width=0.25, label=point)
    axes.set_xticks([index + 0.25 for index in range(len(names))], names)
    axes.legend(fontsize=7)
    return _svg(figure)


def _throughput(result: Result) -> str:
    lines: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for measure in of(result, "throughput"):
        lines[setup_name(measure["variant"])].append((measure["variant"]["callers"], measure["p50"]))
    if not lines:
        return ""
    figure, axes = _figure("throughput", "callers", "seconds of sound in a second")
    for name, points in lines.items():
        axes.plot(*zip(*sorted(points), strict=True), marker="o", label=name)
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=7)
    return _svg(figure)


def _peers(result: Result) -> str:
    measures = of(result, "peer_rtf")
    if not measures:
        return ""
    figure, axes = _figure("peers, one sentence (what is not equal: table)", "real-time factor", "")
    names = [f"{one['variant']['name']}, {one['variant']['language']}, {_covers(one)}" for one in measures]
    axes.barh(names[::-1], [one["p50"] for one in measures][::-1])
    axes.set_xscale("log")
    axes.tick_params(axis="y", labelsize=7)
    return _svg(figure)


def _covers(measure: Result) -> str:
    return str(measure["variant"]["covers"]).split(",")[0]


def _figure(title: str, across: str, up: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(alpha=0.3)
    return figure, axes


def _svg(figure: Any) -> str:
    """The element alone, as a page holds it."""
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "sovits-tiny"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return re.sub(r"^.*?(?=<svg)", "", buffer.getvalue(), flags=re.DOTALL)


def main() -> None:
    """Run as a command."""
    report.update_pages()
    write()
    print(
        f"README.md, docs/benchmarks.md and {PAGE.relative_to(report.ROOT)} are made from benchmarks/results/"
    )


if __name__ == "__main__":
    main()
