#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pipeline_fakes.py gh ARGS... | gitlab FOLDER - the part of two services that comments are kept in.

gh: the few `gh api` calls that examples/pipelines/ci makes, on a list in $FAKE_GH/comments.json; whatever else it is asked is a failure.
gitlab: a server on 127.0.0.1 that keeps notes in FOLDER/comments.json, and writes its address to FOLDER/url.
Both begin with somebody else's comment that has the hidden line too, and add "POST" or "PATCH" to FOLDER/acts for each write.
"""
import http.server
import json
import os
import sys

STRANGER = [{"id": 1, "who": "stranger", "body": "<!-- s2sctl plan rollout.yaml -->\nmine, says a stranger"}]
JQ = '.[] | [.id, .user.login, (.body | split("\\n")[0] | rtrimstr("\\r"))] | @tsv'


def load(folder):
    try:
        with open(os.path.join(folder, "comments.json"), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return list(STRANGER)


def write(folder, act, comments, number, who, body):
    if act == "POST":
        comments.append({"id": len(comments) + 1, "who": who, "body": body})
    else:
        comment = next(c for c in comments if c["id"] == number)
        assert comment["who"] == who, "another's comment"
        comment["body"] = body
    with open(os.path.join(folder, "comments.json"), "w", encoding="utf-8") as file:
        json.dump(comments, file)
    with open(os.path.join(folder, "acts"), "a", encoding="utf-8") as file:
        file.write(act + "\n")


def gh(args):
    folder = os.environ["FAKE_GH"]
    assert os.environ["GH_TOKEN"], "nobody is signed in"
    comments, repo, bot = load(folder), "repos/example/rollouts/issues", "github-actions[bot]"
    if args == ["api", "--paginate", f"{repo}/7/comments", "--jq", JQ]:
        for c in comments:
            first = c["body"].split("\n")[0].rstrip("\r")
            print(c["id"], c["who"], first, sep="\t")
        return
    assert args[:3] == ["api", "--silent", "-X"] and args[5] == "-F" and args[6].startswith("body=@"), args
    with open(args[6][6:], encoding="utf-8") as file:
        body = file.read()
    if args[3] == "POST":
        assert args[4] == f"{repo}/7/comments", args
        write(folder, "POST", comments, None, bot, body)
    else:
        assert args[3] == "PATCH" and args[4].startswith(f"{repo}/comments/"), args
        write(folder, "PATCH", comments, int(args[4].split("/")[-1]), bot, body)


def gitlab(folder):
    notes = "/projects/12/merge_requests/7/notes"

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def answer(self, value, page=""):
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("X-Next-Page", page)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def body(self):
            assert self.headers["PRIVATE-TOKEN"] == "fake-comment-token"
            return json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]

        def do_GET(self):
            if self.path == "/user":
                return self.answer({"id": 5})
            assert self.path.startswith(notes + "?"), self.path
            page = int(self.path.split("page=")[-1])
            all_notes = load(folder) # one a page, so that pages are gone through
            shown = [{"id": c["id"], "body": c["body"], "author": {"id": 5 if c["who"] == "bot" else 6}} for c in all_notes[page - 1:page]]
            return self.answer(shown, str(page + 1) if page < len(all_notes) else "")

        def do_POST(self):
            assert self.path == notes, self.path
            write(folder, "POST", load(folder), None, "bot", self.body())
            self.answer({})

        def do_PUT(self):
            assert self.path.startswith(notes + "/"), self.path
            write(folder, "PATCH", load(folder), int(self.path.split("/")[-1]), "bot", self.body())
            self.answer({})

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    with open(os.path.join(folder, "url.new"), "w", encoding="utf-8") as file:
        file.write(f"http://127.0.0.1:{server.server_port}")
    os.rename(os.path.join(folder, "url.new"), os.path.join(folder, "url"))
    server.serve_forever()


if sys.argv[1] == "gh":
    gh(sys.argv[2:])
else:
    gitlab(sys.argv[2])
