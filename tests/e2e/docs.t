#!/usr/bin/env python3
"""README.md, docs/ and contrib/*/README*: every link leads somewhere, every page that is named exists, every parameter is one that julia.conf,
Postfix or Dovecot knows, and the tables that Postfix reads say what the page means."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ.get("JULIA_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
PAGES = sorted([SOURCE / "README.md", *SOURCE.glob("docs/*.md"), *SOURCE.glob("contrib/*/README*")])
OTHERS = {"submission_relay_host", "submission_relay_port"}  # Dovecot's
count = failed = 0


def ok(good, name, *remarks):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    for remark in remarks if not good else ():
        print("#", remark)


def lines_of(page):
    return page.read_text(encoding="utf-8").splitlines()


def blocks(page):
    """Indented lines, without commands and what they print."""
    return [line[4:] for line in lines_of(page) if line.startswith("    ")]


def dead_links(page):
    text = page.read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^):]+)\)", text)]
    dead = [link for link in links if link and not (page.parent / link).exists()]
    named = re.findall(r"(?<![\w/.-])((?:docs|contrib|etc|rules|modules|tests|share)/[\w./*-]*\w\.(?:md|conf|cf|sh|rng|mc))\b", text)
    for name in named:
        installed = name.replace("share/", "etc/", 1) if name.startswith("share/") else name
        if not list(SOURCE.glob(installed)) and not list(SOURCE.glob("contrib/" + name.partition("/")[2])):
            dead.append(name)
    for name in re.findall(r"(?<![\w/.(-])([a-z-]+\.md)\b", text):
        if not (page.parent / name).exists():
            dead.append(name)
    return sorted(set(dead))


def unknown_manuals(page):
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"\b((?:julia|keys-file|trust|mailq-all|deliver-all)[\w.-]*)\(([578])\)", text))
    return sorted("%s(%s)" % name for name in named if not (SOURCE / "man" / ("%s.%s" % name)).exists())


def julia_names():
    names = set()
    for file in SOURCE.glob("etc/*.conf"):
        names |= set(re.findall(r"^#?([A-Z][A-Z0-9_]*) *=", file.read_text(encoding="utf-8"), re.M))
    return names


def unknown_parameters(page, julia, postfix):
    unknown = []
    for line in blocks(page):
        found = re.match(r"#?([A-Z][A-Z0-9_]+) *= ", line)
        if found and found[1] not in julia and not found[1].startswith("PROFILE_"):
            unknown.append(found[1])
        found = re.match(r"([a-z][a-z0-9_]+) = ", line)
        if found and postfix and found[1] not in postfix | OTHERS and not found[1].startswith("julia_"):
            unknown.append(found[1])
    return sorted(set(unknown))


def postfix_names():
    if shutil.which("postconf") is None:
        return set()
    printed = subprocess.run(["postconf", "-d"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True).stdout
    return set(re.findall(r"^(\w+) =", printed, re.M))


def check_maps(page, config):
    """The inline tables, asked for what they are for. A Postfix that was only installed has no configuration: it gets an empty one."""
    pathlib.Path(config, "main.cf").touch()
    for line in blocks(page):
        found = re.match(r"(\w+_maps) = (inline:\{.*\})$", line)
        if found:
            answer = subprocess.run(["postmap", "-c", config, "-q", "behoerde.de", found[2]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            ok(re.fullmatch(r"smtp:\[10[0-9.]+\]:25\n", answer.stdout), "%s: %s" % (page.name, line), answer.stdout)


def missing_tests(page):
    """Tests that a page names as FILE.t, FUNCTION, FUNCTION; or as unit test-NAME."""
    missing = []
    text = page.read_text(encoding="utf-8")
    for file, functions in re.findall(r"\b([\w-]+\.t)((?:, \w+)*)", text):
        paths = [path for path in (SOURCE / "tests" / folder / file for folder in ("e2e", "interop")) if path.exists()]
        code = paths[0].read_text(encoding="utf-8") if paths else ""
        missing += [file] if not code else [f"{file}, {name}" for name in functions.split(", ")[1:] if f"def {name}(" not in code]
    return sorted(set(missing + [name for name in re.findall(r"\btest-[\w-]+", text) if not (SOURCE / f"tests/unit/{name}.c").exists()]))


julia, postfix = julia_names(), postfix_names()
for page in PAGES:
    name = page.relative_to(SOURCE)
    ok(not dead_links(page), "%s: links and files" % name, *dead_links(page))
    ok(not unknown_manuals(page), "%s: manual pages" % name, *unknown_manuals(page))
    ok(not unknown_parameters(page, julia, postfix), "%s: parameters" % name, *unknown_parameters(page, julia, postfix))
ok(not missing_tests(SOURCE / "docs/attacks.md"), "docs/attacks.md: its tests", *missing_tests(SOURCE / "docs/attacks.md"))
if postfix:
    with tempfile.TemporaryDirectory() as directory:
        check_maps(SOURCE / "docs/existing-servers.md", directory)
print("1..%d" % count)
sys.exit(1 if failed else 0)
