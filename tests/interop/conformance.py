"""What the conformance runners share: the corpora's manifests, deviations with their reasons, and the rows that tests/interop/table reads.

A row that is not as expected stands in deviations-NAME.tsv (set, file, operation, params, got, reason; params "*" is any). One that is
missing there fails, and so does one that stands there and does not happen. What is accepted although it is invalid always fails, unless
the corpus's own note leaves it to the application."""
import csv
import os
import pathlib
import re
import shlex
import sys

CORPORA = pathlib.Path(os.environ["JULIA_CORPORA"])
SOURCE = pathlib.Path(os.environ.get("JULIA_SOURCE", "."))
MUST_FAIL = ("invalid", "decrypt-fail")
LEFT_OPEN = re.compile(r"applications? may decide|gracefully handled")


def rows_of(corpus):
    """The rows of a set's manifest; none if the set is not there."""
    path = CORPORA / corpus / "manifest.tsv"
    if path.exists():
        with open(path, newline="", encoding="utf-8") as manifest:
            yield from csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE)


def parameters(row):
    """The words of column params: NAME=VALUE, or NAME alone, which is "yes"."""
    return dict(word.split("=", 1) if "=" in word else (word, "yes") for word in shlex.split(row["params"] or ""))


class Rows:
    """Prints a row for each `add`: set, file, operation, expected, got, result, reason of the deviation."""

    def __init__(self, name):
        self.verbose = "-v" in sys.argv[1:]
        self.failed, self.seen, self.used = 0, set(), set()
        self.deviations = {}
        path = SOURCE / f"tests/interop/deviations-{name}.tsv"
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            columns = line.split("\t")
            if line and not line.startswith("#") and columns[0] != "set":
                self.deviations[tuple(columns[:4])] = (columns[4], columns[5])

    def add(self, shown, corpus, row, expected, got, good, detail=""):
        """`shown` is the set's name in the table."""
        keys = [(corpus, row["file"], row["operation"], params) for params in (row["params"], "*")]
        self.seen.update(keys)
        reason = "" if good else self._reason(keys, expected, got, row["note"])
        result = "ok" if good else "deviation" if reason else "FAIL"
        self.failed += result == "FAIL"
        print(shown, row["file"], row["operation"], expected, got, result, reason, sep="\t", flush=True)
        if self.verbose or result == "FAIL":
            print(f"{result}: {corpus} {row['file']} {row['operation']}: expected {expected}, got {got}{': ' if detail else ''}{detail}\n"
                  f"  {row['note']}\n  {row['params']}", file=sys.stderr)

    def _reason(self, keys, expected, got, note):
        if expected in MUST_FAIL and not LEFT_OPEN.search(note):
            return ""
        for key in keys:
            if key in self.deviations and self.deviations[key][0] == got:
                self.used.add(key)
                return self.deviations[key][1]
        return ""

    def end(self):
        """The exit status."""
        for key in self.deviations:
            if key in self.seen and key not in self.used:
                self.failed += 1
                print(*key[:3], "-", "deviation is listed, but there is none", "FAIL", "", sep="\t")
        return 1 if self.failed else 0
