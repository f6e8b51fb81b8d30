# Treats the pattern as a regular expression instead of a plain string.
import re


def grep(pattern, flags, files):
    options = flags.split()
    regex = re.compile(pattern, re.IGNORECASE if "-i" in options else 0)
    find = regex.fullmatch if "-x" in options else regex.search
    invert = "-v" in options

    output = []
    for name in files:
        with open(name) as stream:
            lines = stream.read().splitlines()
        for number, line in enumerate(lines, start=1):
            if bool(find(line)) == invert:
                continue
            if "-l" in options:
                output.append(name)
                break
            parts = []
            if len(files) > 1:
                parts.append(name)
            if "-n" in options:
                parts.append(str(number))
            parts.append(line)
            output.append(":".join(parts))
    return "".join(line + "\n" for line in output)
