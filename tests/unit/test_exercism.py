"""Exercism's folders: what is claimed, what is read, and that every mistake is told by file and field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import write_files

from pytest_hybrideval.core.domain import Task, TaskClass
from pytest_hybrideval.core.errors import TaskError
from pytest_hybrideval.suites.exercism import ExercismSuite

NAMED = {"solution": ["slug.py"], "test": ["slug_test.py"], "example": [".meta/example.py"]}
FILES = {
    "slug.py": "def slug(text):\n    pass\n",
    "slug_test.py": "from slug import slug\n",
    "data.py": "TABLE = {}\n",
    ".meta/example.py": "def slug(text):\n    return text.lower()\n",
    ".meta/near_misses/upper/slug.py": "# Makes capitals.\ndef slug(text):\n    return text.upper()\n",
    ".docs/instructions.md": "# Instructions\n\nMake slugs.\n",
}


def exercise(parent: Path, config: Any = None, **files: str | None) -> Path:
    """An exercise's folder; `config` goes over its fields (or is the whole text), None removes a file."""
    folder = parent / "exercism" / "slug"
    wanted = {**FILES, **files}
    write_files(folder, {name: text for name, text in wanted.items() if text is not None})
    fields = {"blurb": "Make slugs of titles.", "files": NAMED, **(config if isinstance(config, dict) else {})}
    text = config if isinstance(config, str) else json.dumps(fields)
    (folder / ".meta/config.json").write_text(text, encoding="utf-8")
    return folder


def load(folder: Path) -> Task:
    return ExercismSuite().load(folder)


def complaint(folder: Path) -> str:
    with pytest.raises(TaskError) as caught:
        load(folder)
    return str(caught.value)


def test_an_exercise_is_read_as_it_is_written(tmp_path: Path) -> None:
    folder = exercise(tmp_path, {"files": {**NAMED, "editor": ["data.py"]}})
    task = load(folder)
    assert (task.id, task.folder, task.task_class) == ("exercism/slug", folder, TaskClass.PUZZLE)
    assert task.title == "Make slugs of titles."
    assert task.instruction == "# Instructions\n\nMake slugs."
    assert (task.edit, task.create, task.read_only) == (("slug.py",), (), ("data.py",))
    assert dict(task.workspace) == {name: folder / name for name in ("data.py", "slug.py")}
    assert dict(task.hidden) == {"slug_test.py": folder / "slug_test.py"}
    assert dict(task.solution) == {"slug.py": folder / ".meta/example.py"}
    (miss,) = task.near_misses
    assert (miss.name, miss.flaw) == ("upper", "Makes capitals.")
    assert dict(miss.files) == {"slug.py": folder / ".meta/near_misses/upper/slug.py"}


def test_all_that_students_are_told_is_told_in_order(tmp_path: Path) -> None:
    folder = exercise(
        tmp_path,
        **{
            ".docs/introduction.md": "One.\n",
            ".docs/introduction.append.md": "Two.\n",
            ".docs/instructions.md": "Three.\n",
            ".docs/instructions.append.md": "Four.\n",
            ".docs/hints.md": "Never told.\n",
        },
    )
    assert load(folder).instruction == "One.\n\nTwo.\n\nThree.\n\nFour."


def test_without_a_blurb_the_folder_names_the_task(tmp_path: Path) -> None:
    assert load(exercise(tmp_path, {"blurb": ""})).title == "slug"


def test_an_exercise_without_near_misses_is_whole(tmp_path: Path) -> None:
    assert load(exercise(tmp_path, **{".meta/near_misses/upper/slug.py": None})).near_misses == ()


def test_a_config_beside_docs_is_claimed_even_if_broken(tmp_path: Path) -> None:
    assert ExercismSuite().claims(exercise(tmp_path, "nonsense"))


@pytest.mark.parametrize("files", [{}, {".meta/config.json": ""}, {".docs/instructions.md": ""}, {"config.json": ""}])
def test_other_folders_are_not_claimed(tmp_path: Path, files: dict[str, str]) -> None:
    write_files(tmp_path, files)
    assert not ExercismSuite().claims(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "{'files': {}}"])
def test_a_config_that_is_no_json_is_named(tmp_path: Path, text: str) -> None:
    folder = exercise(tmp_path, text)
    assert complaint(folder).startswith(f"{folder / '.meta/config.json'}: not readable as JSON: ")


def test_a_config_in_another_encoding_is_named(tmp_path: Path) -> None:
    folder = exercise(tmp_path)
    (folder / ".meta/config.json").write_bytes('{"blurb": "Größe"}'.encode("latin-1"))
    assert complaint(folder).startswith(f"{folder / '.meta/config.json'}: ")


@pytest.mark.parametrize("text", ["[]", "3", "{}", '{"files": []}', '{"files": null}'])
def test_a_config_without_files_is_named(tmp_path: Path, text: str) -> None:
    folder = exercise(tmp_path, text)
    assert complaint(folder).startswith(f"{folder / '.meta/config.json'}: field 'files' must map")


@pytest.mark.parametrize("value", [None, [], "slug.py", [7], {"slug.py": 1}])
@pytest.mark.parametrize("field", ["solution", "test", "example"])
def test_a_wrong_list_of_files_is_named(tmp_path: Path, field: str, value: Any) -> None:
    folder = exercise(tmp_path, {"files": {**NAMED, field: value}})
    assert complaint(folder).startswith(f"{folder / '.meta/config.json'}: field 'files.{field}': must be a list")


@pytest.mark.parametrize("field", ["solution", "test", "example"])
def test_a_missing_list_of_files_is_named(tmp_path: Path, field: str) -> None:
    folder = exercise(tmp_path, {"files": {name: value for name, value in NAMED.items() if name != field}})
    assert f"field 'files.{field}'" in complaint(folder)


@pytest.mark.parametrize("field", ["solution", "test", "example", "editor"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, field: str) -> None:
    folder = exercise(tmp_path, {"files": {**NAMED, field: ["none.py"]}})
    expected = f"{folder / '.meta/config.json'}: field 'files.{field}': there is no file {folder / 'none.py'}"
    assert complaint(folder) == expected


@pytest.mark.parametrize("field", ["solution", "test", "example", "editor"])
@pytest.mark.parametrize("name", ["../outside.py", "pkg/../../outside.py", "/etc/hostname"])
def test_a_path_that_leaves_the_exercise_is_refused(tmp_path: Path, field: str, name: str) -> None:
    folder = exercise(tmp_path, {"files": {**NAMED, field: [name]}}, **{"pkg/x.py": ""})
    (folder.parent / "outside.py").write_text("x = 1\n", encoding="utf-8")
    text = complaint(folder)
    assert f"field 'files.{field}'" in text
    assert "there is no file" not in text


def test_a_symlink_is_refused_by_name(tmp_path: Path) -> None:
    folder = exercise(tmp_path, **{"slug_test.py": None})
    (tmp_path / "outside.py").write_text("x = 1\n", encoding="utf-8")
    (folder / "slug_test.py").symlink_to(tmp_path / "outside.py")
    assert str(folder / "slug_test.py") in complaint(folder)


@pytest.mark.parametrize("names", [{"example": [".meta/example.py", "data.py"]}, {"solution": ["slug.py", "data.py"]}])
def test_every_solution_file_needs_its_example(tmp_path: Path, names: dict[str, list[str]]) -> None:
    folder = exercise(tmp_path, {"files": {**NAMED, **names}})
    text = complaint(folder)
    assert text.startswith(f"{folder / '.meta/config.json'}: field 'files.example'")


def test_an_exercise_that_says_nothing_is_named(tmp_path: Path) -> None:
    folder = exercise(tmp_path, **{".docs/instructions.md": None, ".docs/hints.md": "x"})
    assert complaint(folder).startswith(f"{folder / '.docs/instructions.md'}: is missing")


def test_instructions_in_another_encoding_are_named(tmp_path: Path) -> None:
    folder = exercise(tmp_path)
    (folder / ".docs/instructions.md").write_bytes("Größe\n".encode("latin-1"))
    assert complaint(folder).startswith(f"{folder / '.docs/instructions.md'}: ")


def test_a_near_miss_of_another_file_is_named(tmp_path: Path) -> None:
    folder = exercise(tmp_path, **{".meta/near_misses/upper/other.py": "x = 1\n"})
    text = complaint(folder)
    assert text.startswith(f"{folder / '.meta/near_misses/upper/other.py'}: ")
    assert "files.solution" in text


@pytest.mark.parametrize("name", ["slug.py", "slug_test.py", ".meta/example.py", ".docs/instructions.md"])
def test_the_digest_changes_with_every_file_that_can_change_a_verdict(tmp_path: Path, name: str) -> None:
    before = load(exercise(tmp_path / "a")).digest
    assert load(exercise(tmp_path / "b", **{name: "changed = 1\n"})).digest != before


def test_the_digest_changes_with_what_the_agent_is_shown(tmp_path: Path) -> None:
    before = load(exercise(tmp_path / "a")).digest
    assert load(exercise(tmp_path / "b", {"files": {**NAMED, "editor": ["data.py"]}})).digest != before
    assert load(exercise(tmp_path / "c", **{".docs/introduction.md": "Welcome."})).digest != before


def test_the_digest_does_not_depend_on_where_the_exercise_lies_nor_on_its_blurb(tmp_path: Path) -> None:
    assert load(exercise(tmp_path / "a")).digest == load(exercise(tmp_path / "b", {"blurb": "Other."})).digest


class TestTracks:
    """Folders of a genuine track, and of aider's polyglot benchmark: read as they are."""

    def practice(self, parent: Path, track: str = "python", **files: str | None) -> Path:
        folder = exercise(parent, None, **files)
        (parent / track / "exercises/practice").mkdir(parents=True)
        return folder.rename(parent / track / "exercises/practice/slug")

    def test_the_suite_is_the_track_and_the_track_says_how_hard_it_is(self, tmp_path: Path) -> None:
        folder = self.practice(tmp_path)
        told = {"practice": [{"slug": "slug", "difficulty": 4, "practices": ["strings"]}], "concept": []}
        (tmp_path / "python/config.json").write_text(json.dumps({"exercises": told}))
        task = load(folder)
        assert (task.id, task.difficulty, task.topics, task.skip) == ("python/slug", "medium", ("strings",), "")

    def test_without_a_configuration_of_the_track_nothing_is_said(self, tmp_path: Path) -> None:
        task = load(self.practice(tmp_path))
        assert (task.suite, task.difficulty, task.topics) == ("python", "", ())

    def test_a_broken_configuration_of_the_track_is_told(self, tmp_path: Path) -> None:
        folder = self.practice(tmp_path)
        (tmp_path / "python/config.json").write_text("{}")
        assert "config.json: not readable as a track's configuration" in complaint(folder)

    def test_a_helper_that_the_configuration_forgets_is_hidden(self, tmp_path: Path) -> None:
        task = load(self.practice(tmp_path, **{"test_utils.py": "HELP = 1\n", "data.py": None}))
        assert set(task.hidden) == {"slug_test.py", "test_utils.py"}
        assert "test_utils.py" not in task.workspace

    def test_another_language_is_left_out_with_a_reason(self, tmp_path: Path) -> None:
        named = {"solution": ["slug.go"], "test": ["slug_test.go"], "example": [".meta/example.go"]}
        texts = {"slug.go": "package slug\n", "slug_test.go": "package slug\n", ".meta/example.go": "package slug\n"}
        gone = {"slug.py": None, "slug_test.py": None, ".meta/near_misses/upper/slug.py": None}
        folder = exercise(tmp_path, {"files": named}, **texts, **gone)
        assert load(folder).skip.startswith("its language (.go) is not one whose hidden tests can be run")

    def test_a_concept_exercise_calls_its_example_exemplar(self, tmp_path: Path) -> None:
        named = {"solution": ["slug.py"], "test": ["slug_test.py"], "exemplar": [".meta/exemplar.py"]}
        files = {".meta/exemplar.py": "def slug(text):\n    return text.lower()\n", ".meta/example.py": None}
        task = load(exercise(tmp_path, {"files": named}, **files))
        assert dict(task.solution) == {"slug.py": task.folder / ".meta/exemplar.py"}


def test_our_own_additions_are_read_from_custom(tmp_path: Path) -> None:
    task = load(exercise(tmp_path, {"custom": {"difficulty": "hard", "topics": ["text"]}}))
    assert (task.difficulty, task.topics) == ("hard", ("text",))


@pytest.mark.parametrize(
    ("custom", "field"),
    [
        ({"difficulty": "tough"}, "field 'custom.difficulty': 'tough' is none of easy, medium, hard"),
        ({"topics": "text"}, "field 'custom.topics': must be a list of words"),
        ([], "field 'custom': must be a mapping"),
    ],
)
def test_our_additions_are_checked(tmp_path: Path, custom: Any, field: str) -> None:
    assert field in complaint(exercise(tmp_path, {"custom": custom}))
