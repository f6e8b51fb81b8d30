"""Our own task folders: what is claimed, what is read, and that every mistake is told by file and field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import MANIFEST, native_task, write_files

from pytest_hybrideval.core.domain import Task, TaskClass
from pytest_hybrideval.core.errors import TaskError
from pytest_hybrideval.suites.manifest import json_schema
from pytest_hybrideval.suites.native import NativeSuite

FILES = MANIFEST["files"]


def load(folder: Path) -> Task:
    return NativeSuite().load(folder)


def complaint(folder: Path) -> str:
    """What the suite says of a broken task."""
    with pytest.raises(TaskError) as caught:
        load(folder)
    return str(caught.value)


def test_a_task_is_read_as_it_is_written(tmp_path: Path) -> None:
    folder = native_task(tmp_path)
    task = load(folder)
    assert (task.id, task.suite, task.name, task.folder) == ("mysuite/slug", "mysuite", "slug", folder)
    assert (task.task_class, task.title, task.difficulty, task.topics) == (
        TaskClass.D1,
        "Make slugs",
        "easy",
        ("text",),
    )
    assert task.instruction == "Make slugs of titles."
    assert (task.edit, task.create, task.read_only) == (("slug.py",), ("tables.py",), ("NOTES.md",))
    assert task.allowed == ("slug.py", "tables.py")
    assert (task.agent_seconds, task.scoring_seconds) == (120, 30)
    assert dict(task.workspace) == {name: folder / "workspace" / name for name in ("NOTES.md", "slug.py")}
    assert dict(task.hidden) == {"test_slug.py": folder / "hidden/test_slug.py"}
    assert dict(task.solution) == {name: folder / "solution" / name for name in ("slug.py", "tables.py")}
    (miss,) = task.near_misses
    assert (miss.name, miss.flaw) == ("lower-only", "Forgets to replace blanks.")
    assert dict(miss.files) == {"slug.py": folder / "near_misses/lower-only/slug.py"}


def test_what_may_be_left_out_has_a_default(tmp_path: Path) -> None:
    fields = {name: MANIFEST[name] for name in ("title", "class", "difficulty", "instruction")}
    text = "".join(f"{name}: {value!r}\n" for name, value in fields.items())
    folder = native_task(
        tmp_path,
        text + "files: {edit: [slug.py]}\n",
        **{"near_misses/lower-only/slug.py": None, "solution/tables.py": None},
    )
    task = load(folder)
    assert (task.topics, task.near_misses, task.create, task.read_only) == ((), (), (), ())
    assert (task.agent_seconds, task.scoring_seconds) == (600, 60)


def test_caches_are_no_part_of_a_task(tmp_path: Path) -> None:
    folder = native_task(
        tmp_path,
        **{
            "workspace/__pycache__/slug.cpython-311.pyc": "x",
            "hidden/.pytest_cache/README.md": "x",
            "solution/a.pyc": "x",
        },
    )
    task = load(folder)
    assert set(task.workspace) | set(task.hidden) | set(task.solution) == {
        "NOTES.md",
        "slug.py",
        "tables.py",
        "test_slug.py",
    }


@pytest.mark.parametrize("part", ["workspace", "hidden", "solution", "near_misses"])
def test_a_task_yaml_beside_any_of_our_folders_is_claimed_even_if_broken(tmp_path: Path, part: str) -> None:
    write_files(tmp_path, {"task.yaml": "nonsense", f"{part}/x": ""})
    assert NativeSuite().claims(tmp_path)


@pytest.mark.parametrize("files", [{}, {"task.yaml": ""}, {"workspace/x": ""}, {"task.yaml": "", "src/x": ""}])
def test_other_folders_are_not_claimed(tmp_path: Path, files: dict[str, str]) -> None:
    write_files(tmp_path, files)
    assert not NativeSuite().claims(tmp_path)


def test_a_folder_called_task_yaml_is_not_claimed(tmp_path: Path) -> None:
    write_files(tmp_path, {"task.yaml/x": "", "workspace/x": ""})
    assert not NativeSuite().claims(tmp_path)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"title": ""}, "'title'"),
        ({"title": 7}, "'title'"),
        ({"class": "D4"}, "'class'"),
        ({"class": None}, "'class'"),
        ({"difficulty": "impossible"}, "'difficulty'"),
        ({"instruction": ""}, "'instruction'"),
        ({"topics": "text"}, "'topics'"),
        ({"topics": [""]}, "'topics.0'"),
        ({"files": None}, "'files'"),
        ({"files": {"edit": "slug.py"}}, "'files.edit'"),
        ({"files": {"edit": [1]}}, "'files.edit.0'"),
        ({"limits": {"agent_seconds": 0}}, "'limits.agent_seconds'"),
        ({"limits": {"scoring_seconds": "long"}}, "'limits.scoring_seconds'"),
        ({"near_misses": {"lower-only": ""}}, "'near_misses.lower-only'"),
        ({"near_misses": ["lower-only"]}, "'near_misses'"),
        ({"titel": "x"}, "'titel'"),
        ({"files": {**FILES, "edits": []}}, "'files.edits'"),
        ({"limits": {"seconds": 3}}, "'limits.seconds'"),
        ({"files": {**FILES, "edit": ["none.py"]}}, "'files.edit'"),
        ({"files": {**FILES, "read_only": ["none.md"]}}, "'files.read_only'"),
        ({"files": {**FILES, "create": ["slug.py"]}}, "'files.create'"),
        ({"files": {"read_only": ["NOTES.md"]}}, "'files'"),
    ],
)
def test_a_wrong_field_is_named_with_its_file(tmp_path: Path, fields: dict[str, Any], named: str) -> None:
    folder = native_task(tmp_path, fields)
    text = complaint(folder)
    assert text.startswith(f"{folder / 'task.yaml'}: ")
    assert f"field {named}" in text
    assert "\n" not in text


@pytest.mark.parametrize("field", ["title", "class", "difficulty", "instruction", "files"])
def test_a_missing_field_is_named_with_its_file(tmp_path: Path, field: str) -> None:
    rest = "".join(f"{name}: {value!r}\n" for name, value in MANIFEST.items() if name != field)
    folder = native_task(tmp_path, rest)
    assert complaint(folder) == f"{folder / 'task.yaml'}: field '{field}': Field required"


def test_all_wrong_fields_are_named_at_once(tmp_path: Path) -> None:
    text = complaint(native_task(tmp_path, {"title": "", "class": "D9"}))
    assert "'title'" in text
    assert "'class'" in text


def test_an_unknown_field_brings_the_list_of_those_there_are(tmp_path: Path) -> None:
    text = complaint(native_task(tmp_path, {"klass": "D1"}))
    assert (
        "there is no such field; did you mean 'class'? (fields: title, class, difficulty, topics, instruction, files"
        in text
    )


@pytest.mark.parametrize(
    ("fields", "there"),
    [
        ({"files": {**FILES, "edits": []}}, "edit, create, read_only"),
        ({"limits": {"seconds": 3}}, "agent_seconds, scoring_seconds"),
    ],
)
def test_an_unknown_field_within_a_field_brings_the_list_of_those_there(
    tmp_path: Path, fields: dict[str, Any], there: str
) -> None:
    text = complaint(native_task(tmp_path, fields))
    assert f"(fields: {there})" in text
    assert "there is no such field; did you mean '" in text


@pytest.mark.parametrize("name", ["/etc/passwd", "../slug.py", "pkg/../../x.py", "./slug.py", "pkg//x.py", "pkg/", ""])
@pytest.mark.parametrize("field", ["edit", "create", "read_only"])
def test_a_path_that_leaves_the_workspace_is_refused(tmp_path: Path, field: str, name: str) -> None:
    folder = native_task(tmp_path, {"files": {**FILES, field: [name]}})
    text = complaint(folder)
    assert f"field 'files.{field}'" in text
    assert repr(name) in text


@pytest.mark.parametrize("fields", [("edit", "read_only"), ("edit", "edit")])
def test_a_file_that_is_named_twice_is_refused(tmp_path: Path, fields: tuple[str, str]) -> None:
    files: dict[str, list[str]] = {"edit": [], "create": [], "read_only": []}
    for field in fields:
        files[field].append("slug.py")
    folder = native_task(tmp_path, {"files": files, "near_misses": {}}, **{
        "near_misses/lower-only/slug.py": None,
        "solution/tables.py": None,
    })  # fmt: skip
    text = complaint(folder)
    assert text.startswith(f"{folder / 'task.yaml'}: field 'files")
    assert "'slug.py'" in text


def test_a_task_whose_files_all_lie_in_folders_is_refused(tmp_path: Path) -> None:
    folder = native_task(
        tmp_path,
        {"files": {"edit": ["pkg/slug.py"]}, "near_misses": {}},
        **{
            "workspace/pkg/slug.py": "",
            "solution/pkg/slug.py": "x = 1\n",
            "solution/slug.py": None,
            "solution/tables.py": None,
            "near_misses/lower-only/slug.py": None,
        },
    )
    assert "field 'files': at least one file of edit or create must lie in the workspace's root" in complaint(folder)


@pytest.mark.parametrize("text", ["title: {", "a: b: c", "\t- x"])
def test_a_manifest_that_is_no_yaml_is_named(tmp_path: Path, text: str) -> None:
    folder = native_task(tmp_path, text)
    assert complaint(folder).startswith(f"{folder / 'task.yaml'}: not readable as YAML: ")


@pytest.mark.parametrize("text", ["", "[]", "title", "3"])
def test_a_manifest_without_fields_is_named(tmp_path: Path, text: str) -> None:
    folder = native_task(tmp_path, text or " ")
    assert complaint(folder).startswith(f"{folder / 'task.yaml'}: must be a mapping of fields")


def test_a_manifest_in_another_encoding_is_named(tmp_path: Path) -> None:
    folder = native_task(tmp_path)
    (folder / "task.yaml").write_bytes("title: Größe\n".encode("latin-1"))
    assert complaint(folder).startswith(f"{folder / 'task.yaml'}: not readable as YAML: ")


@pytest.mark.parametrize(
    ("gone", "named"),
    [
        (["hidden/test_slug.py"], "hidden"),
        (["solution/slug.py", "solution/tables.py"], "solution"),
        (["near_misses/lower-only/slug.py"], "near_misses/lower-only"),
    ],
)
def test_a_missing_part_is_named(tmp_path: Path, gone: list[str], named: str) -> None:
    folder = native_task(tmp_path, **dict.fromkeys(gone))
    assert complaint(folder).startswith(f"{folder / named}: is missing or empty")


def test_a_missing_workspace_is_named(tmp_path: Path) -> None:
    nothing = {"edit": [], "create": ["tables.py"], "read_only": []}
    folder = native_task(
        tmp_path,
        {"files": nothing, "near_misses": {}},
        **dict.fromkeys(
            ["workspace/slug.py", "workspace/NOTES.md", "solution/slug.py", "near_misses/lower-only/slug.py"]
        ),
    )
    assert complaint(folder) == f"{folder / 'workspace'}: is missing or empty"


@pytest.mark.parametrize("name", ["solution/other.py", "near_misses/lower-only/NOTES.md"])
def test_a_file_that_would_be_thrown_away_is_named(tmp_path: Path, name: str) -> None:
    folder = native_task(tmp_path, **{name: "x = 1\n"})
    assert complaint(folder) == f"{folder / name}: is not in 'files.edit' or 'files.create' of task.yaml"


def test_a_near_miss_of_which_nothing_is_said_is_named(tmp_path: Path) -> None:
    folder = native_task(tmp_path, **{"near_misses/unknown/slug.py": "x = 1\n"})
    text = complaint(folder)
    assert text.startswith(f"{folder / 'task.yaml'}: field 'near_misses': ")
    assert str(folder / "near_misses/unknown") in text


@pytest.mark.parametrize("part", ["workspace", "hidden", "solution", "near_misses/lower-only"])
def test_a_symlink_is_refused_by_name(tmp_path: Path, part: str) -> None:
    folder = native_task(tmp_path)
    (tmp_path / "outside.py").write_text("x = 1\n", encoding="utf-8")
    link = folder / part / "link.py"
    link.symlink_to(tmp_path / "outside.py")
    assert complaint(folder).startswith(f"{link}: is a symlink")


@pytest.mark.parametrize(
    "name", ["workspace/slug.py", "workspace/NOTES.md", "hidden/test_slug.py", "solution/slug.py", "solution/tables.py"]
)
def test_the_digest_changes_with_every_file_that_can_change_a_verdict(tmp_path: Path, name: str) -> None:
    before = load(native_task(tmp_path / "a")).digest
    assert load(native_task(tmp_path / "b", **{name: "changed = 1\n"})).digest != before


@pytest.mark.parametrize("name", ["hidden/conftest.py", "workspace/more.py"])
def test_the_digest_changes_with_a_further_file(tmp_path: Path, name: str) -> None:
    before = load(native_task(tmp_path / "a")).digest
    assert load(native_task(tmp_path / "b", **{name: ""})).digest != before


@pytest.mark.parametrize(
    "fields",
    [
        {"instruction": "Make other slugs."},
        {"limits": {"agent_seconds": 121, "scoring_seconds": 30}},
        {"limits": {"agent_seconds": 120, "scoring_seconds": 31}},
        {"files": {**FILES, "read_only": []}},
    ],
)
def test_the_digest_changes_with_every_field_that_can_change_a_verdict(tmp_path: Path, fields: dict[str, Any]) -> None:
    before = load(native_task(tmp_path / "a")).digest
    assert load(native_task(tmp_path / "b", fields)).digest != before


def test_the_digest_does_not_depend_on_where_the_task_lies_nor_on_its_labels(tmp_path: Path) -> None:
    one = load(native_task(tmp_path / "a"))
    other = load(native_task(tmp_path / "b", {"title": "Slugs", "topics": [], "difficulty": "hard"}))
    assert one.digest == other.digest


def test_a_file_that_moves_between_parts_changes_the_digest(tmp_path: Path) -> None:
    one = native_task(tmp_path / "a", **{"hidden/data.txt": "x"})
    other = native_task(tmp_path / "b", **{"workspace/data.txt": "x"})
    assert load(one).digest != load(other).digest


def test_the_published_schema_is_the_one_that_is_checked() -> None:
    page = Path(__file__).parents[2] / "docs" / "task.schema.json"
    assert json.loads(page.read_text()) == json_schema(), "hybrideval tasks schema > docs/task.schema.json"


def test_the_schema_knows_every_field_and_no_other() -> None:
    schema = json_schema()
    assert schema["additionalProperties"] is False
    assert {"title", "class", "difficulty", "topics", "instruction", "files", "near_misses", "limits"} == set(
        schema["properties"]
    )
    assert all(
        "description" in field for name, field in schema["properties"].items() if name not in ("files", "limits")
    )
