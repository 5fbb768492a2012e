"""Tables of what the harness of devices adds: peers, callers, floor, watts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Result = dict[str, Any]
Row = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of a report; a column of words, then columns of figures."""

    header: Row
    rows: tuple[Row, ...]
    note: str = ""


def extra_tables(result: Result) -> Iterator[Table]:
    """Tables of the figures that a result holds; older ones hold none of them."""
    if of(result, "stop_in_burst"):
        points = ("p50", "p95", "p99", "highest", "n")
        yield Table(("nothing lost, silence on command", *points), tuple(_durability(result)))
    callers = sorted({measure["variant"]["callers"] for measure in of(result, "throughput")})
    if callers:
        header = ("seconds of sound in a second", *(f"{n} caller{'s' if n > 1 else ''}" for n in callers))
        note = "In brackets: times as much as with one thread, median of the ratios in each round."
        yield Table(
            header, tuple(_throughput(result, callers)), note if of(result, "throughput_ratio") else ""
        )
    if of(result, "peer_rtf"):
        header = (
            "peers, one sentence",
            "real-time factor",
            "times ours",
            "threads",
            "time covers",
            "not equal",
        )
        yield Table(header, tuple(_peers(result)), _missing(result))
    if of(result, "networks_ratio"):
        header = ("networks alone, for a second of sound, one thread", "FP32", "INT8", "times as fast")
        yield Table(header, tuple(_networks(result)))
    if of(result, "decoder_floor"):
        yield Table(("floor of the decoder, one thread", "figure"), tuple(_floor(result)))
    if of(result, "power"):
        yield Table(("power", "at rest", "speaking", "for a second of sound"), tuple(_power(result)))


def of(result: Result, name: str) -> list[Result]:
    """Measures of a name."""
    return [measure for measure in result["measures"] if measure["name"] == name]


_SETUPS = {
    ("process", "disk"): "as shipped",
    ("process", "memory"): "journal in memory",
    ("process", "slow disk"): "journal on a disk that takes 10 ms for a commit",
    ("thread", "disk"): "no child process",
}
_BROKERS = {"shipped": "mosquitto as shipped", "debian": "mosquitto as Debian installs it"}
_DURABILITY: dict[str, tuple[Callable[[Result], str], str]] = {
    "first_sound_setup": (lambda about: f"first sound, {_setup(about)}", "{:.1f} ms"),
    "stop_to_silence_setup": (lambda about: f"stop to silence, idle, {_setup(about)}", "{:.1f} ms"),
    "stop_in_burst": (
        lambda about: f"stop to silence in a burst of {about['requests']:,}, {_BROKERS[about['broker']]}",
        "{:.1f} ms",
    ),
    "burst_dealt_with": (
        lambda about: f"stop until that burst is dealt with, {_BROKERS[about['broker']]}",
        "{:.0f} ms",
    ),
    "durable_requests_per_second": (
        lambda about: f"requests made durable in a second, {about['requests']:,} at once",
        "{:,.0f}",
    ),
    "first_sound_from_disk": (lambda _: "first sound, prepared line read from disk", "{:.1f} ms"),
    "durable_request": (lambda _: "a request made durable", "{:.2f} ms"),
    "start_after_sigkill": (
        lambda _: "start after SIGKILL until requests are taken, 20 lines open",
        "{:.0f} ms",
    ),
}


def _setup(about: Result) -> str:
    return _SETUPS[about["engine"], about["journal"]]


def _durability(result: Result) -> Iterator[Row]:
    for name, (title, form) in _DURABILITY.items():
        for measure in of(result, name):
            yield _points(title(measure["variant"]), measure, form)


def _points(name: str, measure: Result, form: str) -> Row:
    values = (form.format(measure[point]) for point in ("p50", "p95", "p99", "high"))
    return (name, *values, str(measure["n"]))


def setup_name(about: Result) -> str:
    """Name the engine of the daemon that callers share; older results know no second child."""
    threads = f"{about['threads']} thread{'s' if about['threads'] > 1 else ''}"
    return threads if about.get("children", 1) == 1 else f"{threads}, and a second child"


def _throughput(result: Result, callers: list[int]) -> Iterator[Row]:
    found: dict[str, dict[int, str]] = defaultdict(dict)
    ratios = {_caller_key(one): f" ({one['p50']:.2f} ×)" for one in of(result, "throughput_ratio")}
    for measure in of(result, "throughput"):
        setup, n = _caller_key(measure)
        found[setup][n] = f"{measure['p50']:.0f}{ratios.get((setup, n), '')}"
    for setup, cells in sorted(found.items()):
        yield (setup, *(cells[n] for n in callers))


def _caller_key(measure: Result) -> tuple[str, int]:
    return setup_name(measure["variant"]), measure["variant"]["callers"]


def times_ours(result: Result, measure: Result) -> float:
    """How many times as long as ours a peer takes, from ids or from text on, whole lines on both sides."""
    ours = {
        (one["variant"]["language"], one["variant"]["covers"]): one["p50"]
        for one in reversed(of(result, "peer_rtf"))  # the first, which speaks whole lines as the others do
        if one["variant"]["name"].startswith("sovits-tiny")
    }
    peer = measure["variant"]
    covers = "text to PCM" if peer["covers"].startswith("text") else "ids to PCM"
    return float(measure["p50"] / ours[peer["language"], covers])


def _peers(result: Result) -> Iterator[Row]:
    for measure in of(result, "peer_rtf"):
        peer, ratio = measure["variant"], times_ours(result, measure)
        name = f"{peer['name']} {peer['version']} ({peer['language']}, {peer['licence']})"
        yield (
            name,
            f"{measure['p50']:.4f}",
            f"{ratio:.1f}",
            str(peer["threads"]),
            peer["covers"],
            peer["differs"],
        )


def _missing(result: Result) -> str:
    missing = result.get("peers_missing", {})
    return "Not here: " + "; ".join(f"{name} ({why})" for name, why in missing.items()) if missing else ""


def _networks(result: Result) -> Iterator[Row]:
    cost = {
        (one["variant"]["graph"], one["variant"]["precision"]): one["p50"] for one in of(result, "networks")
    }
    both = of(result, "networks_ratio")[0]["p50"]
    for graph in ("encoder", "decoder"):
        times = [cost[graph, precision] for precision in ("fp32", "int8")]
        yield (f"{graph}.onnx", *(f"{time:.2f} ms" for time in times), f"{times[0] / times[1]:.2f} ×")
    sums = [cost["encoder", precision] + cost["decoder", precision] for precision in ("fp32", "int8")]
    yield ("both", *(f"{time:.2f} ms" for time in sums), f"{both:.2f} ×")


def _floor(result: Result) -> Iterator[Row]:
    for measure in of(result, "work"):
        about = measure["variant"]
        if about["kind"] != "weight_bytes":
            name = f"{about['graph']}: multiplications of a {about['row']}, {about['kind']}"
            yield (name, f"{measure['p50'] / 1e6:.2f} million")
        else:
            yield (f"{about['graph']}: weights read in each run", f"{measure['p50'] / 2**20:.2f} MiB")
    for measure in of(result, "peak"):
        kind = measure["variant"]["kind"]
        yield (f"largest speed of a product here, {kind}", f"{measure['p50']:.0f} GOP/s")
    floor, spent = of(result, "decoder_floor")[0]["p50"], of(result, "decoder")[0]["p50"]
    yield ("a second of sound at that speed", f"{floor:.2f} ms")
    yield ("a second of sound as measured", f"{spent:.2f} ms")
    yield ("how much of the largest speed is reached", f"{100 * floor / spent:.0f} %")


def _power(result: Result) -> Iterator[Row]:
    watts = {
        (measure["variant"]["rail"], measure["variant"]["state"]): measure["p50"]
        for measure in of(result, "power")
    }
    for measure in of(result, "energy"):
        rail = measure["variant"]["rail"]
        rest, speaking = (f"{watts[rail, state]:.2f} W" for state in ("rest", "speaking"))
        yield (rail, rest, speaking, f"{1000 * measure['p50']:.1f} mJ")
