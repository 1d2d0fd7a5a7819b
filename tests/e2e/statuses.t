#!/usr/bin/env python3
"""docs/statuses.md is the one table of statuses. julia-status(5), the templates and the program say the same: every word stands in all of them, with
the same words for readers, cause, remedy and result, and nothing stands in one of them only."""
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from gateway import SOURCE, Tap  # noqa: E402

KINDS = {"encryption": "X-JULIA-Encryption", "signature": "X-JULIA-Signature"}
TEMPLATES = SOURCE / "etc/templates"


def plain(text):
    return " ".join(text.replace("`", "").replace("\u00a0", " ").split())


def tables():
    """Heading -> rows, each a list of cells, without the head of the table."""
    found = {}
    heading = None
    for line in (SOURCE / "docs/statuses.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("|"):
            found.setdefault(heading, []).append([plain(cell) for cell in line.strip("|").split("|")])
    return {heading: rows[2:] for heading, rows in found.items()}


def c_strings(file, name):
    """The strings in an array of a C file, in their order."""
    text = (SOURCE / file).read_text(encoding="utf-8")
    body = re.search(re.escape(name) + r"(?:\[\w*\])+ = \{(.*?)\};", text, re.S)[1]
    return [part.encode().decode("unicode_escape").encode("latin-1").decode() for part in re.findall(r'"((?:[^"\\]|\\.)*)"', body)]


def function(file, name):
    """The text of a C function."""
    text = (SOURCE / file).read_text(encoding="utf-8")
    return re.search(r"^[^\n;]*\b" + name + r"\([^;{]*\)\n\{.*?^\}", text, re.S | re.M)[0]


def strings_in(text):
    return re.findall(r'"([^"]+)"', text)


def manual():
    """Section -> word -> what the page says about it, on one line."""
    done = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=900", str(SOURCE / "man/julia-status.5")], stdout=subprocess.PIPE, check=True)
    text = re.sub(".\b", "", done.stdout.decode())
    found, section, word = {}, None, None
    for line in text.splitlines():
        if re.match(r" {0,3}\S", line):
            section, word = line.strip(), None
        elif re.match(r" {5}\S", line):
            word, _, rest = line.strip().partition(" ")
            if rest and not line[5:].startswith(word + "  "):  # a paragraph
                word = None
                continue
            found.setdefault(section, {})[word] = plain(rest)
        elif word is not None and line.startswith(" " * 13):
            found[section][word] = plain(found[section][word] + " " + line)
    return found


def words_of(language, kind, word):
    path = TEMPLATES / language / f"{kind}-{word}.txt"
    if not path.exists():
        return None, ""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return lines[0], "\n".join(lines[2:]) if len(lines) > 2 and not lines[1] else ""


def same(tap, one, other, what):
    one, other = sorted(one), sorted(other)
    tap.ok(one == other, what, f"only here: {sorted(set(one) - set(other))}; only there: {sorted(set(other) - set(one))}")


def check_statuses(tap, kind, rows, page):
    program = strings_in(function("src/incoming/status.c", f"status_{kind}_word"))
    same(tap, [row[0] for row in rows], program, f"{kind}: the table has the words of the program")
    same(tap, page, program, f"{kind}: julia-status(5), too")
    for language in ("en", "de"):
        files = [path.stem.partition("-")[2] for path in TEMPLATES.glob(f"{language}/{kind}-*.txt")]
        same(tap, files, program, f"{kind}: so have the templates, {language}")
    for word, english, german, cause, remedy, result in rows:
        said = page.get(word, "")
        for language, want in (("en", english), ("de", german)):
            words, meaning = words_of(language, kind, word)
            tap.ok(words == want and meaning, f"{kind} {word}: {language}, as the template says", f"{words!r} {want!r}")
        tap.ok(said.startswith(f"\u201c{english}\u201d, \u201c{german}\u201d. {cause}"), f"{kind} {word}: words and cause in the manual", said)
        tap.ok(f"Administrator: {remedy}" in said, f"{kind} {word}: what an administrator does", said)
        tap.ok(result == "no field" and "smime=" not in said or f"smime={result}." in said, f"{kind} {word}: Authentication-Results", said)


def check_results(tap, rows):
    """The result for each word, as status.c has it; a missing certificate has its own."""
    text = function("src/incoming/status.c", "status_smime_result")
    results = strings_in(text[text.index("results[]"):text.index("};")])
    words = strings_in(function("src/incoming/status.c", "status_signature_word"))
    want = dict(zip(words, results, strict=True))
    want.update(none="no field", unknown="temperror, or permerror without its certificate")
    tap.ok({row[0]: row[5] for row in rows} == want and '"permerror"' in text, "the results are those of the program", want)


def check_tags(tap, rows):
    for kind in KINDS:
        words = strings_in(function("src/incoming/status.c", f"status_{kind}_word"))[1:]
        tags = c_strings("src/incoming/subjecttag.c", f"{kind}_tags")
        want = [[f"{kind} {word}", *pair] for word, pair in zip(words, zip(tags[::2], tags[1::2]), strict=True)]
        tap.ok([row for row in rows if row[0].startswith(kind)] == want, f"{kind}: Subject tags", want)


def check_verdicts(tap, rows, page):
    schema = (SOURCE / "modules/protocol.rng").read_text(encoding="utf-8")
    verdicts = re.findall(r"<value>([\w-]+)</value>", re.search(r'<define name="verdict-word">(.*?)</define>', schema, re.S)[1])
    same(tap, [row[0] for row in rows], verdicts, "verdicts: the table has the words of the protocol")
    same(tap, page, verdicts, "verdicts: julia-status(5), too")
    text = function("src/incoming/signerstatus.c", "signerstatus_word")
    program = {verdict: name.lower().replace("_", "-") for verdict, name in re.findall(r'\{"([\w-]+)", STATUS_(\w+)\}', text)}
    for verdict, word, cause, remedy in rows:
        want = "valid or valid-other-address" if verdict == "valid" else program.get(verdict, "untrusted")
        tap.ok(word == want, f"{verdict}: {want}", word)
        tap.ok(page.get(verdict) == f"{cause} Administrator: {remedy}", f"{verdict}: cause and remedy in the manual", page.get(verdict))
    trust = (SOURCE / "man/julia-trust.8").read_text(encoding="utf-8")
    section = trust[trust.index(".Ss Verdicts"):]
    missing = [verdict for verdict in verdicts if not re.search(rf"^\.It Cm .*\b{verdict}\b", section, re.M)]
    tap.ok(not missing, "julia-trust(8) explains all of them", missing)


def main():
    tap = Tap()
    found, page = tables(), manual()
    for kind, field in KINDS.items():
        check_statuses(tap, kind, found[field], page[field])
    check_results(tap, found["X-JULIA-Signature"])
    check_tags(tap, found["Subject tags"])
    check_verdicts(tap, found["Verdicts about certificates"], page["Verdicts"])
    return tap.end()


sys.exit(main())
