import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from config_diff import main

TOOL = Path(__file__).resolve().parent / "config_diff.py"


class Output(io.BytesIO):
    """Stays readable when a wrapper around it is thrown away."""

    def close(self):
        pass


def run_command(cwd, *args, **changes):
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONUTF8", "PYTHONIOENCODING")}
    command = [sys.executable, "-S", str(TOOL), *map(str, args)]
    return subprocess.run(command, capture_output=True, timeout=20, cwd=cwd, env={**env, **changes})


def run(cwd, *args, **changes):
    """Call main with the arguments; start the tool as a process if the environment matters."""
    if changes:
        return run_command(cwd, *args, **changes)
    out, err = (io.TextIOWrapper(Output(), encoding="utf-8", write_through=True) for _ in range(2))
    before = os.getcwd()
    os.chdir(cwd)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(list(args))
    except SystemExit as stop:
        code = stop.code
    finally:
        os.chdir(before)
    return subprocess.CompletedProcess(args, code, out.buffer.getvalue(), err.buffer.getvalue())


def compare(cwd, old, new, *options, kind="env", **changes):
    """Compare two files with the given texts and return the lines printed."""
    (cwd / f"old.{kind}").write_text(old, encoding="utf-8")
    (cwd / f"new.{kind}").write_text(new, encoding="utf-8")
    result = run(cwd, *options, f"old.{kind}", f"new.{kind}", **changes)
    lines = result.stdout.decode("utf-8").splitlines()
    assert result.returncode == (1 if lines else 0), f"exit code {result.returncode}, stderr: {result.stderr.decode()}"
    return lines


def values(cwd, text, kind="env", **changes):
    """Return what follows the key for each setting of the text, by comparing with a file without settings."""
    lines = compare(cwd, "", text, kind=kind, **changes)
    assert all(line.startswith("+ ") for line in lines)
    return dict(line[2:].split(" = ", 1) for line in lines)


def assert_refused(result, name, *hidden):
    message = result.stderr.decode("utf-8", errors="replace")
    assert result.returncode == 2, f"exit code {result.returncode} instead of 2, stderr: {message}"
    assert result.stdout == b"", "nothing belongs on standard output"
    assert name in message, "the message should name the file"
    assert "Traceback" not in message, "a message is wanted, not a traceback"
    for secret in hidden:
        assert secret not in message + result.stdout.decode(), "a secret is shown"


def test_added_removed_and_changed_settings_are_listed_in_order_of_keys(tmp_path):
    old = "Z=1\nb=same\nA=old\nGONE=x\nB_1=1\n"
    new = "NEW=y\nA=new\nb=same\nB_1=2\nZ=1\na=\n"
    expected = ['~ A = "old" -> "new"', '~ B_1 = "1" -> "2"', '- GONE = "x"', '+ NEW = "y"', '+ a = ""']
    assert compare(tmp_path, old, new) == expected


def test_the_tool_can_be_started_as_a_command(tmp_path):
    (tmp_path / "a.env").write_text("A=x\n")
    (tmp_path / "b.env").write_text("A=y\n")
    result = run_command(tmp_path, "a.env", "b.env")
    assert (result.returncode, result.stdout, result.stderr) == (1, b'~ A = "x" -> "y"\n', b"")
    assert run_command(tmp_path, "a.env", "a.env").returncode == 0
    assert_refused(run_command(tmp_path, "a.env", "c.env"), "c.env")


def test_files_that_mean_the_same_do_not_differ(tmp_path):
    old = "# old\nHOST=db\nURL=\"x://${HOST}/\"\nEMPTY=''\nNAME='a b'\n"
    new = 'export NAME=a b   # name\n\n  URL=x://db/\nEMPTY= # none\nHOST=wrong\nHOST="db"'
    assert compare(tmp_path, old, new) == []


def test_values_without_quotes(tmp_path):
    text = "A=x y \t\nB=  x#y # note # more\nC=#x\nD=it's\nE=back\\slash\\n\nF=a=b\nG=\t# note\nH=$ $X $$\n"
    assert values(tmp_path, text) == {
        "A": '"x y"',
        "B": '"x#y"',
        "C": '"#x"',
        "D": '"it\'s"',
        "E": '"back\\\\slash\\\\n"',
        "F": '"a=b"',
        "G": '""',
        "H": '"$ $X $$"',
    }


def test_values_in_quotes(tmp_path):
    text = 'A=\' x # y \' # note\nB=" x # y "\t\nC=\'${A} \\n "\'\nD="\\"\\\\ \\$ \\${A} \\n \\t \'"\nE = \n'
    text = text.replace("E = \n", 'E="${F}"\nF="\\\\n"\n')
    assert values(tmp_path, text) == {
        "A": '" x # y "',
        "B": '" x # y "',
        "C": '"${A} \\\\n \\""',
        "D": '"\\"\\\\ $ ${A} \\n \\\\t \'"',
        "E": '"\\\\n"',
        "F": '"\\\\n"',
    }


def test_references_may_come_before_the_assignment_and_the_last_assignment_counts(tmp_path):
    text = "URL=${SCHEME}://${HOST}\nHOST=a\nSCHEME=http\nHOST=${NODE}.b\nNODE=n\n"
    assert values(tmp_path, text) == {"URL": '"http://n.b"', "HOST": '"n.b"', "SCHEME": '"http"', "NODE": '"n"'}


def test_a_default_is_used_for_missing_and_for_empty_names(tmp_path):
    text = "A=${NONE:-x y}\nB=\"${EMPTY:-z}\"\nEMPTY=\nC=${EMPTY}${D:-no}\nD=d\nE=${NONE:-}\nF='${NONE:-x}'\n"
    found = values(tmp_path, text)
    assert [found[name] for name in "ABCEF"] == ['"x y"', '"z"', '"d"', '""', '"${NONE:-x}"']


def test_the_environment_plays_no_part(tmp_path):
    assert values(tmp_path, "A=${HOME_DIR:-x}\n", HOME_DIR="/home") == {"A": '"x"'}
    (tmp_path / "a.env").write_text("A=${HOME_DIR}\n")
    assert_refused(run(tmp_path, "a.env", "a.env", HOME_DIR="/home"), "a.env")


def test_replaced_text_is_not_searched_again(tmp_path):
    assert values(tmp_path, "A='${B}'\nB=x\nC=\"${A}\"\n")["C"] == '"${B}"'


INI = """[DEFAULT]
host = db.example
path = /%(name)s

[shop]
Name: store
url = https://%(host)s%(path)s
rate = 5%%
text = one
  two

[blog]
host = b.example
name = posts
"""


def test_ini_files_have_inherited_and_interpolated_options(tmp_path):
    assert values(tmp_path, INI, kind="ini") == {
        "blog.host": '"b.example"',
        "blog.name": '"posts"',
        "blog.path": '"/posts"',
        "shop.host": '"db.example"',
        "shop.name": '"store"',
        "shop.path": '"/store"',
        "shop.rate": '"5%"',
        "shop.text": '"one\\ntwo"',
        "shop.url": '"https://db.example/store"',
    }


def test_a_change_in_default_shows_where_it_has_an_effect(tmp_path):
    new = INI.replace("db.example", "new.example")
    assert compare(tmp_path, INI, new, kind="ini") == [
        '~ shop.host = "db.example" -> "new.example"',
        '~ shop.url = "https://db.example/store" -> "https://new.example/store"',
    ]


def test_the_name_decides_about_the_kind_of_each_file(tmp_path):
    (tmp_path / "a.CFG").write_text("[shop]\nhost = %(name)s\nname = x\n")
    (tmp_path / "ini").write_text("host=%(name)s\n")
    result = run(tmp_path, "a.CFG", "ini")
    expected = ['+ host = "%(name)s"', '- shop.host = "x"', '- shop.name = "x"']
    assert result.stdout.decode().splitlines() == expected, result.stderr.decode()


def test_secret_names_are_masked_as_a_whole_and_in_any_case(tmp_path):
    secret = ["DB_PASSWORD", "passwords", "MY_SECRET_1", "TOKENIZER", "x_Token", "API_KEY"]
    public = ["KEY", "KEYS", "API_KEYS", "MONKEY", "PASS", "PIN"]
    text = "".join(f"{name}=v\n" for name in secret + public)
    assert values(tmp_path, text) == {**dict.fromkeys(secret, "***"), **dict.fromkeys(public, '"v"')}


def test_further_globs_mask_further_names(tmp_path):
    lines = compare(tmp_path, "", "PIN=1\nUSER_dsn=2\nTOKEN=3\nPINS=4\n", "--mask", "pin", "--mask", "*_DSN")
    assert lines == ["+ PIN = ***", '+ PINS = "4"', "+ TOKEN = ***", "+ USER_dsn = ***"]


def test_the_section_does_not_make_an_option_secret(tmp_path):
    text = "[secret_key]\nuser = a\nauth_token = b\n"
    assert values(tmp_path, text, kind="ini") == {"secret_key.user": '"a"', "secret_key.auth_token": "***"}


def test_changed_secrets_are_differences_and_equal_ones_are_not(tmp_path):
    old, new = "A_KEY=x\nB_KEY=x\nC_KEY=x\n", "A_KEY=y\nB_KEY='x'\nD_KEY=x\n"
    assert compare(tmp_path, old, new) == ["~ A_KEY = *** -> ***", "- C_KEY = ***", "+ D_KEY = ***"]


def test_values_that_refer_to_secrets_are_masked(tmp_path):
    text = "URL=\"x://u:${DB_PASSWORD}@h\"\nDB_PASSWORD=hunter2\nSAFE='${DB_PASSWORD}'\n"
    assert values(tmp_path, text) == {"URL": "***", "DB_PASSWORD": "***", "SAFE": '"${DB_PASSWORD}"'}
    text = "[a]\nurl = x://%(password)s@h\nPassword = hunter2\nplain = %%(password)s\n"
    assert values(tmp_path, text, kind="ini") == {"a.url": "***", "a.password": "***", "a.plain": '"%(password)s"'}


def test_values_that_refer_to_secrets_by_way_of_others_are_masked(tmp_path):
    text = "A=${B}\nB=${C}\nC=${TOKEN}\nTOKEN=hunter2\nD=${E}\nE=e\n"
    assert values(tmp_path, text) == {"A": "***", "B": "***", "C": "***", "TOKEN": "***", "D": '"e"', "E": '"e"'}
    text = "[DEFAULT]\na = %(b)s\nb = %(token)s\ntoken =\n[s]\ntoken = hunter2\n"
    assert values(tmp_path, text, kind="ini") == {"s.a": "***", "s.b": "***", "s.token": "***"}


def test_a_reference_to_a_secret_name_is_masked_even_if_the_default_is_used(tmp_path):
    assert values(tmp_path, "A=${API_KEY:-x}\nB=${NONE:-x}\n") == {"A": "***", "B": '"x"'}


def test_each_side_is_masked_by_itself(tmp_path):
    assert compare(tmp_path, "A=${TOKEN}\nTOKEN=t\n", "A=plain\nTOKEN=t\n") == ['~ A = *** -> "plain"']


def test_text_is_utf8_in_every_locale_and_written_as_json(tmp_path):
    changes = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    assert compare(tmp_path, "", 'A=Åsa "x"\n', **changes) == ['+ A = "\\u00c5sa \\"x\\""']
    assert values(tmp_path, "[Å]\na = 1\n", kind="ini", **changes) == {"Å.a": '"1"'}


BROKEN_ENV = {
    "form": ["A", "A =x", "2A=x", "A-B=x", "=x", "my A=x"],
    "quotes": ["A='x", 'A="x\\"', "A='x'y", 'A="x"# note', "A='x''y'"],
    "reference": ["A=${B", 'A="${}"', "A=${2}", "A=${B:+x}", "A=${NONE}", "A=${B:-${C}}"],
    "cycle": ["A=${A}", "A=x\nA=${A}:y", "A=${C}\nC=${D}\nD='x'\nD=${A:-x}"],
}


@pytest.mark.parametrize("kind", BROKEN_ENV)
def test_broken_env_files_are_refused(tmp_path, kind):
    (tmp_path / "good.env").write_text("A=x\nB=y\n")
    for text in BROKEN_ENV[kind]:
        (tmp_path / "bad one.env").write_text(f"B=y\n{text}\n")
        assert_refused(run(tmp_path, "good.env", "bad one.env"), "bad one.env")


BROKEN_INI = ["password = hunter2\n", "[a]\npassword = %(none)shunter2\n", "[a]\npassword = 5%hunter2\n"]
BROKEN_INI += [
    "[a]\ntoken=hunter2\ntoken=hunter3\n",
    "[a]\nx_key hunter2\n",
    "[a]\ntoken = hunter2%(b)s\nb = %(token)s\n",
]


def test_broken_ini_files_are_refused_without_showing_secrets(tmp_path):
    (tmp_path / "good.ini").write_text("[a]\nx = 1\n")
    for text in BROKEN_INI:
        (tmp_path / "bad.ini").write_text(text)
        assert_refused(run(tmp_path, "bad.ini", "good.ini"), "bad.ini", "hunter")


def test_messages_about_env_files_show_no_secrets(tmp_path):
    (tmp_path / "good.env").write_text("A=x\n")
    for text in [
        "A_KEY='hunter2",
        "A_KEY=hunter2${B",
        "A_KEY=hunter2${NONE}",
        "A_KEY='hunter'hunter2",
        "A_KEY: hunter2",
    ]:
        (tmp_path / "bad.env").write_text(text)
        assert_refused(run(tmp_path, "good.env", "bad.env"), "bad.env", "hunter")


def test_files_that_cannot_be_read_are_refused(tmp_path):
    (tmp_path / "good.env").write_text("A=x\n")
    (tmp_path / "latin.env").write_bytes(b"A=caf\xe9\n")
    (tmp_path / "latin.ini").write_bytes(b"[a]\na=caf\xe9\n")
    for name in ("no such.env", "no such.ini", ".", "latin.env", "latin.ini"):
        assert_refused(run(tmp_path, "good.env", name), name)
        assert_refused(run(tmp_path, name, "good.env"), name)
