# With -x the comparison is always case-sensitive, even if -i is given.
def build_matcher(pattern, options):
    if "-x" in options:
        return lambda line: line == pattern
    if "-i" in options:
        return lambda line: pattern.lower() in line.lower()
    return lambda line: pattern in line


def grep(pattern, flags, files):
    options = flags.split()
    matcher = build_matcher(pattern, options)
    output = []
    for name in files:
        with open(name) as stream:
            lines = stream.read().splitlines()
        for number, line in enumerate(lines, start=1):
            if matcher(line) == ("-v" in options):
                continue
            if "-l" in options:
                output.append(name)
                break
            if "-n" in options:
                line = f"{number}:{line}"
            if len(files) > 1:
                line = f"{name}:{line}"
            output.append(line)
    return "\n".join(output) + "\n" if output else ""
