"""Pages of which a part is written by a program: what stands between two marks, each a line of its own."""
import sys


def replace(file, begin, end, text):
    """Puts `text` between the lines `begin` and `end` of `file`; false, with a remark, when they are not there."""
    before, _, rest = file.read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        print(f"{sys.argv[0]}: {file} has no line {end.strip()} behind a line {begin.strip()}", file=sys.stderr)
        return False
    file.write_text(before + begin + "\n" + text + "\n" + end + after, encoding="utf-8")
    return True
