#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check_html.sh - `make check-html`: all documents of tests/report as HTML, looked at by check_html.py.
set -eu
cd "${TOP:?}/tests/report"
exec python3 check_html.py "${S2SCTL:?}" "${B:?}/html" jwt-only.json two-environments.json hostile.json midway.jsonl finished.jsonl
