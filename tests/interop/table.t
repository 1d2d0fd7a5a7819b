#!/usr/bin/env python3
"""tests/interop/table: what counts as a failure, what is written, and when the page is not current. With made-up sets: no corpora needed."""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(os.environ.get("JULIA_SOURCE", pathlib.Path(__file__).resolve().parents[2])) / "tests/interop"
sys.path.insert(0, str(HERE.parent / "lib"))
from gateway import Tap  # noqa: E402

PAGE = "before\n<!-- table: make conformance -->\nold\n<!-- end of table -->\nafter\n"
MANIFEST = "file\toperation\texpected\tnote\tparams\na.eml\tcms-verify\tvalid\t\t\nb.eml\tcms-verify\tinvalid\t\t\n"
GOOD = ("one-path\ta.eml\tcms-verify\tvalid\tvalid\tok\t", "one-path\tb.eml\tcms-verify\tinvalid\texpired\tok\t")
DEVIATES = ("one-path\ta.eml\tcms-verify\tvalid\tno-path\tdeviation\tsome reason", GOOD[1])


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="julia-table.") as name:
        base = pathlib.Path(name)
        for folder in ("rows", "corpora/one"):
            (base / folder).mkdir(parents=True)
        page, manifest = base / "page.md", base / "corpora/one/manifest.tsv"
        manifest.write_text(MANIFEST)

        def table(*words, rows=GOOD):
            (base / "rows/x.tsv").write_text("".join(row + "\n" for row in rows))
            done = subprocess.run([HERE / "table", base / "rows", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                                  env=dict(os.environ, JULIA_CORPORA=str(base / "corpora")))
            return done.returncode, done.stdout.decode()

        for what, rows, code in (("as expected", GOOD, 0), ("a deviation", DEVIATES, 0),
                                 ("a failure", (GOOD[0].replace("ok", "FAIL"), GOOD[1]), 1),
                                 ("accepted although invalid", (GOOD[0], GOOD[1].replace("expired", "valid")), 1)):
            tap.ok(table(rows=rows)[0] == code, f"{what}: exit status {code}", table(rows=rows)[1])
        page.write_text(PAGE)
        code, output = table("--write", page, rows=DEVIATES)
        text = page.read_text()
        tap.ok(code == 0 and text.startswith("before\n") and text.endswith("after\n") and "old" not in text, "writes between the marks", output)
        tap.ok("| one-path | 2 | 1 | 1 | 0 |" in text and "Some reason." in text and "| a.eml | 1 | valid | no-path |" in text,
               "... numbers and the reason of each deviation", text)
        tap.ok(table("--check", page, rows=DEVIATES)[0] == 0, "what was written is current")
        code, output = table("--check", page)
        tap.ok(code == 1 and "one-path: 2 1 1 0 there, 2 2 0 0 found" in output, "other numbers than on the page fail", output)
        code, output = table("--check", page, rows=[row.replace("one-path", "one-signature") for row in GOOD])
        tap.ok(code == 1 and "one-signature is not there" in output, "a set that the page lacks fails", output)
        manifest.write_text(MANIFEST + "c.eml\tocsp-verify\tvalid\t\t\n")
        tap.ok(table("--check", page)[0] == 0, "with another manifest there is nothing to compare")
        code, output = table("--write", page)
        tap.ok(code == 0 and "| one | ocsp-verify | 1 | OCSP is not built yet;" in page.read_text(), "what is not built is told", output)
        manifest.write_text(MANIFEST + "c.eml\tcms-wonder\tvalid\t\t\n")
        code, output = table("--write", page)
        tap.ok(code == 1 and "1 rows cms-wonder of one: no runner asks this" in output, "an operation without a runner fails", output)
        page.write_text("no marks\n")
        tap.ok(table("--write", page)[0] == 1 and page.read_text() == "no marks\n", "a page without marks is left alone")
        (base / "rows/x.tsv").unlink()
        done = subprocess.run([HERE / "table", base / "rows"], stdout=subprocess.PIPE, check=False)
        tap.ok(done.returncode == 0 and b"nothing was compared" in done.stdout, "without rows it says so")
    return tap.end()


sys.exit(main())
