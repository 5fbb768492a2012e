"""Figures of the daemon in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .door import Figures
from .figures import Histogram

if TYPE_CHECKING:
    from prometheus_client.core import Metric

PREFIX = "sovits_edge_"
STATES = ("starting", "idle", "speaking", "degraded", "error")
GAUGES = {
    "uptime_seconds": ("Seconds since the daemon started.", "uptime_s"),
    "mqtt_connected": ("Whether the broker is reached.", "connected"),
    "queue_lines": ("Accepted lines that wait for their turn.", "queue_depth"),
    "intake_messages": ("Requests received and not yet looked at.", "intake_depth"),
    "outgoing_unacknowledged": ("Messages that the broker has not confirmed.", "outgoing_unacknowledged"),
    "cache_lines": ("Finished lines in the cache.", "cache_lines"),
    "cache_bytes": ("Sound in the cache.", "cache_bytes"),
    "cache_disk_lines": ("Finished lines on disk.", "cache_disk_lines"),
    "cache_disk_bytes": ("Size of the finished lines on disk.", "cache_disk_bytes"),
    "resident_bytes": ("Memory of the process.", "resident_bytes"),
    "engine_resident_bytes": ("Memory of the synthesiser's processes.", "engine_resident_bytes"),
}
COUNTERS = {
    "mqtt_reconnects": ("Working connections to the broker that were lost.", "reconnects"),
    "intake_dropped": ("Requests dropped because too many waited.", "intake_dropped"),
    "outgoing_dropped": ("Messages to the broker that were dropped.", "outgoing_dropped"),
    "engine_faults": ("Times that the synthesiser had to be replaced.", "engine_faults"),
    "underruns": ("Gaps in the sound that was played.", "underruns"),
    "cache_hits": ("Lines served from the cache.", "cache_hits"),
    "cache_poisoned": ("Files of the cache that were damaged and deleted.", "cache_poisoned"),
    "cache_lost": ("Finished lines that the disk did not take.", "cache_lost"),
    "cache_misses": ("Lines that had to be synthesised.", "cache_misses"),
    "sound_seconds": ("Sound in lines that were finished.", "sound_s"),
    "synthesis_seconds": ("Time spent computing lines that were finished.", "synthesis_s"),
}


def exposition(figures: Figures) -> tuple[bytes, str]:
    """Write figures down.

    Returns:
        The page and its content type.

    Raises:
        ImportError: prometheus-client is not installed.
    """
    from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
    from prometheus_client.registry import Collector, CollectorRegistry

    class _Page(Collector):
        def collect(self) -> Iterator[Metric]:
            return _families(figures)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Page())
    return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4


def _families(figures: Figures) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

    status = figures.status
    about = {"version": status.version, "bundle": status.bundle, "runner": status.runner}
    yield InfoMetricFamily(PREFIX + "build", "What runs.", {**about, "precision": status.precision})
    state = GaugeMetricFamily(PREFIX + "state", "1 for the state that the daemon is in.", labels=["state"])
    for word in STATES:
        state.add_metric([word], float(word == figures.state))
    yield state
    for name, (text, key) in GAUGES.items():
        yield GaugeMetricFamily(PREFIX + name, text, value=float(getattr(figures, key)))
    for name, (text, key) in COUNTERS.items():
        yield CounterMetricFamily(PREFIX + name, text, value=float(getattr(figures, key)))
    for name, text, label, counts in (
        ("lines", "Requests by how they ended.", "outcome", figures.lines),
        ("faults", "Failed and refused requests by code of the contract.", "code", figures.faults),
    ):
        family = CounterMetricFamily(PREFIX + name, text, labels=[label])
        for value, count in sorted(counts.items()):
            family.add_metric([value], float(count))
        yield family
    yield _histogram("first_audio_seconds", "From arrival to the first sample.", figures.first_audio)
    yield _histogram("waiting_seconds", "From arrival to the turn of a line.", figures.waiting)


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    return HistogramMetricFamily(
        PREFIX + name, text, buckets=histogram.cumulative(), sum_value=histogram.total
    )
