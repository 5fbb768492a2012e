from __future__ import annotations

import itertools
import re
from collections import Counter
from pathlib import Path

import pytest

from edge.errors import ConfigError, RequestError
from edge.messages import SayRequest
from edge.show import Script, ShowFile

DOCS = Path(__file__).parents[2] / "docs" / "show-files.md"
HEAD = 'name = "s"\n[defaults]\ncharacter = "noah"\nrate = 1.1\n'


def read(folder: Path, lines: str, head: str = HEAD) -> ShowFile:
    path = folder / "show.toml"
    path.write_text(head + lines, encoding="utf-8")
    return ShowFile(path)


def asked(**values: object) -> SayRequest:
    return SayRequest.model_validate(values)


def test_the_example_of_the_page_is_a_show(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(name = .*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    show = read(tmp_path, "", example).show
    assert [line.id for line in show.lines] == ["welcome", "ask-name", "let-me-see"]
    assert show.lines[2].waiting and len(show.lines[1].texts) == 3


def test_what_the_request_says_wins_over_the_line_and_that_over_the_show(tmp_path: Path) -> None:
    script = Script(read(tmp_path, '[[lines]]\nid = "a"\ntext = "hello"\npitch = 2\nrate = 1.2\n').show)
    request = script.request(asked(line="a", pitch=-1, id="cue-1", output=["file"]))
    assert (request.text, request.line, request.character) == ("hello", None, "noah")
    assert (request.rate, request.pitch, request.id, request.output) == (1.2, -1, "cue-1", ["file"])
    assert (
        script.request(asked(line="a", rate=1.0)).rate == 1.0
    )  # what is said wins, also where it is the default


def test_variants_in_turn(tmp_path: Path) -> None:
    script = Script(read(tmp_path, '[[lines]]\nid = "a"\nvariants = ["x", "y", "z"]\n').show)
    assert [script.request(asked(line="a")).text for _ in range(5)] == ["x", "y", "z", "x", "y"]


def test_variants_at_random_never_twice_in_a_row(tmp_path: Path) -> None:
    lines = '[[lines]]\nid = "a"\nvariants = ["x", "y", "z"]\nchoose = "random"\n'
    script = Script(read(tmp_path, lines).show)
    said = [script.request(asked(line="a")).text for _ in range(200)]
    assert all(one != other for one, other in itertools.pairwise(said))
    assert set(Counter(said)) == {"x", "y", "z"}
    one = Script(read(tmp_path, '[[lines]]\nid = "a"\nvariants = ["x"]\nchoose = "random"\n').show)
    assert [one.request(asked(line="a")).text for _ in range(2)] == ["x", "x"]


def test_a_line_that_is_not_there(tmp_path: Path) -> None:
    script = Script(read(tmp_path, '[[lines]]\nid = "a"\ntext = "x"\n').show)
    with pytest.raises(RequestError, match="the show s has no line b") as caught:
        script.request(asked(line="b"))
    assert caught.value.code == "unknown_line"


GOOD = '[[lines]]\nid = "a"\ntext = "x"\n'


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("[[lines]]\n", "line 5: id: field required"),
        ('[[lines]]\nid = "A"\ntext = "x"\n', "line 6: id: "),
        ('[[lines]]\nid = "a"\n', "line 6: give exactly one of text and variants"),
        (GOOD + 'variants = ["y"]\n', "line 6: give exactly one of text and variants"),
        (GOOD + 'next = ["b"]\n', "line a names next line b"),
        (GOOD + GOOD, "line a is there 2 times"),
        (GOOD + "rate = 9\n", "line 6: rate: input should be less than or equal to 2, found 9"),
        (GOOD + 'colour = "red"\n', "line 6: unknown key colour; expected one of id, text"),
        (GOOD + 'line = "b"\n', "unknown key line"),
        (GOOD + 'choose = "best"\n', "line 8: choose: "),
        ('[[lines]]\nid = "a"\nvariants = []\n', "line 7: variants: "),
        ('[[lines]]\nid = "a"\ntext = ""\n', "line 7: text: "),
        (f'[[lines]]\nid = "a"\ntext = "{"x" * 2001}"\n', "line 7: text: "),
        ("", "lines: field required"),
        ("lines = 3\n[[", "not valid TOML"),
    ],
)
def test_a_fault_is_one_line_with_its_place(tmp_path: Path, lines: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, lines)
    assert told in str(caught.value) and "\n" not in str(caught.value).split("input_value")[0]


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("", "name: field required"),
        ('name = "s"\ncharacter = "noah"\n', "character: extra inputs"),
        ('name = "s"\n[defaults]\ntext = "x"\n', "unknown key text"),
        ('name = "s"\n[defaults]\nvolume = 3\n', "volume: input should be less than or equal to 2"),
    ],
)
def test_faults_of_the_show(tmp_path: Path, head: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read(tmp_path, GOOD, head)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such show file"):
        ShowFile(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"\n')
    with pytest.raises(ConfigError, match="cannot be read"):
        ShowFile(tmp_path / "latin.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        ShowFile(tmp_path)
    (tmp_path / "large.toml").write_bytes(b"#" * (4 * 2**20 + 1))
    with pytest.raises(ConfigError, match="larger than 4 MB"):
        ShowFile(tmp_path / "large.toml")
