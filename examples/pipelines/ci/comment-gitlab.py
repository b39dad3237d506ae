#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""comment-gitlab.py FILE - one note on a merge request, edited when it is there already.

Ours is the one whose first line is the file's first line (a comment that nobody sees) and that the token's own user wrote.
CI_API_V4_URL, CI_PROJECT_ID, CI_MERGE_REQUEST_IID; S2S_COMMENT_TOKEN: a project access token with scope api.
"""
import json
import os
import sys
import urllib.request

API = os.environ["CI_API_V4_URL"]
NOTES = f"/projects/{os.environ['CI_PROJECT_ID']}/merge_requests/{os.environ['CI_MERGE_REQUEST_IID']}/notes"


def call(method, path, body=None):
    request = urllib.request.Request(API + path, method=method)
    request.add_header("PRIVATE-TOKEN", os.environ["S2S_COMMENT_TOKEN"])
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps({"body": body}).encode()
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer), answer.headers.get("X-Next-Page")


def find(mark):
    me = call("GET", "/user")[0]["id"]
    page = "1"
    while page:
        notes, page = call("GET", f"{NOTES}?per_page=100&page={page}")
        for note in notes:
            if note["author"]["id"] == me and note["body"].split("\n")[0].rstrip("\r") == mark:
                return note["id"]
    return None


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    known = find(text.split("\n")[0])
    if known:
        call("PUT", f"{NOTES}/{known}", text)
    else:
        call("POST", NOTES, text)


main()
