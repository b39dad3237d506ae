#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh - Adobe's own clients against the sandbox; README.md tells what that shows.
# S2S_SANDBOX names the program. Packages of npm go to build/contract and nowhere else. Exit 77: skipped.
set -eu

cd "$(dirname "$0")/../.."
sandbox=${S2S_SANDBOX:-${B:-build/debug}/s2s-sandbox}
modules=$PWD/build/contract
[ -x "$sandbox" ] || { echo "not ok - '$sandbox' is no program"; exit 1; }
if ! node -e 'process.exit(process.versions.node.split(".")[0] >= 18 ? 0 : 1)' 2>/dev/null; then
	echo "SKIP: Node.js 18 or newer is missing"
	exit 77
fi

# Installs what the lock file says, once for each lock file. No package's script is run.
if ! cmp -s tests/contract/package-lock.json "$modules/installed.json"; then
	mkdir -p "$modules"
	rm -f "$modules/installed.json"
	cp tests/contract/package.json tests/contract/package-lock.json "$modules"
	(cd "$modules" && npm ci --ignore-scripts --omit=optional --no-audit --no-fund --loglevel=error) >&2
	cp "$modules/package-lock.json" "$modules/installed.json"
fi

tmp=$(mktemp -d)
pid=
stop()
{
	[ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null || :
	[ -z "$pid" ] || wait "$pid" || :
	rm -rf "$tmp"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM

"$sandbox" --world tests/contract/world.yaml --dir "$tmp/box" --speed 0 >"$tmp/out" 2>&1 </dev/null &
pid=$!
tries=0
while [ ! -s "$tmp/box/url" ]; do
	tries=$((tries + 1))
	if [ $tries -gt 100 ] || ! kill -0 "$pid" 2>/dev/null; then
		cat "$tmp/out"
		echo "not ok - the sandbox does not listen"
		exit 1
	fi
	sleep 0.1
done

# The clients know Adobe's hosts only: lead.mjs leads those to the sandbox, and nothing else anywhere.
for name in http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY; do
	unset "$name"
done
status=0
MODULES=$modules URL=$(cat "$tmp/box/url") NODE_EXTRA_CA_CERTS=$tmp/box/ca.pem LOG_LEVEL=error \
	node tests/contract/main.mjs "$@" || status=$?
if ! kill -0 "$pid" 2>/dev/null; then
	echo "not ok - the sandbox is gone:"
	cat "$tmp/out"
	status=1
fi
exit $status
