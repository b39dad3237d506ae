#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# report.sh [--update] - every rendering of the documents in tests/report, compared with what is expected and read by tools that others wrote.
#
# jwt-only.json is a plan of one environment, two-environments.json has a refused one, midway.jsonl is a journal that waits for a gate,
# finished.jsonl one with answers of a person to its receipt, hostile.json a plan whose texts try what a text can try. `show` of X in format F is X.F.
# invalid.yaml is what `validate` gets. With --update the expected files are written; read the diff.
set -eu
: "${S2SCTL:?call it by tests/run.sh}"
cd "${TOP:?}/tests/report"
update=${1:-}
export LC_ALL=C.UTF-8 # lines and arrows as most people see them; plain ASCII is the golden cases' matter
tmp=$(mktemp -d "${TMPDIR:-/tmp}/report.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
failed=0
wrong() {
	echo "report.sh: $*" >&2
	failed=1
}
same() { # expected got
	if [ "$update" = --update ]; then
		cp "$2" "$1"
	elif ! cmp -s "$1" "$2"; then
		diff -u "$1" "$2" | head -40 >&2
		wrong "$1 is not what comes out"
	fi
}
need() { # command package
	command -v "$1" >/dev/null 2>&1 || {
		echo "skipped: $1 is not there (Debian: $2)"
		exit 77
	}
}
need cmark-gfm cmark-gfm
need xmllint libxml2-utils
python= # the one that has Debian's modules
for p in /usr/bin/python3 python3; do
	[ -n "$python" ] || ! "$p" -c 'import jsonschema' 2>/dev/null || python=$p
done
[ -n "$python" ] || {
	echo "skipped: there is no python3 that has jsonschema (Debian: python3-jsonschema)"
	exit 77
}

check() { # format file
	case $1 in
	text) "$python" check.py text "$2" ;;
	markdown) "$python" check.py markdown "$2" ;;
	github) "$python" check.py github "$2" ;;
	sarif) "$python" check.py schema sarif.schema.json "$2" ;;
	gitlab) "$python" check.py schema codequality.schema.json "$2" ;;
	junit) xmllint --nonet --noout --schema junit.xsd "$2" 2>"$tmp/xmllint" || { cat "$tmp/xmllint"; false; } ;;
	*) : ;;
	esac || wrong "$1 of $2 is not well made"
}

for doc in *.json *.jsonl; do
	case $doc in *.schema.json | *.yaml.json) continue ;; esac
	for format in text markdown html junit sarif github gitlab; do
		status=0
		"$S2SCTL" show "$doc" --format $format >"$tmp/out" 2>"$tmp/err" || status=$?
		[ $status = 0 ] && [ ! -s "$tmp/err" ] || wrong "show $doc --format $format ends with $status: $(cat "$tmp/err")"
		check $format "$tmp/out"
		same "$doc.$format" "$tmp/out"
	done
done

# The document itself is canonical, and comes back as it is.
for doc in jwt-only two-environments hostile; do
	"$S2SCTL" show $doc.json --format json >"$tmp/out"
	cmp -s $doc.json "$tmp/out" || wrong "$doc.json does not come back as it is"
done

# At most so many bytes, cut where a reader does not notice.
for doc in hostile.json midway.jsonl; do
	for max in 2048 2500 3000 4000 5000 6000 8000 10000 12000 16000 24000 40000; do
		"$S2SCTL" show $doc --format markdown --max-bytes $max >"$tmp/out"
		"$python" check.py markdown "$tmp/out" $max || wrong "$doc cut to $max bytes is not well made"
	done
	grep -q '^\*\*Cut here\*\*' "$tmp/out" && wrong "40000 bytes are enough for $doc" || :
	"$S2SCTL" show $doc --format markdown --max-bytes 4000 | grep -q '^\*\*Cut here\*\*' || wrong "$doc is not cut, or does not say so"
done

for format in json junit sarif github gitlab; do
	status=0
	"$S2SCTL" validate invalid.yaml --format $format >"$tmp/out" 2>"$tmp/err" || status=$?
	[ $status = 64 ] || wrong "validate --format $format ends with $status"
	grep -q '^invalid.yaml:3:1: error:' "$tmp/err" || wrong "validate --format $format does not tell a person"
	check $format "$tmp/out"
	same "invalid.yaml.$format" "$tmp/out"
done

# A finding keeps its fingerprint when lines are added above it.
prints() { tr , '\n' | grep -o '"fingerprint": "[0-9a-f]*"'; }
mkdir "$tmp/moved"
{ echo; cat invalid.yaml; } >"$tmp/moved/invalid.yaml"
(cd "$tmp/moved" && "$S2SCTL" validate invalid.yaml --format gitlab 2>/dev/null || :) | prints >"$tmp/after"
prints <invalid.yaml.gitlab >"$tmp/before"
[ -s "$tmp/before" ] && cmp -s "$tmp/before" "$tmp/after" || wrong "fingerprints move with their lines"

exit $failed
