from pathlib import Path

import pytest
from lines import CHUNK_SIZE, iter_lines
from main import main
from report import error_kinds
from worker_log import parse, read_log

TRACEBACK = "Traceback (most recent call last):"


def first(worker, text, level="ERROR", second=0):
    return f"2024-05-17T09:14:{second:02}.120Z {worker} {level} billing: {text}"


def further(worker, *texts):
    return [f"... {worker} | {text}" for text in texts]


def messages(log):
    return [record.message for record in log.records]


def kinds(*texts, level="ERROR"):
    return error_kinds(parse([first("w", "failed", level), *further("w", *texts)]).records)


def test_the_sample_is_read_completely():
    log = read_log(Path("samples/workers.txt"))
    assert [(record.worker, record.level, record.service, len(record.lines)) for record in log.records] == [
        ("worker-2", "ERROR", "billing", 4),
        ("worker-1", "INFO", "mail.out", 1),
        ("worker-1", "WARN", "mail.out", 1),
    ]
    assert log.records[0].lines[3] == "CardDeclined: limit reached"
    assert log.records[2].time == "2024-05-17T09:14:05.002Z"
    assert log.stray == []
    assert error_kinds(log.records) == {"CardDeclined": 1}


def test_further_lines_belong_to_the_latest_record_of_their_worker():
    log = parse(
        [
            first("a", "one"),
            first("b", "two"),
            *further("a", "one, line 2"),
            first("c", "three"),
            *further("b", "two, line 2"),
            *further("a", "one, line 3"),
            first("a", "four"),
            *further("b", "two, line 3"),
            *further("a", "four, line 2"),
        ]
    )
    assert messages(log) == [
        "one\none, line 2\none, line 3",
        "two\ntwo, line 2\ntwo, line 3",
        "three",
        "four\nfour, line 2",
    ]
    assert log.stray == []


def test_records_are_in_the_order_of_their_first_lines():
    log = parse([first("b", "1"), first("a", "2"), first("a", "3"), first("c", "4"), first("b", "5"), first("a", "6")])
    assert messages(log) == ["1", "2", "3", "4", "5", "6"]


def test_the_last_records_of_all_workers_are_there():
    log = parse([first("a", "1"), first("b", "2"), *further("b", "x"), *further("a", "y")])
    assert messages(log) == ["1\ny", "2\nx"]
    assert messages(parse([first("a", "alone")])) == ["alone"]


def test_texts_keep_their_blanks_and_empty_lines():
    lines = [first("a", "  indented "), *further("a", "    return x", "", "\ttab ", " "), "... a |", "... a |  two"]
    assert parse(lines).records[0].lines == ["  indented ", "    return x", "", "\ttab ", " ", "", " two"]


def test_a_text_that_looks_like_another_line_is_text():
    quoted = [first("b", "quoted"), "... b | quoted", "... a | quoted"]
    log = parse(
        [first("b", "before"), first("a", quoted[0]), *further("a", *quoted), *further("a", "> " + quoted[0], "end")]
    )
    assert messages(log) == ["before", "\n".join([quoted[0], *quoted, "> " + quoted[0], "end"])]
    assert log.stray == []


def test_lines_that_belong_to_no_record_are_stray():
    lines = [
        *further("a", "rotated away"),
        "",
        first("b", "one"),
        *further("a", "still rotated away"),
        "libpng warning",
        "  " + first("b", "shifted"),
        *further("b", "two"),
        "",
    ]
    log = parse(lines)
    assert messages(log) == ["one\ntwo"]
    assert log.stray == [lines[0], lines[3], "libpng warning", lines[5]]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_lines_do_not_depend_on_the_chunks(size):
    text = "Müller\n\n日本 €\r\nform\x0cfeed\x85next\u2028line\rend\n😀"
    data = text.encode()
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    assert list(iter_lines(chunks)) == text.split("\n")


def test_bytes_that_are_not_utf_8_are_replaced():
    assert list(iter_lines([b"a\xffb\nc\xc3", b"\nd\n"])) == ["a\ufffdb", "c\ufffd", "d"]
    assert list(iter_lines([b"a\n", b"b\xe2\x82"])) == ["a", "b\ufffd"]
    assert list(iter_lines([])) == []


def test_a_large_file_without_a_last_newline_is_read_completely(tmp_path):
    path = tmp_path / "workers.txt"
    lines = [first("a", f"Müller, Größe {n}") if n % 7 == 0 else f"... a | Müller, Größe {n}" for n in range(900)]
    path.write_bytes("\n".join(lines).encode())
    assert path.stat().st_size > 5 * CHUNK_SIZE
    log = read_log(path)
    assert "\n".join(messages(log)) == "\n".join(f"Müller, Größe {n}" for n in range(900))


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        ("CardDeclined: limit reached", "CardDeclined"),
        ("billing.errors.CardDeclined: code: 7", "billing.errors.CardDeclined"),
        ("KeyboardInterrupt", "KeyboardInterrupt"),
        ("ValueError: ", "ValueError"),
    ],
)
def test_the_kind_stands_at_the_end_of_the_traceback(end, kind):
    assert kinds(TRACEBACK, '  File "x.py", line 1, in f', "    raise ValueError: no", end) == {kind: 1}


def test_the_message_of_an_error_may_have_several_lines():
    texts = [TRACEBACK, '  File "x.py", line 1, in f', "Refused: first", "second: line", "", "KeyError: quoted"]
    assert kinds(*texts) == {"Refused": 1}


def test_the_last_of_several_tracebacks_counts():
    texts = [TRACEBACK, "  File 1", "KeyError: 'a'", ""]
    texts += ["During handling of the above exception, another exception occurred:", ""]
    texts += [TRACEBACK, "  File 2", "PaymentFailed: order 12", "retried: no"]
    assert kinds(*texts) == {"PaymentFailed": 1}


def test_a_traceback_without_an_end_does_not_count():
    assert kinds(TRACEBACK, "  File 1", "KeyError: 'a'", TRACEBACK, "  File 2") == {"KeyError": 1}
    assert kinds(TRACEBACK, "  File 1") == {None: 1}


def test_without_a_traceback_there_is_no_kind():
    assert kinds("ValueError is what you get for an empty list", "KeyError: 'a'") == {None: 1}
    assert kinds() == {None: 1}


def test_only_errors_are_counted_and_each_once():
    lines = []
    for n, (level, end) in enumerate([("ERROR", "A: 1"), ("WARN", "B: 2"), ("ERROR", "A: 3"), ("ERROR", "C")]):
        lines += [first("w", "failed", level, n), *further("w", TRACEBACK, "  File", end)]
    assert error_kinds(parse(lines).records) == {"A": 2, "C": 1}


def test_the_command_prints_what_it_has_counted(tmp_path, capsys):
    path = tmp_path / "workers.txt"
    lines = [first("a", "x"), first("b", "y"), *further("a", TRACEBACK, "  File", "Gone: 1"), "?", first("b", "z")]
    path.write_text("\n".join(lines))
    assert main([str(path)]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["2", "(no", "traceback)"],
        ["1", "Gone"],
        ["1", "stray", "lines"],
    ]
