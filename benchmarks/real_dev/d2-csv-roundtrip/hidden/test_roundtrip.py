from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from members import main
from model import FormatError, Member
from storage import dumps, export_file, import_file, loads

HEADER = "number,name,email,postal_code,joined,fee,note\r\n"
ANA = Member("A12", "Ortiz, Ana", "ana@example.org", "01067", date(2019, 4, 1), Decimal("12.50"), None)

TEXTS = {
    "two lines": "first\nsecond",
    "CRLF": "first\r\nsecond",
    "CR alone": "first\rsecond",
    "blank lines": "\n\nfirst\r\n\r\n",
    "other separators": "a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g",
    "quotes": 'the "old" shed',
    "only a quote": '"',
    "quote at the end": 'a 5"',
    "quotes, commas and line breaks": '",\n"",\r\n,"',
    "blanks at both ends": "  padded\t",
    "only blanks": "   ",
    "zeros": "000120",
    "null": "NULL",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_text_comes_back_by_way_of_a_file(tmp_path, text):
    members = [replace(ANA, note=text), replace(ANA, number=text, name=text, email=text, postal_code=text), ANA]
    export_file(members, tmp_path / "members.csv")
    assert import_file(tmp_path / "members.csv") == members
    assert loads(dumps(members)) == members


def test_empty_and_missing_texts_come_back_as_what_they_are():
    members = [replace(ANA, email=""), replace(ANA, email=None), replace(ANA, number="", note=""), Member(), Member("")]
    assert loads(dumps(members)) == members


@pytest.mark.parametrize("fee", ["0", "0.00"])
def test_amounts_come_back_with_their_decimals(fee):
    (member,) = loads(dumps([replace(ANA, fee=Decimal(fee), joined=None)]))
    assert (str(member.fee), member.joined) == (fee, None)


def test_a_missing_field_is_written_as_nothing_and_an_empty_text_as_two_quotes():
    assert dumps([Member("1", name="", email=None)]) == HEADER + '1,"",,,,,\r\n'


def test_the_file_has_crlf_and_quotes_only_where_they_are_needed(tmp_path):
    members = [ANA, replace(ANA, note="a\nb", name='Bo "Z" Lind')]
    export_file(members, tmp_path / "members.csv")
    assert (tmp_path / "members.csv").read_bytes() == HEADER.encode() + (
        b'A12,"Ortiz, Ana",ana@example.org,01067,2019-04-01,12.50,\r\n'
        b'A12,"Bo ""Z"" Lind",ana@example.org,01067,2019-04-01,12.50,"a\nb"\r\n'
    )


@pytest.mark.parametrize("end", ["\r\n", "\n"], ids=["CRLF", "LF"])
def test_files_with_either_line_end_are_read(tmp_path, end):
    text = end.join(["\ufeffnote,extra,number", "", '"x\r\ny",1,007', "", ",,", '" ""q"" ",,""'])
    (tmp_path / "members.csv").write_bytes(text.encode())
    assert import_file(tmp_path / "members.csv") == [Member("007", note="x\r\ny"), Member(), Member("", note=' "q" ')]


@pytest.mark.parametrize(
    "row", ["A1,b", "A1,b,,d", "A1,b,2019-02-30"], ids=["too few fields", "too many fields", "no such day"]
)
def test_errors_name_the_record(row):
    good = 'A1,"several\r\n\r\nlines",\r\n\r\n'
    with pytest.raises(FormatError, match=r"\b8\b"):
        loads("number,name,joined\r\n\r\n" + 7 * good + row + "\r\n")


def test_the_sample_stays_as_it_is_when_it_is_converted(tmp_path, capsys):
    sample = Path("samples/members.csv")
    assert main(["convert", str(sample), str(tmp_path / "out.csv")]) == 0
    assert (tmp_path / "out.csv").read_bytes() == sample.read_bytes()
    assert main(["count", str(tmp_path / "out.csv")]) == 0
    assert capsys.readouterr().out == "2\n"
