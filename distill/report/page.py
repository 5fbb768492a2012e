"""Lays a report out as one HTML file that asks nobody for anything."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import Environment, PackageLoader, StrictUndefined

from .collect import Report
from .rejections import by_reason, listed
from .verdict import LANGUAGES, of_number

TEMPLATE = "report.html.j2"
INT8_QUALITY = {
    "log_mel_db": "spectrum: log-mel distance, dB (below 1 no difference is heard)",
    "snr_db": "signal to noise, sample by sample, dB",
    "duration_error_frames": "length of a sound, RMS, frames of 16 ms",
    "length_error_percent": "length of a line, %",
    "f0_error_cents": "pitch, RMS, cents",
}


def render(report: Report) -> str:
    """Return the page; whatever stands in the data is text to it, never markup."""
    environment = Environment(
        loader=PackageLoader("distill.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=of_number, duration=duration, megabytes=megabytes)
    return environment.get_template(TEMPLATE).render(
        report=report,
        manifest=report.heard.manifest,
        languages=LANGUAGES,
        reasons=by_reason(report.rejections),
        listed=listed(report.rejections),
        int8_quality=INT8_QUALITY,
        media_bytes=sum(len(uri) for uri in _media(report)),
    )


def _media(report: Report) -> Iterator[str]:
    """Data URIs of the page."""
    yield from (take.uri for line in report.heard.lines for take in line.takes)
    pictures = (*report.heard.voices, report.alignment, report.losses)
    yield from (picture.uri for picture in pictures if picture)


def duration(seconds: float) -> str:
    """Write a time as people say it: ``12 s``, ``48 min``, ``2 h 05 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def megabytes(n_bytes: int) -> str:
    """Write a size with one decimal."""
    return f"{n_bytes / 1e6:.1f} MB"
