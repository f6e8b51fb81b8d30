# Strips the blanks around each line together with its newline.
def grep(pattern, flags, files):
    options = flags.split()
    if "-i" in options:
        pattern = pattern.lower()

    output = []
    for name in files:
        with open(name) as stream:
            for number, line in enumerate(stream, start=1):
                line = line.strip()
                text = line.lower() if "-i" in options else line
                found = text == pattern if "-x" in options else pattern in text
                if "-v" in options:
                    found = not found
                if not found:
                    continue
                if "-l" in options:
                    output.append(name)
                    break
                prefix = name + ":" if len(files) > 1 else ""
                if "-n" in options:
                    prefix += str(number) + ":"
                output.append(prefix + line)
    return "".join(line + "\n" for line in output)
