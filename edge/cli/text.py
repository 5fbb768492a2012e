"""``sovits-edge voices`` and ``sovits-edge phonemes``: what a bundle can say, and how a line will be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .stdin import text_or_stdin

if TYPE_CHECKING:
    from ..bundle.bundle import Bundle
    from ..text import Reading


@click.command(short_help="List the characters of a voice bundle.")
@click.option("--bundle", type=click.Path(path_type=Path), help="Voice bundle; the built-in voice if absent.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def voices(bundle: Path | None, as_json: bool) -> None:
    """List the characters of a voice bundle with their languages and emotions.

    \b
    Examples:
      sovits-edge voices
      sovits-edge voices --bundle venue.voice --json
    """
    from ..bundle.bundle import Bundle, workshop

    loaded = Bundle.load(bundle, gate=workshop)  # to look at it is not to use it
    if as_json:
        click.echo(json.dumps(_bundle_facts(loaded), ensure_ascii=False))
        return
    manifest = loaded.manifest
    click.echo(f"{manifest.name} {manifest.version}, {manifest.quantization.scheme}, {manifest.licence}")
    width = max(len(character.name) for character in manifest.characters)
    for character in manifest.characters:
        languages, emotions = " ".join(character.languages), ", ".join(character.emotions)
        click.echo(f"  {character.name:<{width}}  {languages:<8}  {emotions}")
        if character.description:
            click.echo(f"  {'':<{width}}  {character.description}")


def _bundle_facts(bundle: Bundle) -> dict[str, object]:
    manifest = bundle.manifest
    wanted = {"name", "version", "sample_rate", "licence", "characters", "provenance", "quantization"}
    return manifest.model_dump(mode="json", include=wanted)


@click.command(short_help="Show how TEXT will be read.")
@click.argument("text", required=False)
@click.option(
    "--language",
    type=click.Choice(["auto", "zh", "en", "ja"]),
    default="auto",
    show_default=True,
    help="What the parts without Latin letters are.",
)
@click.option("--lexicon", type=click.Path(path_type=Path), help="Pronunciations that win over every rule.")
@click.option("--json", "as_json", is_flag=True, help='Print {"normalized", "phonemes", "languages"}.')
def phonemes(text: str | None, language: str, lexicon: Path | None, as_json: bool) -> None:
    """Show how TEXT will be read: numbers written out, then the phonemes of every word.

    Inline tags are taken out first, as they are never read. TEXT may be - or left out to read standard input.

    \b
    Examples:
      sovits-edge phonemes "会议在3月5日14:30开始"
      echo "It costs $5.20." | sovits-edge phonemes
      sovits-edge phonemes --language ja "東京" --json
    """
    from ..markup import parse
    from ..text import FrontEnd

    plain = parse(text_or_stdin(text)).plain
    reading = FrontEnd(lexicon).read(plain, language)
    if as_json:
        facts = {name: getattr(reading, name) for name in ("normalized", "phonemes", "languages")}
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    click.echo(reading.normalized)
    for word, language_name, symbols in _words(reading):
        click.echo(f"  {language_name}  {' '.join(symbols):<32} {word}")


def _words(reading: Reading) -> list[tuple[str, str, tuple[str, ...]]]:
    """Each word, and each run of punctuation between words, with its language and phonemes."""
    rows = []
    done = 0
    for word in reading.words:
        if word.start > done:
            rows.append(("", reading.languages[done], reading.phonemes[done : word.start]))
        rows.append((word.text, reading.languages[word.start], reading.phonemes[word.start : word.end]))
        done = word.end
    if done < len(reading.phonemes):
        rows.append(("", reading.languages[done], reading.phonemes[done:]))
    return rows
