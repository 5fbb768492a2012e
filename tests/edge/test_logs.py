from __future__ import annotations

import io
import json
import logging
import os
import threading
import time
from collections.abc import Iterator

import pytest

from edge import logs
from edge.logs import MAX_CHARACTERS, MAX_WAITING, JsonLines, TextLines, Told, fields, priority


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back afterwards."""
    found = logging.getLogger()
    handlers, level, used = list(found.handlers), found.level, logs._used
    yield found
    logs.flush()
    found.handlers[:], logs._used = handlers, used
    found.setLevel(level)


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("edge.daemon.core", logging.ERROR, "core.py", 1, message, args, None)
    made.__dict__.update(fields(**extra))
    return made


def test_json_is_one_object_per_line_with_what_it_is_about() -> None:
    line = JsonLines().format(
        record("line %s\nfailed", "a", line="a", character="诺亚", code="internal", by=None)
    )
    assert "\n" not in line and "诺亚" in line
    values = json.loads(line)
    assert values["level"] == "error" and values["logger"] == "edge.daemon.core"
    assert values["message"] == "line a\nfailed"
    assert (values["line"], values["character"], values["code"]) == ("a", "诺亚", "internal")
    assert "by" not in values and values["time"].endswith("Z") and len(values["time"]) == 24


def test_json_holds_tracebacks_and_anything_else() -> None:
    broken = record("half a pair: \ud83d", detail={1, 2})
    try:
        raise ZeroDivisionError("boom")
    except ZeroDivisionError as error:
        broken.exc_info = (type(error), error, error.__traceback__)
    line = JsonLines().format(broken)
    assert line.encode("utf-8") and "\n" not in line
    values = json.loads(line)
    assert "ZeroDivisionError: boom" in values["exception"] and values["detail"] == "{1, 2}"
    assert len(json.loads(JsonLines().format(record("x" * 10**6)))["message"]) == MAX_CHARACTERS


def test_a_client_cannot_forge_a_line_of_the_log() -> None:
    text = TextLines().format(record("topic %s", "a\n2026-01-01 00:00:00,000 ERROR edge: forged\x1b[31m"))
    assert len(text.splitlines()) == 1 and "\\n2026" in text and "\\x1b[31m" in text


@pytest.mark.parametrize("form", [TextLines, JsonLines])
def test_the_journal_is_told_the_priority(form: type[TextLines]) -> None:
    line = form(True).format(record("down"))
    assert line.startswith("<3>")
    levels = (logging.DEBUG, logging.INFO, logging.WARNING, logging.CRITICAL)
    assert [priority(level) for level in levels] == [7, 6, 4, 3]


def test_every_line_of_a_traceback_has_its_priority() -> None:
    broken = record("boom")
    broken.exc_text = "Traceback:\n  one\n  two"
    assert all(line.startswith("<3>") for line in TextLines(True).format(broken).splitlines())


def test_the_journal_is_known_by_its_file(monkeypatch: pytest.MonkeyPatch, root: logging.Logger) -> None:
    reader, writer = os.pipe()
    status = os.fstat(writer)
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
    with os.fdopen(writer, "w", buffering=1) as stream, os.fdopen(reader) as journal:
        logs.set_up(logging.INFO, "json", stream)
        logging.getLogger("edge").warning("here")
        logs.flush()
        line = journal.readline()
    assert line.startswith("<4>") and json.loads(line[3:])["message"] == "here"
    assert logs.in_use() == (logging.INFO, "json")


def test_nobody_waits_for_a_log_that_is_stuck(root: logging.Logger) -> None:
    go, told = threading.Event(), io.StringIO()

    class Stuck(logging.StreamHandler[io.StringIO]):
        def emit(self, record: logging.LogRecord) -> None:
            go.wait(timeout=60)
            super().emit(record)

    handler = Told(Stuck(told))
    root.handlers[:] = [handler]
    logger = logging.getLogger("edge.stuck")
    begun = time.monotonic()
    for number in range(MAX_WAITING + 500):
        logger.error("number %d", number)
    assert time.monotonic() - begun < 5
    go.set()
    handler.close()
    lines = told.getvalue().splitlines()
    assert lines[0] == "number 0" and len(lines) < MAX_WAITING + 10
    assert "were not told" in lines[-1]
