#!/usr/bin/env python3
"""document.py FILE HEADING FOLDER    the commands of a section of a Markdown file (see tests/e2e/document.sh): for the n-th one
                                   FOLDER/nnn.command, nnn.prints and nnn.about (the paragraph before its block)
document.py --same PRINTS PRINTED  is this what the document says? … stands for anything, in a line of its own for any lines.
Exit status: 0 fine, 1 not the same, or no command found, 2 usage."""
import pathlib
import re
import sys

INDENT = "    "


def section(text, heading):
    """Its lines: up to the next heading of the same or a higher level."""
    lines, level = [], 0
    for line in text.splitlines():
        found = re.match(r"(#+) ", line)
        if found and level and len(found[1]) <= level:
            return lines
        if not level and re.search(heading, line):
            level = len(found[1]) if found else 1
        elif level:
            lines.append(line)
    return lines


def commands(lines):
    """(about, command, prints) of each."""
    about, current, gap = "", None, True
    for line in lines:
        if line.startswith(INDENT + "$ "):
            current = [about, line[len(INDENT) + 2:], []]
            yield current
        elif line.startswith(INDENT) and current is not None:
            if current[1].endswith("\\") and not current[2]:
                current[1] += "\n" + line[len(INDENT):]
            else:
                current[2].append(line[len(INDENT):])
        elif not line.strip():
            gap = True
        elif not line.startswith(INDENT):
            about = line.strip() if gap else about + " " + line.strip()
            current, gap = None, False


def words(line):
    return " ".join(line.split())


def same(prints, printed):
    expression = ""
    for line in prints:
        if words(line) == "…":
            expression += r"(?:.*\n)*?"
        else:
            expression += ".*".join(re.escape(part) for part in words(line).split("…")) + "\n"
    return re.fullmatch(expression, "".join(words(line) + "\n" for line in printed)) is not None


def main(argv):
    if len(argv) == 4 and argv[1] == "--same":
        prints, printed = (pathlib.Path(name).read_text(encoding="utf-8", errors="replace").splitlines() for name in argv[2:])
        return 0 if same(prints, printed) else 1
    if len(argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    count = 0
    # All at once: a command's lines are complete only when the next one is reached.
    for about, command, prints in list(commands(section(pathlib.Path(argv[1]).read_text(encoding="utf-8"), argv[2]))):
        count += 1
        for kind, text in (("about", about), ("command", command), ("prints", "\n".join(prints))):
            pathlib.Path(argv[3], "%03d.%s" % (count, kind)).write_text(text + "\n" if text else "", encoding="utf-8")
    return 0 if count else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
