"""A slot: what is in use, what was before, and what is on trial; every change is one rename.

    <slot>/releases/<name>/     whole releases; nothing in them changes after they have got their name
    <slot>/releases/.<name>     being put together; removed at the next start
    <slot>/current, previous    links to releases
    <slot>/trial.json           a release that has yet to prove itself, and how many starts it has left

Whatever is cut off, :meth:`Slot.recover` leads back to a whole release: the one on trial while it has starts
left, else the one before. Only the standard library is used: this has to run when a release does not.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.durable import sync_directory, write_whole

from .errors import DeployError

CURRENT, PREVIOUS, TRIAL, RELEASES, COMPLETE = (
    "current",
    "previous",
    "trial.json",
    "releases",
    "complete.json",
)
STARTS = 3
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9.+~_-]{0,99}$")


@dataclass(frozen=True)
class Trial:
    """A release on trial."""

    release: str
    """Its name."""
    before: str
    """What to go back to; empty on a fresh device."""
    starts: int
    """How often it may still be started without proving itself."""


class Slot:
    """One thing that is updated as a whole: the software, or the content.

    Args:
        root: folder of the slot; made when needed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.releases = root / RELEASES

    # --- What there is --------------------------------------------------------------------------------------

    def current(self) -> str:
        """Name of the release in use; empty for none."""
        return self._target(CURRENT)

    def previous(self) -> str:
        """Name of the release to go back to; empty for none."""
        return self._target(PREVIOUS)

    def path(self, name: str) -> Path:
        """Folder of a release."""
        return self.releases / name

    def names(self) -> list[str]:
        """Whole releases."""
        if not self.releases.is_dir():
            return []
        return sorted(path.name for path in self.releases.iterdir() if (path / COMPLETE).is_file())

    def trial(self) -> Trial | None:
        """Release that has yet to prove itself; a torn file counts as none."""
        try:
            values = json.loads((self.root / TRIAL).read_bytes())
            return Trial(str(values["release"]), str(values["before"]), int(values["starts"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    # --- Putting a release together -------------------------------------------------------------------------

    @contextmanager
    def staging(self, name: str) -> Iterator[Path]:
        """A folder beside the releases that becomes one when the block ends well; else it disappears.

        Raises:
            DeployError: the name cannot be that of a folder, or the release is in use.
        """
        if not _NAME.match(name):
            raise DeployError(f"{name!r} cannot be the name of a release; use letters, digits and . + ~ _ -")
        if name in self._in_use():
            raise DeployError(f"release {name} is in use; give the new one another version")
        folder = self.releases / f".{name}"
        remove_tree(folder)
        folder.mkdir(parents=True)
        try:
            yield folder
            self._finish(folder, name)
        except BaseException:
            remove_tree(folder)
            raise

    def _finish(self, folder: Path, name: str) -> None:
        sync_tree(folder)
        write_whole(folder / COMPLETE, json.dumps({"release": name}).encode())
        remove_tree(self.path(name))
        folder.rename(self.path(name))
        sync_directory(self.releases)

    # --- Switching ------------------------------------------------------------------------------------------

    def begin_trial(self, name: str) -> None:
        """Switch to a release that has to prove itself before it is kept.

        Raises:
            DeployError: there is no such release.
        """
        if name not in self.names():
            raise DeployError(
                f"{self.root}: no release {name}; there are {', '.join(self.names()) or 'none'}"
            )
        before = self.current()
        self._write_trial(Trial(name, before if before != name else self.previous(), STARTS))
        self._link(CURRENT, name)

    def confirm(self) -> None:
        """Keep the release on trial; the one before it becomes the one to go back to."""
        trial = self.trial()
        if trial is None:
            return
        if trial.before and trial.before in self.names():
            self._link(PREVIOUS, trial.before)
        (self.root / TRIAL).unlink()
        sync_directory(self.root)
        self.prune()

    def roll_back(self) -> str:
        """Go back: from a trial to what was before it, else to the previous release; gives its name.

        Raises:
            DeployError: there is nothing to go back to.
        """
        trial = self.trial()
        target = trial.before if trial else self.previous()
        if target not in self.names():
            raise DeployError(f"{self.root}: nothing to go back to; install a release first")
        left = self.current()
        self._link(CURRENT, target)
        if trial is None:
            if left in self.names():
                self._link(PREVIOUS, left)
        else:
            (self.root / TRIAL).unlink(missing_ok=True)
        sync_directory(self.root)
        return target

    def recover(self) -> list[str]:
        """Make good what was cut off; called before every start. Gives what was done, in words."""
        done = self._clear_leftovers()
        trial = self.trial()
        if trial is not None and trial.starts > 0 and self.current() == trial.release:
            self._write_trial(Trial(trial.release, trial.before, trial.starts - 1))
            return done
        if trial is not None and trial.release == self.current() and trial.before in self.names():
            self._link(CURRENT, trial.before)
            done.append(f"{trial.release} did not prove itself: back to {trial.before}")
        if (self.root / TRIAL).exists() and (
            trial is None or trial.before in self.names() or not trial.before
        ):
            (self.root / TRIAL).unlink()
            done.append("an unfinished trial was ended")
        if self.current() not in self.names():
            self._restore_link(done)
        return done

    def prune(self) -> None:
        """Remove releases that are neither in use nor to go back to."""
        for name in set(self.names()) - self._in_use():
            gone = self.releases / f".{name}"
            self.path(name).rename(gone)
            remove_tree(gone)

    # --- Inside ---------------------------------------------------------------------------------------------

    def _in_use(self) -> set[str]:
        trial = self.trial()
        return {self.current(), self.previous(), *((trial.release, trial.before) if trial else ())} - {""}

    def _target(self, link: str) -> str:
        path = self.root / link
        return path.readlink().name if path.is_symlink() else ""

    def _link(self, link: str, name: str) -> None:
        fresh = self.root / f".{link}.new"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path(RELEASES) / name)
        fresh.replace(self.root / link)
        sync_directory(self.root)

    def _write_trial(self, trial: Trial) -> None:
        write_whole(self.root / TRIAL, json.dumps(trial.__dict__).encode())

    def _restore_link(self, done: list[str]) -> None:
        """Point ``current`` to a whole release if it points to none: the previous, else the newest."""
        names = self.names()
        if not names:
            return
        newest = max(names, key=lambda name: self.path(name).stat().st_mtime_ns)
        name = self.previous() if self.previous() in names else newest
        self._link(CURRENT, name)
        done.append(f"{CURRENT} pointed to no whole release: now {name}")

    def _clear_leftovers(self) -> list[str]:
        if not self.root.is_dir():
            return []
        partial = list(self.releases.glob(".*")) if self.releases.is_dir() else []
        for path in partial:
            remove_tree(path)
        for path in self.root.glob(".*.new"):
            path.unlink()
        return [f"removed the unfinished {path.name[1:]}" for path in partial]


def sync_tree(folder: Path) -> None:
    """Make every file and name below a folder survive a power cut."""
    for parent, folders, files in os.walk(folder):
        for name in files:
            path = Path(parent) / name
            if not path.is_symlink():
                _sync_file(path)
        del folders
        sync_directory(Path(parent))


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_tree(path: Path) -> None:
    """Remove a folder, a file or a link, whichever it is, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
