"""``sovits-edge say``: one line of text aloud, into a WAV file or a pipe, passed on as it is computed."""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ..spec import EMOTION_STRENGTH, PITCH, RATE, SAMPLE_RATE, VOLUME
from .output import FileLabel, Progress, Sound, open_sound, play_sound
from .remote import speak as speak_on_device
from .stdin import text_or_stdin

if TYPE_CHECKING:
    from ..config import EdgeConfig
    from ..labels.announcement import Announced
    from ..labels.export import Export
    from ..lipsync.timeline import Timeline
    from ..synthesizer import PreparedLine, SpeechRequest, Synthesizer


REMOTE_ONLY = ("broker",)
LOCAL_ONLY = (
    "output",
    "raw",
    "lipsync",
    "viseme_set",
    "bundle",
    "lexicon",
    "threads",
    "warm_up",
    "label_profile",
    "producer",
)
ACTING = ("character", "emotion", "emotion_strength", "rate", "pitch", "volume", "language", "markup")


def _range(limits: tuple[float, float], unit: str) -> str:
    return f"{limits[0]:g} to {limits[1]:g}, {unit}."


@dataclass
class _Result:
    """What ``--json`` prints."""

    character: str
    """Who spoke."""
    normalized: str
    """The text as it was read."""
    load_ms: float
    """Time to load the voice (and to warm it up, if asked)."""
    warnings: list[str]
    """What was done otherwise than asked."""
    audio_ms: float = 0.0
    """Length of the sound, its label included."""
    first_audio_ms: float = 0.0
    """From the text to the first sound written; loading the voice is not in it."""
    synthesis_ms: float = 0.0
    """From the text to the last sound written."""
    rtf: float = 0.0
    """Synthesis time / length without the label."""
    label_ms: float = 0.0
    """Length of what is heard of a label; it has no part in any other time."""
    label: dict[str, str] = field(default_factory=dict)
    """What the file says of its origin."""
    marks: list[dict[str, Any]] = field(default_factory=list)
    """``{"name", "t_ms"}`` of every ``[mark:name]``."""


@click.command()
@click.argument("text", required=False)
@click.option(
    "-o",
    "--output",
    help="WAV, FLAC or Ogg file; - is standard output, to pipe into a player.  [default: the sound card, or "
    "a file in the current folder where there is none]",
)
@click.option("--device", help="Speak through the running daemon of this name, over MQTT.")
@click.option("--broker", help="Where --device is: mqtt://[USER@]HOST[:PORT], or mqtts:// for TLS.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="TOML file of a device: its voice, label and trust here, its broker with --device.",
)
@click.option("--raw", is_flag=True, help="Write bare 16-bit little-endian mono PCM, no WAV header.")
@click.option("--character", default="", help="Who speaks; the first of the bundle if absent (see voices).")
@click.option("--emotion", default="neutral", show_default=True, help="Until the first [emotion:...] tag.")
@click.option(
    "--emotion-strength",
    default=1.0,
    show_default=True,
    help=_range(EMOTION_STRENGTH, "0 is neutral, 1 as trained"),
)
@click.option("--rate", default=1.0, show_default=True, help=_range(RATE, "times normal speed"))
@click.option("--pitch", default=0.0, show_default=True, help=_range(PITCH, "semitones"))
@click.option("--volume", default=1.0, show_default=True, help=_range(VOLUME, "linear gain"))
@click.option(
    "--language",
    type=click.Choice(["auto", "zh", "en", "ja"]),
    default="auto",
    show_default=True,
    help="What the parts without Latin letters are.",
)
@click.option(
    "--markup",
    type=click.Choice(["lenient", "strict"]),
    default="lenient",
    show_default=True,
    help="strict refuses what is no tag; lenient leaves it out with a warning.",
)
@click.option(
    "--lipsync", type=click.Path(path_type=Path), help="JSON file for word, phoneme and mouth times."
)
@click.option(
    "--viseme-set",
    type=click.Choice(["oculus", "rhubarb", "azure", "arkit", "polly"]),
    default="oculus",
    show_default=True,
    help="Form of the mouth shapes.",
)
@click.option("--bundle", type=click.Path(path_type=Path), help="Voice bundle; the built-in voice if absent.")
@click.option("--lexicon", type=click.Path(path_type=Path), help="Pronunciations that win over every rule.")
@click.option("--label-profile", help="What is heard and written of its origin: cn, eu, eu-art, us-ca.")
@click.option("--producer", help="Code of whoever answers for it, for the label in a file.")
@click.option("--threads", default=2, show_default=True, help="Threads of the inference library.")
@click.option("--warm-up", is_flag=True, help="Speak once in silence first: times are then a daemon's.")
@click.option("--json", "as_json", is_flag=True, help="Print length and times (with -o - to standard error).")
def say(text: str | None, output: str | None, device: str | None, as_json: bool, **options: Any) -> None:
    """Speak TEXT aloud, into a WAV file or a pipe, or through a running daemon.

    Sound is passed on as it is computed.

    TEXT is one line of Chinese, English, Japanese or a mixture, at most 2000 characters; - or no TEXT reads
    standard input. Inline tags act and are never read aloud: [emotion:sad], [pause:400ms], [mark:door_open].

    \b
    Examples:
      sovits-edge say "Doors open in five minutes."
      sovits-edge say "你终究还是选择了怀疑……[pause:300ms][emotion:sad]我本可以拯救所有人。" -o line.wav
      sovits-edge say "Mind the gap." --character claire --rate 1.2 -o - | aplay
      sovits-edge say "Cue the lights." --raw -o - | aplay -f S16_LE -r 32000
      sovits-edge say "こんにちは" --character mei -o hello.wav --lipsync hello.json --viseme-set arkit
      echo "Generated a moment ago." | sovits-edge say -o line.wav --json
      sovits-edge say "Doors open." -o line.flac --label-profile cn --producer studio-9
      sovits-edge say "Doors open." --device kiosk --broker mqtt://10.0.0.2
    """
    given = _given(click.get_current_context(), device)
    if options["raw"] and output is None and device is None:
        raise click.UsageError("--raw goes with -o: name a file, or - for a pipe")
    source = text_or_stdin(text)
    acting = {key: options[key] for key in ACTING}
    if device is not None:
        asked = {key: value for key, value in acting.items() if key in given}
        broker, config = options["broker"], options["config"]
        speak_on_device(source, device, broker=broker, config=config, voice=asked, as_json=as_json)
        return
    result = _speak_here(source, output, acting, options)
    for warning in [] if as_json else result.warnings:
        click.echo(f"sovits-edge: warning: {warning}", err=True)
    if as_json:
        click.echo(json.dumps(asdict(result), ensure_ascii=False), err=output == "-")


def _speak_here(source: str, output: str | None, acting: dict[str, Any], options: dict[str, Any]) -> _Result:
    """Speak with a voice of this process; gives the figures."""
    raw, lipsync = options["raw"], options["lipsync"]
    with Progress() as progress:
        progress.show("loading the voice")
        started = time.perf_counter()
        settings = _settings(output, options)
        synthesizer = _load(settings, options)
        labels = _labels(settings, synthesizer)
        loaded = time.perf_counter()
        line = _prepare(synthesizer, source, acting)
        result = _Result(line.character.name, line.normalized, _ms(loaded - started), list(line.warnings))
        read = time.perf_counter()
        announced = labels.announced(line)
        loaded += time.perf_counter() - read
        named = _label(labels, output, raw, result)
        sound = _open(output, raw, source, synthesizer.bundle.manifest.sample_rate, progress, named)
        with sound as sink:
            timeline = _write(labels, line, announced, sink, loaded, result, progress)
    if lipsync is not None:
        _write_lipsync(lipsync, timeline, options["viseme_set"], line.request)
    return result


def _given(context: click.Context, device: str | None) -> set[str]:
    """Name the options given, and refuse those that do not belong to the way the line takes."""
    foreign = REMOTE_ONLY if device is None else LOCAL_ONLY
    names = {parameter.name or "": parameter.opts[-1] for parameter in context.command.params}
    given = {name for name in names if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    for name in sorted(given.intersection(foreign)):
        rule = "needs --device" if device is None else "does not go with --device"
        raise click.UsageError(f"{names[name]} {rule}")
    return given


def _settings(output: str | None, options: dict[str, Any]) -> EdgeConfig:
    """Configuration of the device with what was asked on top."""
    from ..config import load_config
    from ..sound_file import check_suffix

    check_suffix(Path(output or "").suffix)
    asked = {key: options[key] for key in ("bundle", "lexicon")}
    asked |= {"label.profile": options["label_profile"], "label.producer": options["producer"]}
    return load_config(options["config"], asked)


def _load(settings: EdgeConfig, options: dict[str, Any]) -> Synthesizer:
    from ..bundle.trust.gate import DeviceGate
    from ..permission import gate_of, trust_directory
    from ..synthesizer import Synthesizer

    gate = DeviceGate(trust_directory()) if options["config"] is None else gate_of(settings)
    threads = options["threads"]
    synthesizer = Synthesizer.load(settings.bundle, threads=threads, lexicon=settings.lexicon, gate=gate)
    if options["warm_up"]:
        synthesizer.warm_up()
    return synthesizer


def _labels(settings: EdgeConfig, synthesizer: Synthesizer) -> Export:
    from ..labels.export import Export

    return Export(settings.label, synthesizer, settings.state_dir)


def _label(labels: Export, output: str | None, raw: bool, result: _Result) -> FileLabel:
    """Label of the file, which is told with the figures; none goes into a pipe, to a sound card, or raw."""
    from ..labels.export import new_id

    label = FileLabel(labels, new_id())
    result.label = {} if raw or output in (None, "-") else labels.values(label.line_id)
    return label


def _prepare(synthesizer: Synthesizer, text: str, voice: dict[str, Any]) -> PreparedLine:
    from ..synthesizer import SpeechRequest

    first = synthesizer.bundle.manifest.characters[0].name
    return synthesizer.prepare(SpeechRequest(text, **{**voice, "character": voice["character"] or first}))


def _open(
    output: str | None, raw: bool, text: str, rate: int, progress: Progress, label: FileLabel
) -> AbstractContextManager[Sound]:
    from ..markup import parse

    if output is None:
        return play_sound(rate, parse(text).plain, progress.tell, label)
    return open_sound(output, rate, raw, label)


def _write(
    labels: Export,
    line: PreparedLine,
    announced: Announced,
    sound: Sound,
    started: float,
    result: _Result,
    progress: Progress,
) -> Timeline:
    """Synthesise into the output and fill in the figures; gives the line's timeline."""
    from ..lipsync.timeline import concatenate

    timelines = []
    n_samples, rate = 0, SAMPLE_RATE
    for chunk in labels.stream(line, announced):
        sound.write(chunk.samples.astype("<i2").tobytes())
        result.first_audio_ms = result.first_audio_ms or _ms(time.perf_counter() - started)
        n_samples += len(chunk.samples)
        progress.show(f"{n_samples / rate:.0f} s of sound")
        result.marks += [{"name": mark.name, "t_ms": _ms(mark.sample / rate)} for mark in chunk.marks]
        if chunk.timeline is not None:
            timelines.append(chunk.timeline)
    result.synthesis_ms = _ms(time.perf_counter() - started)
    result.audio_ms = _ms(n_samples / rate)
    result.label_ms = 0.0 if announced.label is None else _ms(len(announced.label.samples) / rate)
    spoken_ms = result.audio_ms - result.label_ms
    result.rtf = round(result.synthesis_ms / spoken_ms, 4) if spoken_ms > 0 else 0.0
    return concatenate(timelines)


def _write_lipsync(path: Path, timeline: Timeline, viseme_set: str, request: SpeechRequest) -> None:
    from ..lipsync.viseme_sets import to_dict
    from ..markup import parse

    plain = parse(request.text, request.markup, request.trust).plain
    facts = to_dict(timeline, path.stem, 0, True, viseme_set, plain)
    try:
        path.write_text(json.dumps(facts, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{path}: cannot be written: {error.strerror}") from error


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
