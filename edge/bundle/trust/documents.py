"""The signed documents as models: keys, release index, revocations, bundle signature, consent record."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ..manifest import Language, Name, Sha256
from .envelope import KeyId, PublicKey, key_id

Role = Literal["root", "studio", "release", "revocation"]
TYPES = {
    "sovits-root/1": "application/vnd.sovits.root+json",
    "sovits-index/1": "application/vnd.sovits.index+json",
    "sovits-revocations/1": "application/vnd.sovits.revocations+json",
    "sovits-bundle/1": "application/vnd.sovits.bundle+json",
    "sovits-consent/1": "application/vnd.sovits.consent+json",
}


def seconds(text: str) -> int:
    """Seconds since 1970 of a time such as ``2026-11-20T09:00:00Z``."""
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    return int(moment.replace(tzinfo=timezone.utc).timestamp())


def time_text(moment: float) -> str:
    """Write seconds since 1970 as documents do."""
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_time(text: str) -> str:
    seconds(text)
    return text


Time = Annotated[str, Field(max_length=20), AfterValidator(_is_time)]
Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
Wildcards = Annotated[
    tuple[Annotated[str, Field(pattern=r"^(\*|[A-Za-z0-9_.-]{1,64})$")], ...], Field(min_length=1)
]
FilePath = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+~-]{0,127}$")]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Key(_Document):
    """A public key and until when it may sign."""

    public: PublicKey
    until: Time


class Grant(_Document):
    """Who may sign what a role signs, and how many have to."""

    keyids: tuple[KeyId, ...] = Field(min_length=1, max_length=16)
    threshold: int = Field(ge=1, le=16)

    @model_validator(mode="after")
    def _can_be_met(self) -> Grant:
        if len(set(self.keyids)) != len(self.keyids) or self.threshold > len(self.keyids):
            raise ValueError(
                f"threshold {self.threshold} of {len(set(self.keyids))} different keys cannot be met"
            )
        return self


class Root(_Document):
    """The list of keys, signed by the threshold of itself and of the version before."""

    schema_name: Literal["sovits-root/1"] = Field(alias="schema")
    version: int = Field(ge=1)
    issued: Time
    expires: Time
    keys: dict[KeyId, Key] = Field(max_length=64)
    roles: dict[Role, Grant]

    @model_validator(mode="after")
    def _is_whole(self) -> Root:
        for name, key in self.keys.items():
            if key_id(bytes.fromhex(key.public)) != name:
                raise ValueError(f"key {name} has another name")
        missing = {"root", "studio", "release", "revocation"} - set(self.roles)
        if missing:
            raise ValueError(f"roles: {sorted(missing)} missing")
        unknown = {name for grant in self.roles.values() for name in grant.keyids} - set(self.keys)
        if unknown:
            raise ValueError(f"roles: keys {sorted(unknown)} are not listed")
        return self


class Target(_Document):
    """A file of an update."""

    name: FilePath
    kind: Literal["software", "voice", "show", "lexicon", "labels"]
    version: str = Field(pattern=r"^\d+\.\d+\.\d+([.+~-][A-Za-z0-9.+~-]{1,32})?$")
    length: int = Field(ge=1, le=8 * 2**30)
    sha256: Sha256
    platform: str = Field(default="any", pattern=r"^(any|[a-z0-9_-]{1,40})$")


class Index(_Document):
    """What there is to install, complete, with a number that only rises."""

    schema_name: Literal["sovits-index/1"] = Field(alias="schema")
    version: int = Field(ge=1)
    issued: Time
    expires: Time
    targets: tuple[Target, ...] = Field(max_length=512)
    allow_downgrade: bool = False

    @model_validator(mode="after")
    def _names_once(self) -> Index:
        if len({target.name for target in self.targets}) != len(self.targets):
            raise ValueError("targets: a name occurs twice")
        return self


class Revocation(_Document):
    """One thing that may no longer be used."""

    kind: Literal["consent", "bundle", "model", "key", "device"]
    id: Token
    since: Time = Field(alias="from")
    reason: Literal["withdrawn", "expired", "compromised", "error"]
    action: Literal["refuse", "refuse_and_purge"] = "refuse_and_purge"


class Revocations(_Document):
    """Everything that is revoked, complete each time."""

    schema_name: Literal["sovits-revocations/1"] = Field(alias="schema")
    seq: int = Field(ge=1)
    issued: Time
    next_due: Time
    stale_after: Time
    entries: tuple[Revocation, ...] = Field(max_length=20_000)


class BundleSignature(_Document):
    """Names a bundle by the hash of its manifest, which in turn names every file."""

    schema_name: Literal["sovits-bundle/1"] = Field(alias="schema")
    name: Name
    version: str = Field(max_length=64)
    issued: Time
    manifest_sha256: Sha256


class Grantor(_Document):
    """Who consents, as a salted hash: the identity stays with the studio."""

    role: Literal["speaker", "guardian", "estate"]
    ref: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    representation: Literal["counsel", "union", "none"] = "none"
    separate_consent: bool = False


class VoiceOf(_Document):
    """The voice that the consent is about."""

    characters: tuple[Name, ...] = Field(min_length=1)
    references: tuple[Sha256, ...] = Field(min_length=1, description="hashes of the reference recordings")


class Notice(_Document):
    """The text that the speaker agreed to, by hash."""

    sha256: Sha256
    lang: str = Field(max_length=16)


class Use(_Document):
    """One use that is allowed, in words and as limits that a device can check."""

    id: Name
    text: str = Field(min_length=1, max_length=2000)
    languages: tuple[Language, ...] = Field(min_length=1)
    territory: Wildcards = ("*",)
    venues: Wildcards = ("*",)
    devices: Wildcards = ("*",)
    since: Time = Field(alias="from")
    until: Time
    export: Literal["file", "none"] = "none"
    label: Literal["cn", "eu", "eu-art", "us-ca", "none"] = Field("none", description="least label profile")
    forbid: tuple[str, ...] = Field(default=(), description="topics; no device can check these")


class Offline(_Document):
    """What a device does that has had no revocation list for long."""

    list_stale_after_days: int = Field(90, ge=1, le=3650)
    grace: Literal["warn", "mute"] = "warn"


class ConsentRecord(_Document):
    """Who allowed a voice to be used, for what, where and until when. No names, no recordings."""

    schema_name: Literal["sovits-consent/1"] = Field(alias="schema")
    consent_id: Token
    issued: Time
    grantor: Grantor
    controller: str = Field(min_length=1, max_length=200, description="studio to ask, a contact address")
    voice: VoiceOf
    notice: Notice
    uses: tuple[Use, ...] = Field(min_length=1, max_length=64)
    withdrawal: str = Field(min_length=1, max_length=500, description="how consent is taken back")
    offline: Offline = Offline()
    supersedes: Token | None = None
