#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check.py KIND FILE... - is a rendering what it says that it is? By readers that others wrote.

  markdown FILE [MAX]   rendered by cmark-gfm: no tag but ours, no word from outside where a reader would make something of it,
                        everything that is opened is closed, at most MAX bytes
  schema SCHEMA FILE    JSON against a JSON Schema, by python3-jsonschema
  github FILE           every line is a workflow command of the three kinds that annotate
  text FILE             no line that a build service would obey, no control byte

Ends with 0 when all is well; says what is wrong otherwise.
"""
import html.parser
import json
import re
import subprocess
import sys

OURS = {"code", "pre", "p", "h2", "h3", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "strong", "b",
        "details", "summary"}
TABLE_BARS = 7  # six columns
# Where a host of Git repositories makes a mention, a reference or a link of words, or a page something else of them.
ACTIVE = re.compile(r"[@#!$~%&]\w|https?:|www\.|javascript:|::|\b[A-Z]+-\d|[0-9a-f]{7,}|[<>|\[\]`]|&[a-z]+;|\*\*|[^\x00-\x7f]")


class Reader(html.parser.HTMLParser):
    """Collects what is wrong in HTML that was made of Markdown."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.wrong, self.details = [], [], 0

    def handle_starttag(self, tag, attrs):
        if tag not in OURS:
            self.wrong.append(f"a tag that is not ours: <{tag}>")
        for name, value in attrs:
            if (name, value) not in {("align", "right"), ("class", "language-diff"), ("class", "language-mermaid")}:
                self.wrong.append(f"an attribute that is not ours: {name}={value}")
        if tag == "details":
            self.details += 1
        self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> closes {self.open[-1:] or 'nothing'}")
        else:
            self.open.pop()

    def handle_comment(self, data):
        if not re.fullmatch(r" s2sctl (plan|journal) [A-Za-z0-9._~%/-]* ", data) or "--" in data.strip():
            self.wrong.append(f"a comment that is not ours: {data[:80]}")

    def handle_data(self, data):
        if "code" in self.open:
            return
        found = ACTIVE.search(data)
        if found:
            self.wrong.append(f"words that may act: {data[max(0, found.start() - 20):found.end() + 20]!r}")


def check_markdown(path, limit=65536):
    raw = open(path, "rb").read()
    page = subprocess.run(["cmark-gfm", "--unsafe", "-e", "table", "-e", "autolink", "-e", "strikethrough", path],
                          check=True, capture_output=True, text=True).stdout
    reader = Reader()
    reader.feed(page)
    reader.close()
    wrong = reader.wrong
    if reader.open:
        wrong.append(f"left open: {reader.open}")
    if len(raw) > int(limit):
        wrong.append(f"{len(raw)} bytes, at most {limit} are allowed")
    for line in raw.decode().splitlines():
        if line.startswith("|") and line.count("|") != TABLE_BARS:
            wrong.append(f"a table row with {line.count('|')} bars: {line[:100]}")
    if b"**Cut here**" in raw and not re.search(r"<p><strong>Cut here</strong>[^<]*(<code>[^<]*</code>[^<]*)*</p>\s*\Z", page):
        wrong.append("the words on what was cut are not a paragraph at the end")
    if raw.count(b"\n<details>") + raw.startswith(b"<details>") != reader.details:
        wrong.append("a folded part was made by something else than a line of ours")
    return wrong


def check_schema(schema, path):
    import jsonschema

    validator = jsonschema.Draft7Validator(json.load(open(schema)))
    return [f"{'/'.join(map(str, e.path))}: {e.message[:200]}" for e in validator.iter_errors(json.load(open(path)))]


def check_github(path):
    form = re.compile(r"::(error|warning|notice) (file=[^:,\n]+,line=\d+(,col=\d+)?,)?title=[^:,\n]+::[^\n]*")
    return [f"not an annotation: {line[:100]}" for line in open(path, newline="\n").read().split("\n")
            if line and not form.fullmatch(line)]


def check_text(path):
    wrong = []
    for line in open(path, newline="\n").read().split("\n"):
        if re.match(r"\s*::", line) or re.search(r"##[a-z]*\[", line):
            wrong.append(f"a build service would obey: {line[:100]}")
        if re.search(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", line):
            wrong.append(f"a control character in: {line[:100]!r}")
    return wrong


def main():
    checks = {"markdown": check_markdown, "schema": check_schema, "github": check_github, "text": check_text}
    if len(sys.argv) < 3 or sys.argv[1] not in checks:
        sys.exit(__doc__)
    wrong = checks[sys.argv[1]](*sys.argv[2:])
    for line in wrong[:20]:
        print(f"{sys.argv[-1]}: {line}")
    sys.exit(1 if wrong else 0)


main()
