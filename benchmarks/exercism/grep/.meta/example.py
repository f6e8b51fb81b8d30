def grep(pattern, flags, files):
    options = set(flags.split())
    ignore_case = "-i" in options
    wanted = pattern.lower() if ignore_case else pattern

    def is_selected(line):
        candidate = line.lower() if ignore_case else line
        matches = candidate == wanted if "-x" in options else wanted in candidate
        return matches != ("-v" in options)

    result = []
    for name in files:
        with open(name) as stream:
            selected = [
                (number, line)
                for number, line in enumerate((raw.rstrip("\n") for raw in stream), start=1)
                if is_selected(line)
            ]
        if "-l" in options:
            if selected:
                result.append(name)
            continue
        for number, line in selected:
            prefix = f"{name}:" if len(files) > 1 else ""
            if "-n" in options:
                prefix += f"{number}:"
            result.append(prefix + line)
    return "".join(f"{entry}\n" for entry in result)
