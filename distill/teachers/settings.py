"""The ``[teacher]`` section of a voice: who speaks, and everything that decides how.

Paths are relative to the file that holds the section. The models travel to the processes that render.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from edge.bundle.manifest import Language, Name

from ..config import Section
from .reference import LocalPath, Reference, References

NEUTRAL = "neutral"
ALL_LANGUAGES: tuple[Language, ...] = ("zh", "en", "ja")
Cut = Literal["cut0", "cut1", "cut2", "cut3", "cut4", "cut5"]


class Sampling(Section):
    """How semantic tokens are drawn; the defaults are those of GPT-SoVITS."""

    top_k: int = Field(default=15, ge=1, le=1024)
    """Only the most probable tokens, at least 1 (always the best one)."""
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    """Only tokens that together have this probability, 0 to 1; 1 is off."""
    temperature: float = Field(default=1.0, gt=0.0, le=5.0)
    """Above 1 livelier and less sure, below 1 flatter, 0 to 5."""
    repetition_penalty: float = Field(default=1.35, ge=1.0, le=5.0)
    """On tokens that were drawn before, 1 is off."""


class _TeacherSettings(Section):
    """What every kind of teacher has."""

    def emotion_names(self) -> tuple[str, ...] | None:
        """Name the emotions; None when the recordings tell."""
        return (NEUTRAL,)

    def spoken_languages(self) -> tuple[Language, ...]:
        """Name the languages that this teacher can speak."""
        return ALL_LANGUAGES

    def tells_prosody(self) -> bool:
        """Say whether it tells the prosody of a line without saying it."""
        return False

    def references(self) -> Mapping[str, Reference]:
        """Give the reference clips by emotion; none where the teacher needs none."""
        return {}

    def files(self) -> tuple[Path, ...]:
        """List the files and folders of this machine that decide the sound."""
        return ()


class Owned(_TeacherSettings):
    """A teacher whose sound belongs to somebody."""

    licence: str | None = None
    """Under which its sound may be used; that of the voice when absent."""
    credit: str = ""
    """Whom to name for it."""


class _Cloning(Owned):
    """A full model, which takes voice and emotion from reference clips."""

    emotions: References
    """A clip for each emotion, neutral among them: a path whose transcript lies beside it as ``.txt``, or a
    table of audio, text, language and more."""
    sampling: Sampling = Sampling()
    """How tokens are drawn."""
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    """Of everything, 0.5 to 2; 1 is the model's own."""
    cut: Cut = "cut1"
    """Where long lines are cut, as GPT-SoVITS names it: cut0 nowhere, cut1 every four clauses, cut2 after 50
    characters, cut3 and cut4 at full stops, cut5 at every mark."""
    fragment_interval: float = Field(default=0.3, ge=0.0, le=2.0)
    """Silence after each piece of a line, in seconds."""

    @field_validator("emotions")
    @classmethod
    def _has_neutral(cls, value: References) -> References:
        if NEUTRAL not in value:
            raise ValueError('no clip is neutral, which sets the level; add neutral = "ref/neutral.wav"')
        return value

    def emotion_names(self) -> tuple[str, ...]:
        """Name the emotions, neutral first."""
        return (NEUTRAL, *(name for name in self.emotions if name != NEUTRAL))

    def references(self) -> Mapping[str, Reference]:
        """Give the reference clips by emotion."""
        return self.emotions

    def files(self) -> tuple[Path, ...]:
        """List the clips and their transcripts."""
        clips = [(clip.audio, clip.audio.with_suffix(".txt"), *clip.more) for clip in self.emotions.values()]
        return tuple(path for paths in clips for path in paths)


class GptSovitsSettings(_Cloning):
    """A GPT-SoVITS voice (v1, v2, v2Pro, v2ProPlus) read from the studio's own files."""

    kind: Literal["gpt-sovits"]
    gpt_weights: LocalPath
    """``.ckpt``, text to semantic tokens."""
    sovits_weights: LocalPath
    """``.pth``, tokens to sound."""
    hubert: LocalPath
    """Folder of chinese-hubert-base."""
    roberta: LocalPath | None = None
    """Folder of chinese-roberta-wwm-ext-large, which Chinese needs."""
    without_roberta: bool = False
    """Speak Chinese with zeros in the place of what RoBERTa says; the sound is flatter."""
    speaker_verification: LocalPath | None = None
    """``pretrained_eres2netv2w24s4ep4.ckpt``, which v2Pro and v2ProPlus need."""
    noise_scale: float = Field(default=0.5, ge=0.0, le=1.0)
    """Of the prior, 0 to 1; less is cleaner and duller."""
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    """``auto`` is a GPU where there is one; or ``cpu``, ``cuda``, ``cuda:1``."""
    batch: int = Field(default=4, ge=1, le=64)
    """Pieces of a line that are generated together."""

    def files(self) -> tuple[Path, ...]:
        """List the clips, the networks and the helpers."""
        networks = (self.gpt_weights, self.sovits_weights, self.hubert)
        return (*super().files(), *networks, *filter(None, (self.roberta, self.speaker_verification)))


class HttpSettings(_Cloning):
    """A running GPT-SoVITS server, ``api_v2.py``: any version, v3 and v4 included."""

    kind: Literal["gpt-sovits-http"]
    url: str = Field(default="http://127.0.0.1:9880", pattern=r"^https?://[^/\s]+(/.*)?$")
    """Where it listens."""
    server_folder: str | None = None
    """Where the server finds what lies here in ``local_folder``; when absent it runs on this machine, and
    paths are sent as they are."""
    local_folder: LocalPath = Field(default=Path(), validate_default=True)
    """Folder of the clips, that of the file by default."""
    gpt_weights: str | None = None
    sovits_weights: str | None = None
    """``gpt_weights``, ``sovits_weights``: for the server to load first, as paths on its disk."""
    timeout_s: float = Field(default=180.0, gt=0.0)
    """Longest wait for one line, seconds."""
    retries: int = Field(default=5, ge=0, le=20)
    """How often a line is sent again after a failure."""
    backoff_s: float = Field(default=1.0, ge=0.0, le=60.0)
    """Wait before the first retry, in seconds; each further one is twice as long."""
    media_type: Literal["wav", "raw", "ogg"] = "wav"
    """Of the answer; aac is not read."""
    raw_sample_rate: int = Field(default=32_000, ge=8_000, le=96_000)
    """Of ``raw`` sound, Hz: 32000, or 24000 for v3 and 48000 for v4."""
    streaming_mode: Literal[0, 1, 2, 3] = 0
    """0 whole line, 1 piece by piece, 2 and 3 inside a piece."""
    batch_size: int = Field(default=1, ge=1, le=200)
    batch_threshold: float = Field(default=0.75, ge=0.0, le=1.0)
    split_bucket: bool = True
    parallel_infer: bool = True
    """``batch_size``, ``batch_threshold``, ``split_bucket``, ``parallel_infer``: how the server puts pieces
    together."""
    sample_steps: int = Field(default=32, ge=1, le=128)
    super_sampling: bool = False
    """``sample_steps``, ``super_sampling``: of v3 and v4."""
    overlap_length: int = Field(default=2, ge=0)
    min_chunk_length: int = Field(default=16, ge=1)
    """``overlap_length``, ``min_chunk_length``: of streaming modes 2 and 3, in tokens."""


class RecordingsSettings(Owned):
    """What somebody has recorded: sound files and what is said in them."""

    kind: Literal["recordings"]
    folder: LocalPath
    """Of the sound files. A sub-folder is an emotion; what lies in none of them is neutral."""
    transcripts: LocalPath | None = None
    """File of lines ``path|speaker|language|text``, with the emotion as a fifth column where the folder does
    not tell; when absent each sound file has its transcript beside it as ``.txt``."""
    speaker: str | None = None
    """Of that file; everybody when absent."""
    emotions: dict[str, Name] = Field(default_factory=dict)
    """Names of folders or of the fifth column that mean an emotion of another name."""
    valid_share: float = Field(default=0.05, gt=0.0, le=0.5)
    test_share: float = Field(default=0.05, gt=0.0, le=0.5)
    """``valid_share``, ``test_share``: of the lines, held out from training, 0 to 0.5; which ones depends on
    the texts alone."""

    def emotion_names(self) -> None:
        """The recordings tell."""

    def files(self) -> tuple[Path, ...]:
        """List the recordings and what says what they say."""
        return (self.folder, *filter(None, (self.transcripts,)))


class EspeakSettings(_TeacherSettings):
    """espeak-ng with a timbre that nobody else has: a stand-in, for trying the way without a full model."""

    kind: Literal["espeak-ng"]
    variant: Literal["noah", "ava"] = "noah"
    """Whose timbre to start from."""
    pitch: float = Field(default=1.0, ge=0.5, le=2.0)
    """Of the voice, relative to the variant's, 0.5 to 2."""
    formants: float = Field(default=1.0, ge=0.75, le=1.35)
    """Frequencies of the formants, relative to the variant's; above 1 a shorter vocal tract."""
    rate: float = Field(default=1.0, ge=0.6, le=1.6)
    """Speaking rate, relative to the variant's."""
    emotions: tuple[Literal["neutral", "happy", "sad", "angry"], ...] = ("neutral", "happy", "sad", "angry")
    """Which of them to speak."""

    @field_validator("emotions")
    @classmethod
    def _has_neutral(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if NEUTRAL not in value or len(set(value)) != len(value):
            raise ValueError("expected neutral, which sets the level, and each emotion once")
        return value

    def emotion_names(self) -> tuple[str, ...]:
        """Name the emotions."""
        return self.emotions


class FliteSettings(_TeacherSettings):
    """Flite, English only."""

    kind: Literal["flite"]
    voice: Literal["slt", "rms", "awb", "kal16"] = "slt"
    """One of those that come with the program."""

    def spoken_languages(self) -> tuple[Language, ...]:
        """English."""
        return ("en",)


class OpenJTalkSettings(_TeacherSettings):
    """Open JTalk's ``mei``, Japanese only."""

    kind: Literal["openjtalk"]

    def spoken_languages(self) -> tuple[Language, ...]:
        """Japanese."""
        return ("ja",)


class KokoroManner(Section):
    """How an emotion differs from the network's own way."""

    f0_mean: float = Field(default=1.0, ge=0.5, le=2.0)
    """Factor of the pitch, 0.5 to 2."""
    f0_range: float = Field(default=1.0, ge=0.0, le=3.0)
    """Factor of the pitch's deviations from its mean, 0 to 3; at least 0.75 is used in Chinese."""
    rate: float = Field(default=1.0, ge=0.5, le=2.0)
    """Speaking rate, 0.5 to 2."""
    energy: float = Field(default=0.0, ge=-3.0, le=3.0)
    """Added to the network's energy, -3 to 3; hardly louder, but a little sharper or softer."""
    gain_db: float = Field(default=0.0, ge=-20.0, le=10.0)
    """Loudness, -20 to 10."""


KOKORO_EMOTIONS: dict[Name, KokoroManner] = {
    NEUTRAL: KokoroManner(),
    "happy": KokoroManner(f0_mean=1.12, f0_range=1.35, rate=1.06, energy=0.4, gain_db=1.0),
    "sad": KokoroManner(f0_mean=0.94, f0_range=0.6, rate=0.85, energy=-0.8, gain_db=-2.5),
    "angry": KokoroManner(f0_mean=1.06, f0_range=1.3, rate=1.1, energy=1.0, gain_db=2.0),
}


class KokoroSettings(_TeacherSettings):
    """Kokoro-82M, a public model with voices of its own: a character for whoever has no recordings."""

    kind: Literal["kokoro"]
    folder: LocalPath = Path("~/.cache/sovits-tiny/kokoro").expanduser()
    """Of the model, as ``sovits-distill kokoro`` assembled it."""
    voices: dict[Name, Annotated[float, Field(gt=0.0)]] = Field(min_length=1)
    """Names of voices and their weights; more than one is a blend, which keeps its timbre in all languages.
    Only the proportions count."""
    emotions: dict[Name, KokoroManner] = Field(default=KOKORO_EMOTIONS)
    """How each is spoken."""

    @field_validator("emotions")
    @classmethod
    def _has_neutral(cls, value: dict[Name, KokoroManner]) -> dict[Name, KokoroManner]:
        if NEUTRAL not in value:
            raise ValueError("neutral, which sets the level, is missing; add neutral = {}")
        return value

    def emotion_names(self) -> tuple[str, ...]:
        """Name the emotions, neutral first."""
        return (NEUTRAL, *(name for name in self.emotions if name != NEUTRAL))

    def tells_prosody(self) -> bool:
        """It does, in a fortieth of the time."""
        return True

    def files(self) -> tuple[Path, ...]:
        """The assembled model."""
        return (self.folder,)


TeacherSettings = Annotated[
    GptSovitsSettings
    | HttpSettings
    | RecordingsSettings
    | EspeakSettings
    | FliteSettings
    | OpenJTalkSettings
    | KokoroSettings,
    Field(discriminator="kind"),
]
KINDS = ("gpt-sovits", "gpt-sovits-http", "recordings", "espeak-ng", "flite", "openjtalk", "kokoro")
