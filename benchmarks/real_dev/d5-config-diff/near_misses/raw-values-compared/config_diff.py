"""Compare the settings of two configuration files."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from dataclasses import dataclass
from fnmatch import fnmatchcase

SECRET_GLOBS = ("*password*", "*secret*", "*token*", "*_key")
MASK = "***"

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
ASSIGNMENT = re.compile(rf"[ \t]*(?:export[ \t]+)?(?P<name>{NAME})=[ \t]*(?P<rest>.*)", re.DOTALL)
TAIL = r"(?:[ \t]+#.*|[ \t]*)"
SINGLE_QUOTED = re.compile(r"'(?P<value>[^']*)'" + TAIL, re.DOTALL)
DOUBLE_QUOTED = re.compile(r'"(?P<value>(?:[^"\\]|\\.)*)"' + TAIL, re.DOTALL)
UNQUOTED = re.compile(r"(?P<value>(?:[^'\"].*?)??)" + TAIL, re.DOTALL)
ESCAPE = r'\\(?P<escaped>["\\$n])|'
REFERENCE = rf"\$\{{(?P<name>{NAME})(?P<default>:-(?P<text>[^${{}}\"\\]*))?\}}|(?P<broken>\$\{{)"
INI_REFERENCE = re.compile(r"%%|%\((?P<name>[^)]+)\)s")


class BrokenConfig(Exception):
    """A configuration file that has no meaning. The message contains no value."""


@dataclass(frozen=True)
class Setting:
    value: str
    secret: bool
    raw: str = ""

    def shown(self) -> str:
        return MASK if self.secret else json.dumps(self.value)


IsSecret = Callable[[str], bool]


class EnvFile:
    """The assignments of a .env file; `setting` works out what a name stands for."""

    def __init__(self, text: str, is_secret: IsSecret) -> None:
        self._is_secret = is_secret
        self._raw: dict[str, tuple[str, re.Pattern[str] | None]] = {}
        self._settings: dict[str, Setting] = {}
        self._open: set[str] = set()
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip(" \t") and not line.lstrip(" \t").startswith("#"):
                self._assign(line, number)

    def _assign(self, line: str, number: int) -> None:
        assignment = ASSIGNMENT.fullmatch(line)
        if not assignment:
            raise BrokenConfig(f"line {number} is not an assignment")
        name, rest = assignment["name"], assignment["rest"]
        forms = {
            SINGLE_QUOTED: None,
            DOUBLE_QUOTED: re.compile(ESCAPE + REFERENCE),
            UNQUOTED: re.compile(REFERENCE),
        }
        if rest.startswith("#") and assignment.end("name") + 1 < assignment.start("rest"):
            rest = ""
        for form, references in forms.items():
            match = form.fullmatch(rest)
            if match:
                self._raw[name] = match["value"], references
                return
        raise BrokenConfig(f"the value in line {number} is not of a known form")

    def settings(self) -> dict[str, Setting]:
        return {name: self.setting(name) for name in self._raw}

    def setting(self, name: str) -> Setting:
        if name not in self._settings:
            if name in self._open:
                raise BrokenConfig(f"{name} refers to itself")
            self._open.add(name)
            self._settings[name] = self._resolve(name)
            self._open.remove(name)
        return self._settings[name]

    def _resolve(self, name: str) -> Setting:
        raw, references = self._raw[name]
        secret = self._is_secret(name)

        def replace(match: re.Match[str]) -> str:
            nonlocal secret
            groups = match.groupdict()
            if groups.get("escaped"):
                return groups["escaped"].replace("n", "\n")
            if groups["broken"]:
                raise BrokenConfig(f"broken reference in {name}")
            secret = secret or self._is_secret(groups["name"])
            value = ""
            if groups["name"] in self._raw:
                target = self.setting(groups["name"])
                secret = secret or target.secret
                value = target.value
            elif groups["default"] is None:
                raise BrokenConfig(f"{name} refers to {groups['name']}, which is not in the file")
            return value or groups["text"] or ""

        value = references.sub(replace, raw) if references else raw
        return Setting(value, secret, value)


def ini_settings(text: str, is_secret: IsSecret) -> dict[str, Setting]:
    parser = ConfigParser()

    def reveals_secret(section: str, key: str) -> bool:
        names = (match["name"] for match in INI_REFERENCE.finditer(parser.get(section, key, raw=True)))
        return is_secret(key) or any(reveals_secret(section, parser.optionxform(name)) for name in names if name)

    try:
        parser.read_string(text)
        return {
            f"{section}.{key}": Setting(
                parser.get(section, key), reveals_secret(section, key), parser.get(section, key, raw=True)
            )
            for section in parser.sections()
            for key in parser.options(section)
        }
    except ConfigParserError as error:
        raise BrokenConfig(f"not a proper INI file ({type(error).__name__})") from None


def load(path: str, is_secret: IsSecret) -> dict[str, Setting]:
    with open(path, encoding="utf-8", newline="\n") as handle:
        text = handle.read()
    if path.lower().endswith((".ini", ".cfg")):
        return ini_settings(text, is_secret)
    return EnvFile(text, is_secret).settings()


def differences(old: dict[str, Setting], new: dict[str, Setting]) -> list[str]:
    lines = []
    for key in sorted(old.keys() | new.keys()):
        if key not in new:
            lines.append(f"- {key} = {old[key].shown()}")
        elif key not in old:
            lines.append(f"+ {key} = {new[key].shown()}")
        elif old[key].raw != new[key].raw:
            lines.append(f"~ {key} = {old[key].shown()} -> {new[key].shown()}")
    return lines


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="config_diff", description=__doc__)
    parser.add_argument("--mask", metavar="GLOB", action="append", default=[])
    parser.add_argument("old", metavar="OLD")
    parser.add_argument("new", metavar="NEW")
    args = parser.parse_args(argv)
    globs = [glob.lower() for glob in (*SECRET_GLOBS, *args.mask)]

    def is_secret(name: str) -> bool:
        return any(fnmatchcase(name.lower(), glob) for glob in globs)

    configs = []
    for path in (args.old, args.new):
        try:
            configs.append(load(path, is_secret))
        except OSError as error:
            print(f"config_diff: {path}: {error.strerror}", file=sys.stderr)
            return 2
        except UnicodeDecodeError:
            print(f"config_diff: {path}: not UTF-8", file=sys.stderr)
            return 2
        except BrokenConfig as error:
            print(f"config_diff: {path}: {error}", file=sys.stderr)
            return 2

    lines = differences(*configs)
    sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode("utf-8"))
    sys.stdout.flush()
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
