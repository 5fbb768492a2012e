"""The page in a real browser: complete, offline, readable on a phone and in the dark."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from distill.report.collect import Heard, Report
from distill.report.files import CorpusSummary, Finding, GateSummary, Rejection
from distill.report.limitations import limitations
from distill.report.page import duration, megabytes, render
from distill.report.players import HeardLine, Take
from distill.report.sources import Sources
from distill.report.verdict import Verdict
from edge.bundle.bundle import Bundle
from edge.bundle.manifest import Consent

from .browser import Browser

pytestmark = [pytest.mark.torch, pytest.mark.espeak, pytest.mark.flite, pytest.mark.voice]

DESKTOP, PHONE = 1280, 390  # CSS pixels
N_LINES = 6  # held out in the small corpus

# Loads every player; resolves to seconds, or to the error code where one cannot be played.
DURATIONS = """
Promise.all([...document.querySelectorAll("audio")].map((player) => new Promise((done) => {
  player.addEventListener("loadedmetadata", () => done(player.duration));
  player.addEventListener("error", () => done(-player.error.code));
  player.preload = "metadata";
  player.load();
})))
"""
IMAGES = "[...document.images].map((image) => [image.naturalWidth, image.width, image.alt.length])"
OVERFLOW = """
[...document.body.querySelectorAll("*")]
  .filter((e) => !e.closest(".scroll > *") && e.getBoundingClientRect().right > innerWidth + 0.5)
  .map((e) => `${e.tagName} ${e.className}`)
"""
# Elements with text of their own whose contrast against what lies behind them is below WCAG AA.
FAINT = """
(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const rgb = channels(getComputedStyle(e).backgroundColor);
      if (rgb.length < 4 || rgb[3] > 0) return rgb;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const e of document.body.querySelectorAll("*")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || e.closest("script")) continue;
    const pair = [light(channels(getComputedStyle(e).color)), light(behind(e))].sort((a, b) => b - a);
    if ((pair[0] + 0.05) / (pair[1] + 0.05) < 4.5) found.push(`${e.tagName} ${e.className} ${e.textContent}`);
  }
  return found;
})()
"""
CHOOSE_CHINESE = """
(() => {
  const select = document.querySelector("select[name=language]");
  select.value = "zh";
  select.dispatchEvent(new Event("change", { bubbles: true }));
  return [...document.querySelectorAll(".lines > li")].filter((line) => line.checkVisibility())
    .map((line) => line.dataset.language);
})()
"""


@dataclass(frozen=True)
class Seen:
    """What the browser found, the page loaded once.

    Attributes:
        asked: addresses that were requested.
        complaints: exceptions and messages on the console.
        durations: of the players, seconds.
        images: of each its own width, its width on the page, and the length of its alternative text.
        overflow: by width of the window, what sticks out, and how wide the page is.
        faint: by scheme, text with too little contrast.
        paper: by scheme, background of the page.
        chinese: languages of the lines that are left when Chinese is chosen.
        counted: what the filter says then.
    """

    asked: list[str]
    complaints: list[Any]
    durations: list[float]
    images: list[list[int]]
    overflow: dict[int, tuple[list[str], int]]
    faint: dict[str, list[str]]
    paper: dict[str, str]
    chinese: list[str]
    counted: str


@pytest.fixture(scope="module")
def seen(written: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    try:
        browser.resize(DESKTOP)
        browser.open(written.path)
        return look(browser)
    finally:
        browser.close()


def look(browser: Browser) -> Seen:
    durations, images = browser.evaluate(DURATIONS), browser.evaluate(IMAGES)
    overflow: dict[int, tuple[list[str], int]] = {}
    for width in (PHONE, DESKTOP):
        browser.resize(width)
        overflow[width] = browser.evaluate(OVERFLOW), browser.evaluate("document.documentElement.scrollWidth")
    faint, paper = {}, {}
    for scheme in ("light", "dark"):
        browser.prefer(scheme)
        faint[scheme] = browser.evaluate(FAINT)
        paper[scheme] = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    chinese = browser.evaluate(CHOOSE_CHINESE)
    counted = browser.evaluate("document.querySelector('output').textContent")
    asked = [request["request"]["url"] for request in browser.told("Network.requestWillBeSent")]
    kinds = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
    complaints = [event for kind in kinds for event in browser.told(kind)]
    return Seen(asked, complaints, durations, images, overflow, faint, paper, chinese, counted)


@pytest.mark.browser
def test_nothing_is_asked_of_anybody_and_nothing_fails(seen: Seen, written: SimpleNamespace) -> None:
    assert [url[:80] for url in seen.asked if not url.startswith("data:")] == [written.path.as_uri()]
    assert seen.complaints == []


@pytest.mark.browser
def test_every_player_and_picture_loads(seen: Seen) -> None:
    assert len(seen.durations) == N_LINES * 3  # teacher, FP32, INT8
    assert min(seen.durations) > 0.2 and max(seen.durations) < 20
    assert len(seen.images) == 4  # three voices, and the losses
    assert all(natural > 300 and shown > 100 and words > 40 for natural, shown, words in seen.images)


@pytest.mark.browser
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_nothing_sticks_out(seen: Seen, width: int) -> None:
    sticking_out, page = seen.overflow[width]
    assert sticking_out == [] and page <= width


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_paper(seen: Seen, scheme: str) -> None:
    assert seen.faint[scheme] == []
    assert (seen.paper[scheme] == "rgb(255, 255, 255)") is (scheme == "light")


@pytest.mark.browser
def test_lines_can_be_chosen(seen: Seen) -> None:
    assert set(seen.chinese) == {"zh"} and 0 < len(seen.chinese) < N_LINES
    assert seen.counted == f"{len(seen.chinese)} lines"


def test_everything_is_inside(written: SimpleNamespace) -> None:
    links = re.findall(r'(?:src|href|srcset|action|poster)="([^"]*)"', written.text)
    assert links and [link[:60] for link in links if not link.startswith(("data:", "#"))] == []
    assert "url(" not in written.text and "@import" not in written.text
    assert not written.path.with_name("report.html.part").exists()


def test_the_numbers_are_those_of_the_evaluation(written: SimpleNamespace, sources: Sources) -> None:
    told = json.loads(sources.quality.read_text("utf-8"))
    assert told["judged"] > 0 and Verdict(told["passed"], told["judged"], ()).headline in written.text
    for text in ("duration correlation", "pitch correlation", "2 h 05 min"):
        assert text in written.text
    assert "other networks" not in written.text


def test_every_table_names_its_columns(written: SimpleNamespace) -> None:
    tables = re.findall(r"<table>.*?</table>", written.text, re.DOTALL)
    assert tables and all('<th scope="col"' in table and '<th scope="row"' in table for table in tables)


@pytest.fixture
def bare() -> Report:
    """A report of the built-in voice, of which nothing but a line is known."""
    line = HeardLine("1", "text", "noah", "en", "neutral", (Take("Teacher", 1.0, "data:audio/flac;base64,"),))
    manifest = Bundle.load().manifest
    heard = Heard(manifest, ("Teacher", "Student, INT8"), (line,), ())
    corpus = CorpusSummary()
    return Report(
        "2026-01-01T00:00:00+00:00", {}, heard, None, corpus, (), None, None, None, None, None, None,
        tuple(limitations(manifest, corpus, None)),
    )  # fmt: skip


def test_what_was_not_given_is_said(bare: Report) -> None:
    page = render(bare)
    assert "Not judged" in page and "Nobody noted what the steps took" in page
    assert "no bundle with float networks was given" in page and "there are no curves" in page
    assert 'href="#numbers"' not in page and 'id="numbers"' not in page


def test_text_of_a_script_is_never_markup(bare: Report) -> None:
    evil = '<img src="https://example.org/x.png" onerror="alert(1)">'
    lines = (replace(bare.heard.lines[0], text=evil),)
    page = render(replace(bare, heard=replace(bare.heard, lines=lines)))
    assert evil not in page and "&lt;img src=" in page


def test_rejections_are_counted_and_listed(bare: Report) -> None:
    lost = Rejection(
        id="1", text="你好。", character="noah", language="zh", emotion="sad", attempt=0, reason="loop",
        detail="41 % of the line repeats what was said", measured=0.41, threshold=0.3, lost=True,
    )  # fmt: skip
    corpus = CorpusSummary(gate=GateSummary(recovered=0, lost=1))
    page = render(replace(bare, rejections=(lost,), corpus=corpus))
    assert "turned down 1 renderings" in page and "something is said over and over" in page
    assert "loop: 41 % of the line repeats" in page and "0.41" in page and "✗ lost" in page


def test_consent_and_references_are_shown(bare: Report) -> None:
    consent = Consent(holder="A. Speaker", scope="stage shows", date="2026-01-02")
    manifest = bare.heard.manifest.model_copy(update={"consent": consent})
    finding = Finding(
        clip="ref/sad.wav", check="noise floor", measured=-42.1, unit="dBFS", severity="warning",
        advice="record it in a quieter room",
    )  # fmt: skip
    page = render(replace(bare, heard=replace(bare.heard, manifest=manifest), findings=(finding,)))
    assert "A. Speaker, 2026-01-02" in page and "stage shows" in page
    assert "-42.1 dBFS" in page and "record it in a quieter room" in page


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (3.21, "3.2 s"),
        (61, "61 s"),
        (312, "5 min"),
        (7500, "2 h 05 min"),
        (5990, "1 h 40 min"),
    ],
)
def test_times_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_sizes() -> None:
    assert megabytes(9_217_361) == "9.2 MB"
