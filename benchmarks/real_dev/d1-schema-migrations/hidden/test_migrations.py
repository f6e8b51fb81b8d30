import hashlib
import shutil
import sqlite3
from pathlib import Path

import database
import loans
import manage
import pytest
from migrate import MigrationError, MigrationFailed, applied_numbers, load_migrations, migrate

SHIPPED = Path(manage.__file__).resolve().parent / "migrations"
ONE = "CREATE TABLE one (x);"
TWO = "CREATE TABLE two (x);"
BROKEN = "CREATE TABLE half (x);\nINSERT INTO one VALUES ('half');\nINSERT INTO nowhere VALUES (1);"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "sql"
    folder.mkdir()
    return folder


@pytest.fixture
def connection(tmp_path):
    connection = database.connect(tmp_path / "tools.db")
    yield connection
    connection.close()


def fill(folder, **texts):
    """Write files; the names lack the leading m and the ending."""
    for name, text in texts.items():
        (folder / f"{name[1:]}.sql").write_bytes(text.encode("utf-8"))
    return load_migrations(folder)


def numbers(migrations):
    return [migration.number for migration in migrations]


def dump(connection):
    """What other connections see of the database."""
    assert not connection.in_transaction, "the connection was left in a transaction"
    path = connection.execute("PRAGMA database_list").fetchone()[2]
    other = sqlite3.connect(path)
    try:
        return list(other.iterdump())
    finally:
        other.close()


# Loading


def test_files_are_loaded_in_the_order_of_their_numbers(folder):
    loaded = fill(folder, m10_ten="-- ten", m9_nine="-- nine", m0002_two_b="-- two", m011_x1="-- é")
    assert [(m.number, m.name, m.sql) for m in loaded] == [
        (2, "two_b", "-- two"),
        (9, "nine", "-- nine"),
        (10, "ten", "-- ten"),
        (11, "x1", "-- é"),
    ]


def test_other_files_are_ignored(folder):
    for name in (
        "README.md",
        "0002_two.sql.orig",
        "notes.sql",
        "3.sql",
        "x4_four.sql",
        "5_Five.sql",
        "6-six.sql",
        "7_.sql",
    ):
        (folder / name).write_text("nonsense")
    assert numbers(fill(folder, m1_one=ONE)) == [1]


def test_two_files_with_one_number_are_an_error(folder):
    with pytest.raises(MigrationError):
        fill(folder, m0003_a=ONE, m3_b=TWO)


def test_the_checksum_is_that_of_the_text_with_lf(folder):
    unix, dos = fill(folder, m1_unix="-- é\nSELECT 1;\n", m2_dos="-- é\r\nSELECT 1;\r\n")
    assert unix.checksum == dos.checksum == hashlib.sha256("-- é\nSELECT 1;\n".encode()).hexdigest()


# Applying


def test_the_shipped_migrations_make_a_working_database(connection):
    assert numbers(migrate(connection, load_migrations(SHIPPED))) == [1, 2, 3]
    connection.execute("INSERT INTO members VALUES (1, 'Ada')")
    loans.lend(connection, 1, "drill")
    assert connection.execute("SELECT entry FROM loan_log").fetchall() == [("out; drill",)]


def test_the_history_has_a_row_for_each_applied_migration(folder, connection):
    migrations = fill(folder, m1_one=ONE, m2_two=TWO)
    migrate(connection, migrations, clock=lambda: 50.5)
    rows = connection.execute("SELECT number, name, checksum, applied_at FROM schema_migrations ORDER BY number")
    assert rows.fetchall() == [(1, "one", migrations[0].checksum, 50.5), (2, "two", migrations[1].checksum, 50.5)]
    assert applied_numbers(connection) == [1, 2]


def test_a_second_call_applies_only_what_is_new(folder, connection):
    assert numbers(migrate(connection, fill(folder, m1_one=ONE))) == [1]
    assert migrate(connection, load_migrations(folder)) == []
    assert numbers(migrate(connection, fill(folder, m3_three=TWO))) == [3]
    assert applied_numbers(connection) == [1, 3]


def test_migrations_are_applied_in_order_whatever_the_order_of_the_list(folder, connection):
    loaded = fill(folder, m9_a=ONE, m10_b="INSERT INTO one VALUES (5);", m11_c="UPDATE one SET x = x + 1;")
    assert numbers(migrate(connection, loaded[::-1])) == [9, 10, 11]
    assert connection.execute("SELECT x FROM one").fetchall() == [(6,)]


@pytest.mark.parametrize(
    "tail",
    [
        "INSERT INTO one VALUES ('a;b');",
        "INSERT INTO one VALUES ('a;b')",
        "INSERT INTO one VALUES ('a;b'); -- the end; really",
        "/* first; */ INSERT INTO one VALUES ('a;b');\n-- no newline",
    ],
)
def test_semicolons_in_texts_and_comments_end_no_statement(folder, connection, tail):
    migrate(connection, fill(folder, m1_one=f"{ONE}\n{tail}"))
    assert connection.execute("SELECT x FROM one").fetchall() == [("a;b",)]
    assert applied_numbers(connection) == [1]


def test_a_migration_without_statements_is_applied(folder, connection):
    assert numbers(migrate(connection, fill(folder, m1_empty="", m2_comment="-- nothing to do here"))) == [1, 2]
    assert applied_numbers(connection) == [1, 2]


def test_a_target_is_the_last_one_applied(folder, connection):
    migrations = fill(folder, m1_one=ONE, m2_two=TWO, m3_three="CREATE TABLE three (x);")
    assert numbers(migrate(connection, migrations, target=2)) == [1, 2]
    assert migrate(connection, migrations, target=1) == []
    assert numbers(migrate(connection, migrations)) == [3]


def test_an_unknown_target_is_a_value_error(folder, connection):
    migrations = fill(folder, m1_one=ONE, m3_three=TWO)
    for target in (0, 2, 4):
        with pytest.raises(ValueError):
            migrate(connection, migrations, target=target)
    assert applied_numbers(connection) == []


# Failing


def test_a_failed_migration_is_undone_and_those_before_it_stay(folder, connection):
    migrations = fill(folder, m1_one=ONE, m2_half=BROKEN, m3_two=TWO)
    with pytest.raises(MigrationFailed) as caught:
        migrate(connection, migrations)
    assert caught.value.number == 2
    assert numbers(caught.value.applied) == [1]
    assert isinstance(caught.value, MigrationError)
    assert isinstance(caught.value.__cause__, sqlite3.Error)
    assert applied_numbers(connection) == [1]
    text = "\n".join(dump(connection))
    assert "half" not in text, "the failed migration left something behind"
    assert "two" not in text, "a migration after the failed one was applied"


def test_only_tables_created_before_the_failure_are_undone_too(folder, connection):
    with pytest.raises(MigrationFailed):
        migrate(connection, fill(folder, m1_half="CREATE TABLE half (x); CREATE TABLE half (x);"))
    assert "half" not in "\n".join(dump(connection))


def test_a_syntax_error_is_a_failed_migration(folder, connection):
    migrations = fill(folder, m1_one=ONE, m2_typo="CREATE TABLE half (x);\nCREATE TABEL two (x);")
    with pytest.raises(MigrationFailed) as caught:
        migrate(connection, migrations)
    assert (caught.value.number, numbers(caught.value.applied)) == (2, [1])
    assert "half" not in "\n".join(dump(connection))


def test_a_constraint_that_fails_at_commit_undoes_the_migration(folder, connection):
    orphan = """
        CREATE TABLE half (one INTEGER REFERENCES one (id) DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO half VALUES (77);
    """
    migrations = fill(folder, m1_one="CREATE TABLE one (id INTEGER PRIMARY KEY);", m2_orphan=orphan)
    with pytest.raises(MigrationFailed) as caught:
        migrate(connection, migrations)
    assert (caught.value.number, numbers(caught.value.applied)) == (2, [1])
    assert applied_numbers(connection) == [1]
    assert "half" not in "\n".join(dump(connection))


def test_after_a_correction_the_next_call_goes_on(folder, connection):
    with pytest.raises(MigrationFailed):
        migrate(connection, fill(folder, m1_one=ONE, m2_half=BROKEN, m3_two=TWO))
    assert numbers(migrate(connection, fill(folder, m2_half="INSERT INTO one VALUES ('whole');"))) == [2, 3]
    assert connection.execute("SELECT x FROM one").fetchall() == [("whole",)]


# Comparing


@pytest.fixture
def migrated(folder, connection):
    migrate(connection, fill(folder, m1_one=ONE, m3_three="CREATE TABLE three (x);"))
    fill(folder, m4_four="CREATE TABLE four (x);")
    return connection


def assert_refused(connection, folder, **options):
    before = dump(connection)
    with pytest.raises(MigrationError):
        migrate(connection, load_migrations(folder), **options)
    assert dump(connection) == before, "the database was changed"


def test_a_changed_migration_is_refused(folder, migrated):
    fill(folder, m3_three="CREATE TABLE three (x, y);")
    assert_refused(migrated, folder)
    assert_refused(migrated, folder, target=1)
    (folder / "4_four.sql").unlink()
    assert_refused(migrated, folder)


def test_a_migration_that_is_gone_is_refused(folder, migrated):
    (folder / "1_one.sql").unlink()
    assert_refused(migrated, folder)


def test_a_late_migration_is_refused(folder, migrated):
    fill(folder, m2_late=TWO)
    assert_refused(migrated, folder)


def test_new_names_and_line_ends_are_no_change(folder, connection):
    migrate(connection, fill(folder, m1_one=f"-- one\n{ONE}\n"))
    (folder / "1_one.sql").unlink()
    assert numbers(migrate(connection, fill(folder, m001_renamed=f"-- one\r\n{ONE}\r\n", m2_two=TWO))) == [2]


def test_reading_the_history_does_not_create_it(connection):
    assert applied_numbers(connection) == []
    assert database.tables(connection) == []


# The commands


def test_migrate_prints_what_it_applied(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert manage.main(["tools.db", "migrate", "--to", "2"]) == 0
    assert manage.main(["tools.db", "migrate"]) == 0
    assert manage.main(["tools.db", "migrate"]) == 0
    assert capsys.readouterr().out.splitlines() == ["applied 1 members", "applied 2 loans", "applied 3 loan_log"]


def test_migrate_prints_what_it_applied_before_a_failure(folder, tmp_path, capsys):
    shutil.copy(SHIPPED / "0001_members.sql", folder)
    fill(folder, m2_broken=BROKEN)
    assert manage.main([str(tmp_path / "a.db"), "migrate", "--migrations", str(folder)]) == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines() == ["applied 1 members"]
    assert printed.err.strip()


def test_migrate_refuses_an_unknown_number(tmp_path, capsys):
    assert manage.main([str(tmp_path / "a.db"), "migrate", "--to", "77"]) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err.strip() != "") == ("", True)


def test_status_tells_applied_from_pending_and_changes_nothing(folder, tmp_path, capsys):
    fill(folder, m9_one=ONE, m10_two=TWO)
    command = [str(tmp_path / "a.db"), "status", "--migrations", str(folder)]
    assert manage.main(command) == 0
    assert capsys.readouterr().out.splitlines() == ["9 one pending", "10 two pending"]
    assert manage.main([str(tmp_path / "a.db"), "tables"]) == 0
    assert capsys.readouterr().out == "", "status created a table"
    manage.main([str(tmp_path / "a.db"), "migrate", "--to", "9", "--migrations", str(folder)])
    fill(folder, m9_one="-- changed")
    capsys.readouterr()
    assert manage.main(command) == 0
    assert capsys.readouterr().out.splitlines() == ["9 one applied", "10 two pending"]
