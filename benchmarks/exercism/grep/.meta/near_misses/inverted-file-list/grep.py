# With -l and -v it names the files without any match, not those with at least one line that does not match.
def matches(line, pattern, options):
    if "-i" in options:
        line, pattern = line.lower(), pattern.lower()
    return line == pattern if "-x" in options else pattern in line


def grep(pattern, flags, files):
    options = flags.split()
    invert = "-v" in options
    output = ""
    for name in files:
        with open(name) as stream:
            lines = stream.read().splitlines()

        if "-l" in options:
            found = any(matches(line, pattern, options) for line in lines)
            if found != invert:
                output += f"{name}\n"
            continue

        for number, line in enumerate(lines, start=1):
            if matches(line, pattern, options) == invert:
                continue
            if len(files) > 1:
                output += f"{name}:"
            if "-n" in options:
                output += f"{number}:"
            output += f"{line}\n"
    return output
