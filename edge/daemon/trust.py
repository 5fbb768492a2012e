"""Trust while the daemon runs: lists of what is revoked, and whether the loaded voice may go on speaking.

On a thread of its own, because signatures are computed and files are synced here. The order is that of
harm: first the list is kept, so that no restart forgets it; then the deletions are noted; then the core is
told, and ends the voice; then files are deleted. Silence does not wait for a disk that cannot write.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ..bundle.audit import AUDIT_FILE, AuditLog
from ..bundle.bundle import Bundle, workshop
from ..bundle.revocation import Ending, Holding, PendingEndings, plan_endings
from ..bundle.trust.documents import Revocations
from ..bundle.trust.gate import DeviceGate, Permit, admit, names_of
from ..bundle.trust.store import REVOCATIONS_FILE, ROOT_FILE, TrustStore
from ..config import EdgeConfig
from ..durable import write_whole
from ..errors import BundleError, EdgeError, TrustError
from ..permission import gate_of
from ..protocols.link import Inbound
from .line_store import CACHE_FOLDER, voice_folder

logger = logging.getLogger(__name__)

LOOK_S = 0.25  # between two looks whether somebody has brought documents
REVIEW_S = 60.0  # between two looks at what time alone changes: dates, and the age of the list
MAX_WAITING = 64
MUTING_CODES = frozenset({"voice_revoked", "consent_missing"})
"""What ends a voice and not the daemon: it goes on, and says why it is silent."""
PENDING_FILE, ENDED_FILE = "pending-endings.json", "ended-voices.json"
ENGINES_FOLDER, VERDICTS_FOLDER = "engines", "verdicts"


@dataclass(frozen=True)
class VoiceEnded:
    """The loaded voice may not speak any more."""

    identity: str
    error: TrustError


@dataclass(frozen=True)
class TrustWarning:
    """What has to be shown about the loaded voice, such as a list that has become old; empty: nothing."""

    text: str


@dataclass(frozen=True)
class ListTaken:
    """A list from the broker has been dealt with."""

    inbound: Inbound


@dataclass(frozen=True)
class _Loaded:
    identity: str


class TrustWatch:
    """Watches over the loaded voice.

    Args:
        config: of the device.
        emit: takes ``VoiceEnded``, ``TrustWarning`` and ``ListTaken``, on this thread.
    """

    def __init__(self, config: EdgeConfig, emit: Callable[[object], None]) -> None:
        self._config = config
        self._emit = emit
        self._gate: DeviceGate = gate_of(config)
        self._audit = AuditLog(config.state_dir / AUDIT_FILE)
        self._pending = PendingEndings(config.state_dir / PENDING_FILE)
        self._ended_path = config.state_dir / ENDED_FILE
        self._jobs: queue.Queue[Inbound | _Loaded | None] = queue.Queue(MAX_WAITING)
        self._bundle: Bundle | None = None
        self._warning = ""
        self._documents = self._look()
        self._next_review = 0.0
        self._thread = threading.Thread(target=self._run, name="trust", daemon=True)

    def open(self) -> None:
        """Begin; what a crash has left is deleted first."""
        self._thread.start()

    def take(self, inbound: Inbound) -> None:
        """Take in a list of what is revoked; ``ListTaken`` follows. Does not wait."""
        try:
            self._jobs.put_nowait(inbound)
        except queue.Full:
            logger.warning("trust: too many lists at once; one was dropped, a retained one comes again")
            self._emit(ListTaken(inbound))

    def voice_loaded(self, identity: str) -> None:
        """Watch over the voice of this identity from now on."""
        with suppress(queue.Full):
            self._jobs.put_nowait(_Loaded(identity))

    def voice_refused(self) -> None:
        """Look at a voice that could not be loaded: a crash may have come before its end was noted."""
        with suppress(queue.Full):
            self._jobs.put_nowait(_Loaded(""))

    def close(self) -> None:
        """Finish what is in hand."""
        if self._thread.is_alive():
            with suppress(queue.Full):
                self._jobs.put(None, timeout=1.0)
            self._thread.join(timeout=2.0)

    def verdict(self, error: EdgeError) -> EdgeError:
        """Tell of a voice that cannot be loaded whether it was taken away from here."""
        bundle = self._config.bundle
        if error.code in MUTING_CODES or bundle is None or bundle.exists():
            return error
        reason = self._ended().get(str(bundle.resolve()))
        return error if reason is None else TrustError(reason, "voice_revoked")

    # On the thread from here on.

    def _run(self) -> None:
        self._guarded(self._delete)
        self._guarded(self._audit.prune)
        if self._config.label.profile == "none":
            self._note("label_none", attestation=self._config.label.attestation)
        while True:
            try:
                job = self._jobs.get(timeout=LOOK_S)
            except queue.Empty:
                self._guarded(self._look_again)
                continue
            if job is None:
                return
            if isinstance(job, _Loaded):
                self._guarded(partial(self._hold, job.identity))
            else:
                self._guarded(partial(self._read, job))
                self._emit(ListTaken(job))

    def _guarded(self, work: Callable[[], object]) -> None:
        """Do something; a fault of it must not leave the voice unwatched."""
        try:
            work()
        except Exception:
            logger.exception("trust")

    def _hold(self, identity: str) -> None:
        """Open the voice that has been loaded, for the documents in it."""
        self._bundle = None
        try:
            bundle = Bundle.load(self._config.bundle, gate=workshop)  # it has passed the gate; again below
        except BundleError as error:
            logger.warning("trust: %s", error)
            return
        if identity and bundle.identity != identity:
            logger.warning("trust: %s is not the voice that is loaded", bundle.path)
            return
        self._bundle = bundle
        permit = self._review()
        if permit is not None:
            self._note("admitted", bundle=permit.holding.bundle, consent=permit.holding.consent)

    def _read(self, inbound: Inbound) -> None:
        """Keep a list if it proves itself and is newer; what is none is logged and changes nothing."""
        if inbound.n_payload > len(inbound.payload):
            logger.error("trust: a list of %d bytes; raise queue.max_request_bytes", inbound.n_payload)
            return
        if not inbound.payload:
            return  # somebody has cleared the retained message
        try:
            store = self._store()
            found = store.check_revocations(inbound.payload)
        except TrustError as error:
            logger.warning("trust: a list on %s is refused: %s", inbound.topic, error)
            return
        try:
            newer = store.accept_revocations(inbound.payload)
        except OSError as error:
            logger.error("trust: a list cannot be kept: %s; it is obeyed all the same", error)
            self._review(found)
            return
        if newer:
            self._note("revocations", seq=found.seq, by="mqtt")
        self._documents = self._look()
        self._review()

    def _look_again(self) -> None:
        """Notice documents that an update, a stick or a command has brought, and what time has changed."""
        documents = self._look()
        if documents != self._documents or time.monotonic() >= self._next_review:
            self._documents = documents
            self._review()

    def _review(self, unkept: Revocations | None = None) -> Permit | None:
        """Ask again whether the voice may speak; ends it if not.

        Args:
            unkept: a list that holds although it could not be written.
        """
        self._next_review = time.monotonic() + REVIEW_S
        bundle = self._bundle
        if bundle is None:
            return None
        store = self._store()
        store.revocations = unkept or store.revocations
        try:
            permit = admit(bundle, store, self._gate.site, part_of_release=bundle.is_builtin)
        except TrustError as error:
            self._end(bundle, store, error)
            return None
        except BundleError as error:
            logger.warning("trust: %s", error)
            return None
        warning = "; ".join(permit.warnings)
        if warning != self._warning:
            self._warning = warning
            self._emit(TrustWarning(warning))
        return permit

    def _end(self, bundle: Bundle, store: TrustStore, error: TrustError) -> None:
        """Note what has to go, have the voice ended, then delete."""
        self._bundle = None
        endings = plan_endings(store.revocations, [self._holding(bundle, store)], store.now())
        try:
            if any(ending.delete for ending in endings):
                self._remember(bundle, error)
            self._pending.begin(endings)
        except OSError as fault:
            logger.error("trust: the end of the voice cannot be noted: %s", fault)
        self._emit(VoiceEnded(bundle.identity, error))
        seq = store.revocations.seq if store.revocations else 0
        self._note(error.code, bundle=f"sha256:{bundle.manifest_sha256}", seq=seq, reason=str(error))
        self._delete(endings)

    def _holding(self, bundle: Bundle, store: TrustStore) -> Holding:
        """Everything under whose name this voice can be revoked, and everything that was made of it."""
        name, state = bundle.manifest.name, self._config.state_dir
        lines = state / CACHE_FOLDER / voice_folder(bundle.identity)
        derived = (state / ENGINES_FOLDER / name, state / VERDICTS_FOLDER / f"{name}.json", lines)
        holding = names_of(bundle, store, self._gate.site)
        # The built-in voice is part of the software and was signed with it: it is refused and stays.
        path = None if bundle.is_builtin else bundle.path.resolve()
        return replace(holding, path=path, derived=derived)

    def _delete(self, endings: tuple[Ending, ...] = ()) -> None:
        """Delete what is noted; what cannot be deleted stays noted, and is said."""
        if endings and not any(ending.delete for ending in endings):
            return
        try:
            for path in self._pending.finish():
                self._note("deleted", path=str(path))
        except OSError as error:
            logger.error("trust: %s: %s; delete it with: sovits-deploy purge", error.filename, error.strerror)
            self._note("not_deleted", path=str(error.filename), reason=str(error.strerror))

    def _remember(self, bundle: Bundle, error: TrustError) -> None:
        """Keep why a voice is gone: a daemon that does not find it says so and does not call it missing."""
        ended = {**self._ended(), str(bundle.path.resolve()): str(error)}
        write_whole(self._ended_path, json.dumps(ended).encode())

    def _ended(self) -> dict[str, str]:
        try:
            found = json.loads(self._ended_path.read_bytes())
        except (OSError, ValueError):
            return {}
        return {str(path): str(reason) for path, reason in found.items()} if isinstance(found, dict) else {}

    def _note(self, event: str, **details: str | int) -> None:
        try:
            self._audit.write(event, **details)
        except OSError as error:
            logger.error("trust: the audit log cannot be written: %s; %s %s", error, event, details)

    def _store(self) -> TrustStore:
        return TrustStore(self._gate.directory, self._gate.copy)

    def _look(self) -> tuple[tuple[int, int, int], ...]:
        """What tells one state of the documents from another."""
        return tuple(_stamp(self._gate.directory / name) for name in (ROOT_FILE, REVOCATIONS_FILE))


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_ino, found.st_size)
