import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
BOM = b"\xef\xbb\xbf"
MEASURE = """
import json, sys, tracemalloc
sys.path.insert(0, sys.argv[1])
import csv_dedupe
tracemalloc.start()
code = csv_dedupe.main(sys.argv[2:])
print(json.dumps({"code": code, "peak": tracemalloc.get_traced_memory()[1]}))
"""


def run(*args, **changes):
    command = [sys.executable, "-S", str(ROOT / "csv_dedupe.py"), *map(str, args)]
    return subprocess.run(command, capture_output=True, env={**os.environ, **changes}, timeout=20)


def dedupe(tmp_path, data, *options, **changes):
    path = tmp_path / "in.csv"
    path.write_bytes(data)
    result = run(*options, path, **changes)
    assert result.returncode == 0, f"exit code {result.returncode}, stderr: {result.stderr.decode()}"
    return result.stdout


def test_the_first_row_is_kept_by_default(tmp_path):
    data = b"id,v\n1,a\n2,b\n1,c\n3,d\n2,e\n"
    assert dedupe(tmp_path, data, "--key", "id") == b"id,v\n1,a\n2,b\n3,d\n"
    assert dedupe(tmp_path, data, "--key", "id", "--keep", "first") == b"id,v\n1,a\n2,b\n3,d\n"


def test_keep_last_keeps_the_last_row_at_its_own_position(tmp_path):
    data = b"id,v\n1,a\n2,b\n1,c\n3,d\n2,e\n4,f\n"
    assert dedupe(tmp_path, data, "--key", "id", "--keep", "last") == b"id,v\n1,c\n3,d\n2,e\n4,f\n"


def test_all_key_columns_have_to_agree(tmp_path):
    data = b"a,x,b\n1,p,1\n1,q,2\n2,r,1\n1,s,2\n"
    assert dedupe(tmp_path, data, "--key", "b", "--key", "a") == b"a,x,b\n1,p,1\n1,q,2\n2,r,1\n"


def test_values_of_different_columns_do_not_run_together(tmp_path):
    rows = [f"p{glue}q,r\np,q{glue}r\n" for glue in ["|", " ", "-", "_", ":", ";", "/", "\t", "x"]]
    data = "".join(["a,b\n", *rows, "pq,r\n", "p,qr\n"]).encode()
    assert dedupe(tmp_path, data, "--key", "a", "--key", "b") == data


def test_quotes_do_not_make_a_value_different(tmp_path):
    data = b'id,v\n"1",a\n1,b\n"x""y",c\n"x""y",d\n'
    assert dedupe(tmp_path, data, "--key", "id") == b'id,v\n"1",a\n"x""y",c\n'


def test_case_and_blanks_make_a_value_different(tmp_path):
    data = b"id,v\na,1\nA,2\n a,3\na ,4\na,5\n"
    assert dedupe(tmp_path, data, "--key", "id") == b"id,v\na,1\nA,2\n a,3\na ,4\n"


def test_quotes_are_kept_as_they_are(tmp_path):
    data = b'"id",v,"w"\n"1",a,"b, c"\n2,"plain",""\n3,"say ""x""",\n'
    assert dedupe(tmp_path, data + b"1,z,z\n", "--key", "id") == data


def test_a_quoted_field_may_contain_line_breaks(tmp_path):
    data = b'id,v\n1,"x\n1,y\n"\n2,"p\n\nq"\n1,"z\n"\n2,w\n'
    assert dedupe(tmp_path, data, "--key", "id") == b'id,v\n1,"x\n1,y\n"\n2,"p\n\nq"\n'
    assert dedupe(tmp_path, data, "--key", "id", "--keep", "last") == b'id,v\n1,"z\n"\n2,w\n'


def test_line_ends_are_kept_as_they_are(tmp_path):
    data = b'id,v\r\n1,"x\ny"\r\n2,b\n3,"p\r\nq"\r\n1,c\r\n'
    assert dedupe(tmp_path, data, "--key", "id") == b'id,v\r\n1,"x\ny"\r\n2,b\n3,"p\r\nq"\r\n'


def test_a_last_row_without_line_end_stays_so(tmp_path):
    assert dedupe(tmp_path, b"id,v\n1,a\n2,b", "--key", "id") == b"id,v\n1,a\n2,b"
    assert dedupe(tmp_path, b"id,v\n1,a\n1,b", "--key", "id") == b"id,v\n1,a\n"
    assert dedupe(tmp_path, b"id,v\n1,a\n1,b", "--key", "id", "--keep", "last") == b"id,v\n1,b"


@pytest.mark.parametrize("header", [b"id,v\n", b'"id",v\n'])
def test_a_byte_order_mark_is_kept_and_is_not_part_of_the_first_name(tmp_path, header):
    assert dedupe(tmp_path, BOM + header + b"1,a\n1,b\n", "--key", "id") == BOM + header + b"1,a\n"
    assert dedupe(tmp_path, header + b"1,a\n1,b\n", "--key", "id") == header + b"1,a\n", "no mark may be added"


def test_another_delimiter(tmp_path):
    data = b'id;v\n1,5;a\n1;b\n"1;5";c\n1,5;d\n'
    assert dedupe(tmp_path, data, "--key", "id", "--delimiter", ";") == b'id;v\n1,5;a\n1;b\n"1;5";c\n'


def test_missing_fields_of_a_short_row_are_empty(tmp_path):
    data = b"id,v,k\n1,a,\n2,b\n3\n4,c,x\n"
    assert dedupe(tmp_path, data, "--key", "k") == b"id,v,k\n1,a,\n4,c,x\n"
    assert dedupe(tmp_path, data, "--key", "k", "--keep", "last") == b"id,v,k\n3\n4,c,x\n"


def test_empty_lines_are_no_rows(tmp_path):
    assert dedupe(tmp_path, b"id,v\n\n1,a\n\r\n\n,b\n1,c\n\n", "--key", "id") == b"id,v\n1,a\n,b\n"


def test_the_output_is_utf8_whatever_the_locale(tmp_path):
    data = "näme,id\nŽofie,1\nMüller,1\n日本,3\n".encode()
    expected = "näme,id\nŽofie,1\n日本,3\n".encode()
    for encoding in ("ascii", "latin-1", "utf-8"):
        assert dedupe(tmp_path, data, "--key", "id", PYTHONIOENCODING=encoding) == expected, encoding


def test_the_summary_goes_to_standard_error(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(b"id,v\n1,a\n\n2,b\n1,c\n3,d\n2,e\n")
    for keep in ("first", "last"):
        result = run("--key", "id", "--keep", keep, path)
        assert result.stderr.decode().splitlines() == ["rows read: 5, kept: 3, dropped: 2"], f"with --keep {keep}"


def test_the_output_file_gets_the_rows_and_standard_output_nothing(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(BOM + b"id,v\r\n1,a\r\n1,b\r\n")
    result = run("--key", "id", "-o", tmp_path / "out.csv", path)
    assert (result.returncode, result.stdout) == (0, b""), result.stderr.decode()
    assert (tmp_path / "out.csv").read_bytes() == BOM + b"id,v\r\n1,a\r\n"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["in.csv", "out.csv"], "stray files were left"


@pytest.mark.parametrize("keep, expected", [("first", b"id,v\n1,a\n2,b\n"), ("last", b"id,v\n2,b\n1,c\n")])
def test_the_output_may_be_the_input(tmp_path, keep, expected):
    path = tmp_path / "in.csv"
    path.write_bytes(b"id,v\n1,a\n2,b\n1,c\n")
    result = run("--key", "id", "--keep", keep, "-o", path, path)
    assert result.returncode == 0, result.stderr.decode()
    assert path.read_bytes() == expected


def test_an_empty_input_gives_an_empty_output(tmp_path):
    assert dedupe(tmp_path, b"", "--key", "id") == b""


def test_a_header_alone_is_written_as_it_is(tmp_path):
    assert dedupe(tmp_path, b'"id",v', "--key", "id", "--keep", "last") == b'"id",v'


@pytest.mark.parametrize("existing", [None, b"precious\n"])
@pytest.mark.parametrize("case", ["column", "file"])
def test_unusable_input_gives_exit_code_2_and_leaves_the_output_alone(tmp_path, case, existing):
    source = tmp_path / "contacts.csv"
    target = tmp_path / "out.csv"
    if case == "column":
        source.write_bytes(b"id,v\n1,a\n")
    if existing is not None:
        target.write_bytes(existing)
    result = run("--key", "id", "--key", "v" if case == "file" else "e-mail", "-o", target, source)
    message = result.stderr.decode()
    assert result.returncode == 2, f"exit code {result.returncode} instead of 2, stderr: {message}"
    assert ("contacts.csv" if case == "file" else "e-mail") in message, "the message should name what is wrong"
    assert "Traceback" not in message, "a message is wanted, not a traceback"
    assert result.stdout == b"", "nothing belongs on standard output"
    assert (target.read_bytes() if target.exists() else None) == existing, "the output may not change"


@pytest.mark.parametrize("keep", ["first", "last"])
def test_memory_does_not_grow_with_the_rows(tmp_path, keep):
    path = tmp_path / "in.csv"
    with open(path, "w", encoding="utf-8", newline="") as handle:
        handle.write("id,v\n")
        for number in range(10_000):
            handle.write(f"{number % 20},{str(number) * 250:.1000}\n")
    command = [sys.executable, "-S", "-c", MEASURE, str(ROOT), "--key", "id", "--keep", keep]
    command += ["-o", str(tmp_path / "out.csv"), str(path)]
    result = subprocess.run(command, capture_output=True, timeout=20)
    assert result.returncode == 0, result.stderr.decode()
    measured = json.loads(result.stdout)
    assert measured["code"] == 0, result.stderr.decode()
    assert len((tmp_path / "out.csv").read_bytes().splitlines()) == 21, "20 keys and the header"
    size = path.stat().st_size
    assert measured["peak"] < size / 3, f"{measured['peak']} bytes of memory for a file of {size} bytes"
