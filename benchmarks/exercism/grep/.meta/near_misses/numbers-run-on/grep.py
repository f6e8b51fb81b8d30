# Does not start the line numbers anew in each file.
def grep(pattern, flags, files):
    show_number, names_only, ignore_case, invert, whole_line = (
        flag in flags.split() for flag in ("-n", "-l", "-i", "-v", "-x")
    )
    needle = pattern.casefold() if ignore_case else pattern
    output = []
    number = 0

    for name in files:
        hits = 0
        with open(name) as stream:
            for raw in stream:
                number += 1
                line = raw.rstrip("\n")
                text = line.casefold() if ignore_case else line
                found = text == needle if whole_line else needle in text
                if found == invert:
                    continue
                hits += 1
                if names_only:
                    continue
                if show_number:
                    line = f"{number}:{line}"
                if len(files) > 1:
                    line = f"{name}:{line}"
                output.append(line + "\n")
        if names_only and hits:
            output.append(name + "\n")

    return "".join(output)
