"""The proof before a switch: a release is tried as the box stands, with its venue and its keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.environment import VenvBuilder
from deploy.errors import DeployError
from edge.bundle.trust.store import TrustStore
from quantize.pack import write_voice
from tests.deploy.test_cli import make_software
from tests.edge.bundle.trust.studio import Voice, consent, revocations, root, use

pytestmark = pytest.mark.voice


@pytest.mark.parametrize("venue", ["museum-1", "museum-9", ""])
def test_a_voice_for_one_venue_is_proved_for_the_venue_of_the_box(tmp_path: Path, venue: str) -> None:
    store = TrustStore(tmp_path / "trust")
    store.accept_root(root())
    store.accept_revocations(revocations())
    bundle = Voice(tmp_path / "voice", consent(uses=[use(venues=["museum-1"])])).write()
    (tmp_path / "content/voices").mkdir(parents=True)
    write_voice(bundle, tmp_path / "content/voices/tiny.voice")
    config = tmp_path / "sovits.toml"
    config.write_text(f'[trust]\nvenue = "{venue}"\n')
    software = make_software(tmp_path / "box") / "opt/sovits/software/current"
    builder = VenvBuilder(trust=tmp_path / "trust", config=config)
    if venue == "museum-1":
        builder.prove(software, tmp_path / "content")
    else:
        with pytest.raises(DeployError, match=f"does not cover venue '{venue}'"):
            builder.prove(software, tmp_path / "content")
