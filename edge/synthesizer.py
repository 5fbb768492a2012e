"""Text in, sound out: the main path of the device, from a request to its chunks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from . import golden, markup
from .audio import AudioChunk, Mark, Pcm16
from .bundle.bundle import Bundle, Gate
from .bundle.manifest import Character, choose_character
from .decoding import EncodedPhrase, LineDecoder, PhraseInLine
from .errors import BundleError, RequestError
from .fingerprint import software_fingerprint
from .growing import Growing
from .lipsync.timeline import Timeline, concatenate
from .loudness.level import Levels
from .markup import Tag
from .phrase_chunks import line_chunks
from .phrases import Phrase, phrases_of_blocks, silent_phrases, split_phrases
from .prosody import plan_frames, sounded_mask
from .runners import EncoderInputs, Runner, open_runner
from .runners.base import encoder_inputs
from .sanity import check_durations
from .spec import EMOTION_STRENGTH, PITCH, RATE, SAMPLE_RATE, VOLUME
from .text import FrontEnd
from .text.frontend import foreseen

LONG_TEXT = 200  # characters of a text that is read while it is spoken
_RANGES = {"emotion_strength": EMOTION_STRENGTH, "rate": RATE, "pitch": PITCH, "volume": VOLUME}


@dataclass(frozen=True)
class SpeechRequest:
    """What to say and how."""

    text: str
    """With its tags."""
    character: str = ""
    """Of the bundle; empty if it has only one."""
    language: str = "auto"
    """``auto``, ``zh``, ``en`` or ``ja``."""
    emotion: str = "neutral"
    """Until the first emotion tag."""
    emotion_strength: float = 1.0
    """0 is neutral, 1 as trained; 0 to 1.5."""
    rate: float = 1.0
    """2.0 is twice as fast; 0.5 to 2."""
    pitch: float = 0.0
    """Semitones, -12 to 12."""
    volume: float = 1.0
    """Linear gain, 0 to 2."""
    markup: str = "lenient"
    """``lenient``: what is no tag is not spoken, with a warning; ``strict``: it is refused."""
    trust: str = "show"
    """``show``, or ``text`` for text of a language model or the public: its marks are not obeyed."""


@dataclass(frozen=True)
class PreparedLine:
    """A request after the text stage: phrases with phonemes, ready for the networks."""

    request: SpeechRequest
    """As given."""
    character: Character
    """Who speaks."""
    phrases: Sequence[Phrase]
    """In order; their emotions are ones that the character has."""
    normalized: str
    """The text as it will be read; empty for a long text that is read while it is spoken."""
    warnings: tuple[str, ...] = ()
    """What will be done otherwise than asked."""
    lexicon: str = ""
    """Digest of the show's lexicon as it was read with."""


@dataclass(frozen=True)
class Speech:
    """A whole line."""

    audio: Pcm16
    """(n,) 16-bit PCM."""
    sample_rate: int
    """Hz."""
    timeline: Timeline
    """Words, phonemes and visemes, seconds from the start."""
    marks: tuple[Mark, ...]
    """In order."""
    warnings: tuple[str, ...]
    """From the text stage."""

    @classmethod
    def of(cls, chunks: Sequence[AudioChunk], warnings: tuple[str, ...]) -> Speech:
        """Join the chunks of a line."""
        timelines = [chunk.timeline for chunk in chunks if chunk.timeline is not None]
        marks = tuple(mark for chunk in chunks for mark in chunk.marks)
        audio = np.concatenate([chunk.samples for chunk in chunks])
        return cls(audio, SAMPLE_RATE, concatenate(timelines), marks, warnings)


def _never() -> bool:
    return False


class Synthesizer:
    """Speaks with one bundle. Belongs to one thread at a time.

    Args:
        bundle: checked.
        runner: of its networks.
        front_end: reads text.
        marked: also mark a voice that imitates nobody; that of a person always carries the inaudible mark.
    """

    def __init__(self, bundle: Bundle, runner: Runner, front_end: FrontEnd, marked: bool = False) -> None:
        self.bundle = bundle
        self.marked = bundle.imitates_a_person or marked
        self.levels = Levels()
        """How loud its characters are, where somebody needs to know."""
        self._runner = runner
        self._front_end = front_end
        manifest = bundle.manifest
        # In the order of the manifest: what the first character speaks first is most likely wanted first.
        self._cold = list(dict.fromkeys(name for entry in manifest.characters for name in entry.languages))
        self._decoder = LineDecoder(runner, manifest.context_frames, manifest.window_frames)

    @classmethod
    def load(
        cls,
        bundle: Path | None = None,
        *,
        threads: int = 2,
        lexicon: Path | None = None,
        runner: str = "onnxruntime",
        gate: Gate | None = None,
        state_dir: Path | None = None,
        marked: bool = False,
    ) -> Synthesizer:
        """Open a bundle, None for the built-in voice.

        Args:
            bundle: directory or ``.voice`` file.
            threads: phrases, or windows of the last one, to compute at the same time.
            lexicon: of the show.
            runner: one of ``edge.runners.RUNNERS``.
            gate: decides whether the voice may be used, as in :meth:`Bundle.load`.
            state_dir: where engines and verdicts of the device are kept.
            marked: also mark a voice that imitates nobody.

        Raises:
            BundleError, ConfigError, RunnerError: one line that names the file and the remedy.
        """
        loaded = Bundle.load(bundle, gate=gate)
        opened = open_runner(loaded, runner, threads, state_dir)
        return cls(loaded, opened, FrontEnd(lexicon), marked)

    @property
    def fingerprint(self) -> str:
        """Name everything but request and lexicon that the sound of a line depends on."""
        parts = (self.bundle.identity, self._runner.name, str(self.marked), software_fingerprint())
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    @property
    def lexicon_digest(self) -> str:
        """Name the entries of the show's lexicon; empty without one."""
        return self._front_end.lexicon_digest

    def warm_up(self) -> None:
        """Speak the golden line and compare it, and load the dictionaries of all the bundle's languages.

        Raises:
            RunnerError: the sound is not the voice that was packed.
        """
        self.prove()
        while not self.is_warm:
            self.warm_next()

    @property
    def is_warm(self) -> bool:
        """Whether the dictionaries of all languages are there."""
        return not self._cold

    def warm_next(self) -> None:
        """Load the dictionaries of one more language; a line whose turn has not come loads them by itself."""
        if self._cold:
            self._front_end.warm_up([self._cold.pop(0)])

    def prove(self) -> None:
        """Speak the golden line and compare it; of the dictionaries, only what it needs is loaded.

        Raises:
            RunnerError: the sound is not the voice that was packed.
        """
        expected = self.bundle.manifest.golden
        request = SpeechRequest(expected.text, expected.character, expected.language)
        golden.compare(expected, *self.measure(request), str(self.bundle.path))

    def measure(self, request: SpeechRequest) -> tuple[list[int], list[float]]:
        """Speak a line of one phrase, read without a lexicon, as the golden line of a bundle is measured.

        Returns:
            Frames of each symbol, and the level of each 0.1 s in dB below full scale.

        Raises:
            BundleError: the line is not one phrase.
        """
        line = self._prepare(request, self._front_end.without_lexicon())
        if len(line.phrases) != 1:
            what = f"golden line {request.text!r} is {len(line.phrases)} phrases"
            raise BundleError(f"{what}, expected 1; choose one sentence")
        durations = self.encode(line, line.phrases[0]).plan.durations
        audio = np.concatenate([chunk.samples for chunk in self.stream(line)])
        levels = [round(float(level), 1) for level in golden.levels_db(audio)]
        return [int(n) for n in durations], levels

    def sample(self, text: str, character: str, language: str) -> Pcm16:
        """Speak a line whole, read without a lexicon: (n,) as everybody hears it who has the bundle.

        Raises:
            RequestError, TextError, RunnerError: as ``prepare`` and ``stream``.
        """
        line = self._prepare(SpeechRequest(text, character, language), self._front_end.without_lexicon())
        return np.concatenate([chunk.samples for chunk in self.stream(line)])

    def close(self) -> None:
        """Give threads and networks back."""
        self._decoder.close()
        self._runner.close()

    def prepare(self, request: SpeechRequest, at_once: bool = False) -> PreparedLine:
        """Do the text stage: tags, reading, phrases.

        Args:
            request: what to say and how.
            at_once: read no more of a long text than its first phrases need; the rest is read while it is
                spoken.

        Raises:
            RequestError: unknown character, or a number out of range.
            TextError: the text cannot be spoken.
        """
        return self._prepare(request, self._front_end, at_once)

    def _prepare(self, request: SpeechRequest, front_end: FrontEnd, at_once: bool = False) -> PreparedLine:
        _check_ranges(request)
        character = choose_character(self.bundle.manifest.characters, request.character)
        parsed = markup.parse(request.text, request.markup, request.trust)
        first, tags, warnings = _resolve_emotions(character, request.emotion, parsed.tags)
        warnings += parsed.warnings
        if request.text.strip() and not any(map(str.isalnum, parsed.plain)):
            phrases = silent_phrases(parsed.plain, tags, first)
            return PreparedLine(request, character, phrases, "", tuple(warnings))
        if at_once and len(parsed.plain) > LONG_TEXT:
            growing = self._growing(request, front_end, character, parsed.plain, tags, first)
            languages, left_out = foreseen(parsed.plain, request.language, character.languages)
            warnings += [*filter(None, [left_out]), *_accents(character, languages)]
            return PreparedLine(request, character, growing, "", tuple(warnings), front_end.lexicon_digest)
        reading = front_end.read(parsed.plain, request.language, character.languages)
        warnings += [*reading.warnings, *_accents(character, reading.languages)]
        phrases = split_phrases(reading, tags, first)
        return PreparedLine(
            request, character, phrases, reading.normalized, tuple(warnings), front_end.lexicon_digest
        )

    def _growing(
        self,
        request: SpeechRequest,
        front_end: FrontEnd,
        character: Character,
        plain: str,
        tags: Sequence[Tag],
        emotion: str,
    ) -> Growing[Phrase]:
        """Phrases that are read while they are spoken; the first one now."""
        readings = front_end.read_blocks(plain, request.language, character.languages)
        phrases = Growing(phrases_of_blocks(readings, tags, emotion))
        phrases.has(0)
        return phrases

    def stream(
        self, line: PreparedLine, cancelled: Callable[[], bool] = _never, hold: bool = True
    ) -> Iterator[AudioChunk]:
        """Speak a line chunk by chunk: the first short, so that sound starts at once, later ones longer.

        Args:
            line: from ``prepare``.
            cancelled: asked before every window; once True, nothing more comes.
            hold: begin nothing else before the chunk after the first is asked for.

        Raises:
            RunnerError: a network failed.
        """
        return self._speak(line, self.bundle.manifest.first_window_frames, cancelled, hold)

    def render(
        self, line: PreparedLine, cancelled: Callable[[], bool] = _never, alone: bool = False
    ) -> Iterator[AudioChunk]:
        """Speak a line for which nobody waits: fewer and longer chunks, the same sound to within one step.

        On return its phrases are under way on other threads, so that several lines can be.

        Args:
            line: from ``prepare``.
            cancelled: as for ``stream``.
            alone: do it all on this thread; others would have no processor to themselves.

        Raises:
            RunnerError: a network failed.
        """
        return self._speak(line, 0, cancelled, hold=False, alone=alone)

    def synthesize(self, request: SpeechRequest) -> Speech:
        """Speak a whole line at once; the same sound as ``stream`` to within one 16-bit step.

        Raises:
            RequestError, TextError, RunnerError: as ``prepare`` and ``stream``.
        """
        line = self.prepare(request)
        return Speech.of(list(self.render(line)), line.warnings)

    def encode(self, line: PreparedLine, phrase: Phrase) -> EncodedPhrase:
        """Run the encoder on a phrase and lay it out in frames.

        Raises:
            RunnerError: the network failed.
        """
        request = line.request
        outputs = self._runner.encode(self._inputs(line, phrase))
        sounded = sounded_mask(phrase.symbols)
        check_durations(outputs.durations, sounded)
        plan = plan_frames(
            outputs.durations,
            outputs.f0,
            outputs.energy,
            sounded,
            rate=request.rate,
            pitch=request.pitch,
            shape=phrase.shape,
        )
        return EncodedPhrase(plan, np.repeat(outputs.hidden, plan.durations, axis=0)[None])

    def _inputs(self, line: PreparedLine, phrase: Phrase) -> EncoderInputs:
        emotion = self.bundle.manifest.emotions[phrase.emotion]
        return encoder_inputs(phrase, line.character.id, emotion, line.request.emotion_strength)

    def _speak(
        self,
        line: PreparedLine,
        first_window: int,
        cancelled: Callable[[], bool],
        hold: bool,
        alone: bool = False,
    ) -> Iterator[AudioChunk]:
        """Chunks of all phrases; only the first that sounds starts with a short window."""
        places = Growing(self._places(line))
        pieces = self._decoder.sound(places, first_window, cancelled, hold, alone)
        return line_chunks(line.phrases, places, pieces, line.request.volume)

    def _places(self, line: PreparedLine) -> Iterator[PhraseInLine]:
        """Where each phrase lies, as soon as it and those in front are encoded."""
        before: PhraseInLine | None = None
        for phrase in line.phrases:
            encode = partial(self.encode, line, phrase) if phrase.symbols else None
            silence = phrase.silence_samples(line.request.rate)
            before = PhraseInLine(encode, silence, before, self.marked)
            yield before


def _accents(character: Character, languages: Iterable[str]) -> list[str]:
    """A warning that names the languages of a line that a character does not have."""
    foreign = sorted(set(languages) - set(character.languages))
    return [f"{character.name} was not trained on {', '.join(foreign)}: expect an accent"] if foreign else []


def _check_ranges(request: SpeechRequest) -> None:
    for name, (low, high) in _RANGES.items():
        value = getattr(request, name)
        if not low <= value <= high:
            raise RequestError(f"{name} is {value}, expected {low:g} to {high:g}")


def _resolve_emotions(
    character: Character, first: str, tags: Sequence[Tag]
) -> tuple[str, tuple[Tag, ...], list[str]]:
    """Put emotions that the character has in place of those asked for, with a warning where they differ."""
    resolved: dict[str, str] = {}
    warnings: list[str] = []
    tags = [tag for tag in tags if not tag.is_hint or tag.kind == "pause" or tag.value in character.emotions]
    for asked in dict.fromkeys([first, *(str(tag.value) for tag in tags if tag.kind == "emotion")]):
        resolved[asked] = character.emotion(asked)
        warnings += character.emotion_warning(asked)
    ours = [replace(tag, value=resolved[str(tag.value)]) if tag.kind == "emotion" else tag for tag in tags]
    return resolved[first], tuple(ours), warnings
