import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parent / "redact_env.py"


def run(data, *args):
    data = data.encode("utf-8") if isinstance(data, str) else data
    command = [sys.executable, "-S", str(TOOL), *map(str, args)]
    return subprocess.run(command, input=data, capture_output=True, timeout=20)


def redact(data, *args):
    result = run(data, *args)
    assert result.returncode == 0, f"exit code {result.returncode}, stderr: {result.stderr.decode()}"
    return result.stdout if isinstance(data, bytes) else result.stdout.decode("utf-8")


def redact_from(source, folder, data):
    if source == "standard input":
        return redact(data)
    path = folder / "settings.env"
    path.write_bytes(data)
    return redact(b"", path)


def assert_values(*pairs):
    """Redact one line per pair of value and expected value, and compare them line by line."""
    lines = redact("".join(f"A_KEY={value}\n" for value, _ in pairs)).split("\n")
    assert lines == [*(f"A_KEY={expected}" for _, expected in pairs), ""]


def test_secret_values_are_replaced_and_the_rest_is_kept():
    text = "APP=orders\nDB_PASSWORD=hunter2\n\nDEBUG = true\nAPI_KEY=a=b==\n"
    assert redact(text) == "APP=orders\nDB_PASSWORD=[REDACTED]\n\nDEBUG = true\nAPI_KEY=[REDACTED]\n"


def test_reads_a_file_and_standard_input_alike(tmp_path):
    path = tmp_path / "my settings.env"
    path.write_text("TOKEN=x\n")
    assert redact("", path) == "TOKEN=[REDACTED]\n"
    assert redact("TOKEN=x\n", "-") == "TOKEN=[REDACTED]\n"
    assert redact("TOKEN=x\n") == "TOKEN=[REDACTED]\n"


def test_names_match_as_a_whole_and_in_any_case():
    secret = ["TOKEN", "my_Token", "OLD_PASSWORD_2", "db_password", "CLIENT_SECRETS", "API_KEY", "_KEY"]
    public = ["TOKENIZER", "MY_TOKEN_COUNT", "MONKEY", "KEY", "KEY_ID", "API_KEY_ID", "ACCESSTOKEN", "PASS"]
    text = "".join(f"{name}=v\n" for name in secret + public)
    expected = [f"{name}=[REDACTED]" for name in secret] + [f"{name}=v" for name in public]
    assert redact(text).splitlines() == expected


def test_further_patterns_add_to_the_defaults():
    text = "PIN=1\nUSER_dsn=2\nTOKEN=3\nUSER=4\nPINS=5\n"
    expected = "PIN=[REDACTED]\nUSER_dsn=[REDACTED]\nTOKEN=[REDACTED]\nUSER=4\nPINS=5\n"
    assert redact(text, "--pattern", "PIN", "--pattern", "*_DSN") == expected


def test_allowed_names_are_never_secret():
    text = "PUBLIC_KEY=1\nPUBLIC_SECRET_KEY=2\nAPI_KEY=3\nMY_PUBLIC_KEY=4\n"
    expected = "PUBLIC_KEY=1\nPUBLIC_SECRET_KEY=2\nAPI_KEY=[REDACTED]\nMY_PUBLIC_KEY=[REDACTED]\n"
    assert redact(text, "--allow", "public_*", "--pattern", "PUBLIC_KEY") == expected


def test_export_and_blanks_around_name_and_equals_sign_are_kept():
    text = "export TOKEN=a\n  export\t A_KEY=b\n\tB_KEY \t=  c\nC_KEY= 'd' \nexport D_KEY = e\t\n"
    expected = (
        "export TOKEN=[REDACTED]\n  export\t A_KEY=[REDACTED]\n\tB_KEY \t=  [REDACTED]\n"
        "C_KEY= '[REDACTED]' \nexport D_KEY = [REDACTED]\t\n"
    )
    assert redact(text) == expected


def test_lines_that_are_no_assignments_are_copied():
    lines = [
        "# A_KEY=x",
        "  # A_KEY=x",
        "export A_KEY",
        "A_KEY x",
        "2_KEY=x",
        "MY A_KEY=x",
        "A_KEY",
        "A-KEY=x",
        "=x",
    ]
    assert redact("".join(f"{line}\nTOKEN=x\n" for line in lines)) == "".join(
        f"{line}\nTOKEN=[REDACTED]\n" for line in lines
    )


def test_a_value_without_quotes_ends_before_a_comment_or_the_blanks_at_the_end():
    assert_values(
        ("x # note", "[REDACTED] # note"),
        ("x y\t# a # b", "[REDACTED]\t# a # b"),
        ("x y  ", "[REDACTED]  "),
        ("it's", "[REDACTED]"),
    )


def test_a_hash_without_a_blank_before_it_belongs_to_the_value():
    assert_values(("x#y # note", "[REDACTED] # note"), ("#x", "[REDACTED]"), ("x#", "[REDACTED]"))


def test_quotes_and_comments_after_them_are_kept():
    assert_values(
        ('"x"', '"[REDACTED]"'),
        ("'x'", "'[REDACTED]'"),
        ('"x # y" # note', '"[REDACTED]" # note'),
        ("'x # y'\t# it's", "'[REDACTED]'\t# it's"),
        ('"it\'s"', '"[REDACTED]"'),
        ("'say \"x\"'  ", "'[REDACTED]'  "),
    )


def test_a_backslash_escapes_between_double_quotes_only():
    assert_values(
        (r'"a\"b"', '"[REDACTED]"'),
        (r'"a\" # b" # note', '"[REDACTED]" # note'),
        (r'"a\\" # note', '"[REDACTED]" # note'),
        ("'a\\' # note", "'[REDACTED]' # note"),
    )


def test_broken_quotes_hide_the_rest_of_the_line():
    values = ['"x # y', "'x", '"', '"x"y', "'x''y' # note", '"x"# y', r'"x\"', '"" y']
    assert_values(*[(value, "[REDACTED]") for value in values])


def test_empty_values_stay_as_they_are():
    values = ["", '""', "''", "  ", " # note", '"" # note', "\t# TOKEN=x", "x"]
    assert_values(*[(value, "[REDACTED]" if value == "x" else value) for value in values])


def test_a_second_run_changes_nothing():
    text = 'A_KEY=x # n\nB_KEY="x" # n\nC_KEY=\'x\'\nD_KEY="x\nexport E_KEY = x#y\nF_KEY=\nG=x'
    once = redact(text)
    assert once.count("[REDACTED]") == 5
    assert redact(once) == once


@pytest.mark.parametrize("source", ["file", "standard input"])
def test_line_ends_and_a_missing_last_newline_are_kept(tmp_path, source):
    data = b"A_KEY=x\r\nB=1\r\n\r\nC_KEY='y' # n\r\nD_KEY=z\nE_KEY=\r\nF_KEY=w"
    expected = b"A_KEY=[REDACTED]\r\nB=1\r\n\r\nC_KEY='[REDACTED]' # n\r\n"
    expected += b"D_KEY=[REDACTED]\nE_KEY=\r\nF_KEY=[REDACTED]"
    assert redact_from(source, tmp_path, data) == expected
    assert redact_from(source, tmp_path, b"") == b""


def test_only_line_feeds_end_a_line():
    characters = ["\x0b", "\x0c", "\r", "\x1c", "\x85", "\u2028"]
    text = "".join(f"A_KEY=x{character}y\nB=1{character}2\n" for character in characters)
    expected = "".join(f"A_KEY=[REDACTED]\nB=1{character}2\n" for character in characters)
    assert redact(text) == expected


@pytest.mark.parametrize("source", ["file", "standard input"])
def test_bytes_that_are_not_utf8_pass_through(tmp_path, source):
    data = b"CITY=M\xfcnchen\nA_KEY=\xff\xfe\n# caf\xe9 \xe2\x82\xac\n"
    assert redact_from(source, tmp_path, data) == b"CITY=M\xfcnchen\nA_KEY=[REDACTED]\n# caf\xe9 \xe2\x82\xac\n"


def test_check_lists_line_and_name_of_each_secret_value_only():
    result = run('B=1\n\nexport A_KEY=hunter2\n# TOKEN=x\nTOKEN="hunter3"\nC_KEY=\n', "--check")
    assert result.returncode == 1, "there are secret values"
    assert result.stdout.decode().splitlines() == ["3: A_KEY", "5: TOKEN"]
    assert b"hunter" not in result.stderr, "no value may be printed"


def test_check_honours_pattern_and_allow():
    result = run("PIN=1\nPUBLIC_KEY=2\n", "--check", "--allow", "PUBLIC_*", "--pattern", "PIN")
    assert (result.returncode, result.stdout.decode().splitlines()) == (1, ["1: PIN"])


REDACTED = "A_KEY=\nTOKEN=[REDACTED] # n\nB_KEY='[REDACTED]'\nC_KEY=\"[REDACTED]\"\n"


@pytest.mark.parametrize("text", ["", "B=1\n", REDACTED], ids=["empty", "no secret", "redacted"])
def test_check_is_content_without_secrets_and_with_redacted_ones(text):
    result = run(text, "--check")
    assert (result.returncode, result.stdout) == (0, b""), result.stderr.decode()


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_a_file_that_cannot_be_read_gives_exit_code_2(tmp_path, options):
    result = run("", *options, tmp_path / "no such.env")
    assert result.returncode == 2, result.stderr.decode()
    assert result.stdout == b"", "nothing belongs on standard output"
    assert "no such.env" in result.stderr.decode(), "the message should name the file"
    assert "Traceback" not in result.stderr.decode(), "a message is wanted, not a traceback"
