#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench.sh - how fast, beside what people use today. `make bench`; README.md here tells what each line is.
#
# From the environment: BENCH_ROUNDS (5), BENCH_VALIDATE (10000 environments), BENCH_FLEET (1000 environments),
# BENCH_WAITING (1000 environments), BENCH_SIGNATURES (1000), BENCH_KEEP (keep the files and say where),
# BENCH_ONLY (journal, sim, waiting: only these).
# Values are told, never judged: the exit status is 0 unless something could not be run.
set -eu

rounds=${BENCH_ROUNDS:-5} many=${BENCH_VALIDATE:-10000} fleet=${BENCH_FLEET:-1000} signatures=${BENCH_SIGNATURES:-1000}
connections=8 delay=200
: "${B:?call it by make bench}"
measure=$B/tests/bench/measure

tmp=$(mktemp -d "${TMPDIR:-/tmp}/s2sctl-bench.XXXXXX")
pids=
finish() {
	for p in $pids; do
		kill -TERM "$p" 2>/dev/null || :
		wait "$p" 2>/dev/null || :
	done
	if [ -n "${BENCH_KEEP:-}" ]; then
		echo "kept: $tmp"
	else
		rm -rf "$tmp"
	fi
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

fail() {
	echo "bench: $*" >&2
	for f in "$tmp"/*.err; do [ ! -s "$f" ] || sed 's/^/    /' "$f" | head -20 >&2; done
	exit 1
}

# ---- what is measured on ----

# world N [EVERY]: one organisation, N projects that are on JWT, as many apps with three workflows, one Dynamics organisation, in which a
# contact changes EVERY so often (never).
world() {
	awk -v n="$1" -v every="${2:-}" 'BEGIN {
		print "clock: 2026-11-23T08:00:00Z\nseed: 1"
		print "user_tokens:\n  - {token: t-console, name: N, api_keys: [k-console], organizations: [\"23294\"], role: ADMIN}"
		print "callers:\n  - {name: reader, client_id: reader, client_secret: p8e-reader, may: [campaign], scopes: [openid, AdobeID, campaign_sdk]}"
		print "organizations:\n  - id: \"23294\"\n    ims: ABC@AdobeOrg\n    name: Acme\n    projects:"
		for (i = 1; i <= n; i++) {
			printf "      - {id: \"%d\", title: Campaign and Dynamics %d, workspaces: [{id: \"%d\", credentials: [", 100000 + i, i, 200000 + i
			printf "{id: \"%d\", name: acs, client_id: client-%d, client_secret: p8e-%d, state: jwt_only, ", 300000 + i, i, i
			printf "technical_account_id: T%d@techacct.adobe.com, scopes: [openid, AdobeID, campaign_sdk], profiles: [env-%d], ", i, i
			print "services: [CampaignSDK], certificate_ends: 100d, private_key: pk, jwt_last_used: -1h}]}]}"
		}
		print "apps:"
		for (i = 1; i <= n; i++) {
			printf "  - {instance: env-%d, synced: true, dynamics: acme, campaign: env-%d, ", i, i
			printf "settings: {auth_type: jwt, client_id: client-%d, private_key: pk}, ", i
			print "workflows: {ingress: {status: RUNNING}, egress: {status: RUNNING}, opt-in-out: {status: RUNNING}}}"
		}
		print "campaign:"
		for (i = 1; i <= n; i++)
			printf "  - {tenant: env-%d, organization: \"23294\"}\n", i
		print "dynamics:\n  - {org: acme, tenant: 11111111-2222-3333-4444-555555555555, host: acme.api.crm.dynamics.com,"
		print "     clients: [{client_id: d365, client_secret: p8e-d365}], generate: 10" (every == "" ? "" : ", activity: {every: " every "}") "}"
		print "bridge: {token: t-bridge}"
	}'
}

# rollout N URL: the environments of that world; with defaults, an anchor and a merge key.
rollout() {
	awk -v n="$1" -v u="$2" 'BEGIN {
		print "version: 1\nconnections:"
		print "  console: {url: \"" u "\", ca_file: ca.pem, auth: {kind: bearer, token: env:BENCH_CONSOLE, api_key: k-console}}"
		print "  ims: {url: \"" u "\", ca_file: ca.pem}"
		print "  bridge: {url: \"" u "/bridge\", ca_file: ca.pem, auth: {kind: bearer, token: env:BENCH_BRIDGE}}"
		print "  campaign:\n    url: \"" u "\"\n    ca_file: ca.pem"
		print "    auth: {kind: client_credentials, client_id: reader, client_secret: env:BENCH_READER, scopes: [openid, AdobeID, campaign_sdk]}"
		print "  dynamics:\n    url: \"" u "/dynamics/acme\"\n    ca_file: ca.pem\n    auth:\n      kind: client_credentials\n      client_id: d365"
		print "      client_secret: env:BENCH_D365\n      token_url: \"" u "/entra/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token\""
		print "      scopes: [\"https://acme.crm.dynamics.com/.default\"]"
		print "defaults:\n  project: {organization: ABC@AdobeOrg}"
		print "  gates:\n    workflows_stable: {soak: 5m, cadence: 30s}\n    backlog: {cadence: 30s}\nenvironments:"
		for (i = 1; i <= n; i++) {
			printf "  e%d:%s\n", i, i == 1 ? " &first" : "\n    <<: *first"
			printf "    project: {title: Campaign and Dynamics %d}\n", i
			printf "    credential: {client_id: client-%d, client_secret: {ref: file:secrets/%d, late: true}}\n", i, i
			printf "    app: {instance: env-%d}\n    campaign: {tenant: env-%d}\n", i, i
			if (i == 1)
				print "    executors: {start: bridge, secret: bridge, settings: bridge, restart: bridge, finalize: api}"
		}
	}'
}
export BENCH_CONSOLE=t-console BENCH_BRIDGE=t-bridge BENCH_READER=p8e-reader BENCH_D365=p8e-d365

# ---- helpers ----

# start NAME PROGRAM ARG...: in the background; waits for NAME/url, sets url and pid.
start() {
	name=$1
	shift
	mkdir -p "$tmp/$name/secrets" # where the rollout files keep client secrets
	"$@" >"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null &
	pid=$!
	pids="$pids $pid"
	tries=0
	while [ ! -s "$tmp/$name/url" ]; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] && kill -0 "$pid" 2>/dev/null || fail "$name does not start"
		sleep 0.1
	done
	url=$(cat "$tmp/$name/url")
}
stop() { # pid
	kill -TERM "$1" 2>/dev/null || :
	wait "$1" 2>/dev/null || :
	pids=$(echo "$pids" | sed "s/ $1\$//; s/ $1 / /")
}
# run ARG...: measure, its lines in $tmp/result
run() {
	"$measure" -n "$rounds" "$@" >"$tmp/result" 2>"$tmp/run.err" || fail "cannot run: measure $*"
	rm -f "$tmp/run.err"
}
# col LINE COLUMN of the last result
col() { sed -n "${1}p" "$tmp/result" | cut -d ' ' -f "$2"; }
# row LINE NAME [AIM]: prints a line of the table
row() {
	# shellcheck disable=SC2046  # numbers
	set -- "$2" "${3:-}" $(sed -n "${1}p" "$tmp/result")
	awk -v name="$1" -v aim="$2" -v w="$3" -v c="$4" -v r="$5" -v lo="$6" -v hi="$7" 'BEGIN {
		printf "  %-44s %10.2f %10.2f %19s %8.1f   %s\n", name, w / 1000, c / 1000,
			sprintf("%.2f-%.2f", lo / 1000, hi / 1000), r / 1024, aim
	}'
}
# value NAME VALUE [AIM]
value() { printf '  %-44s %10s %41s %s\n' "$1" "$2" '' "${3:-}"; }
# ratio NAME A B [AIM]: A / B
ratio() { value "$1" "$(awk -v a="$2" -v b="$3" 'BEGIN { if (b > 0) printf "%.2f x", a / b; else print "-" }')" "${4:-}"; }
part() { printf '\n%s\n' "$1"; }

# ---- head ----

cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -1)
echo "$("$S2SCTL" version | head -1); $(nproc) x ${cpu:-unknown processor}; load $(cut -d ' ' -f 1 /proc/loadavg 2>/dev/null)"
echo "medians of $rounds, peers in turn; processor time is user and system of the process itself"
printf '\n  %-44s %10s %10s %19s %8s   %s\n' '' 'wall ms' 'cpu ms' 'cpu from-to' 'rss MiB' aim

# Sections in files of their own, which can be had alone.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/bench/lib-waiting.sh
parts() { for name in "$@"; do . "$here/lib-$name.sh"; done; }
if [ -n "${BENCH_ONLY:-}" ]; then
	# shellcheck disable=SC2086  # words
	parts $BENCH_ONLY
	exit
fi

# ---- 1 ----

part "Start-up (each the mean of 20)"
set -- /bin/true :: "$S2SCTL" version
command -v curl >/dev/null 2>&1 && set -- "$@" :: curl --version
run -w 1 -r 20 "$@"
row 1 "/bin/true"
[ "$(wc -l <"$tmp/result")" -lt 3 ] || row 3 "curl --version"
row 2 "s2sctl version" "wall under 10 ms"
[ "$(wc -l <"$tmp/result")" -lt 3 ] || ratio "  to curl, cpu" "$(col 2 2)" "$(col 3 2)"

# ---- 2 ----

rollout "$many" https://127.0.0.1:9 >"$tmp/many.yaml"
touch "$tmp/ca.pem"
part "Validation of $many environments ($(($(wc -c <"$tmp/many.yaml") / 1024)) KiB of YAML)"
run -w 1 "$B/tests/bench/yaml_events" "$tmp/many.yaml" :: "$S2SCTL" validate "$tmp/many.yaml"
row 1 "libyaml's events, thrown away"
row 2 "s2sctl validate" "wall under 1000 ms, rss under 100 MiB"
ratio "  to libyaml, cpu" "$(col 2 2)" "$(col 1 2)"

# ---- 3 ----

# One environment against the sandbox: what it really asks for is what the sandbox has logged.
part "Plan of one environment from JWT only: three workflows, title look-up, usages"
world 1 >"$tmp/one-world.yaml"
start sandbox "$S2S_SANDBOX" --world "$tmp/one-world.yaml" --dir "$tmp/sandbox" --speed 0 --log "$tmp/requests"
rollout 1 "$url" >"$tmp/sandbox/one.yaml"
plan_json() { "$S2SCTL" plan "$1" --state "$tmp/state" --format json 2>"$tmp/plan.err"; }
summary() { sed 's/.*"summary":{\(.*\)}.*/\1/' "$1" | grep -o "\"$2\":[0-9]*" | cut -d : -f 2; } # file key
plan_json "$tmp/sandbox/one.yaml" >"$tmp/one.json" || fail "the sandbox's environment cannot be planned: exit $?"
[ "$(summary "$tmp/one.json" changes || :)" = 1 ] || fail "the environment is not to be changed: $(grep -o '"summary":.*' "$tmp/one.json")"
value "requests, as the plan says" "$(summary "$tmp/one.json" requests)" "at most 20"
value "requests, as the sandbox saw them" "$(wc -l <"$tmp/requests" | tr -d ' ')" "the same and the token mints"
value "  of them mints (POST)" "$(grep -c '"method":"POST"' "$tmp/requests" || :)"
run -w 1 "$S2SCTL" plan "$tmp/sandbox/one.yaml" --state "$tmp/state"
row 1 "s2sctl plan, from the sandbox"
stop "$pid"

part "Verification of $signatures signatures over that plan"
openssl genpkey -algorithm ed25519 -out "$tmp/key.pem" 2>"$tmp/key.err" || fail "no key"
"$S2SCTL" approve "$tmp/one.json" --key "$tmp/key.pem" -o "$tmp/approval" 2>"$tmp/approve.err" || fail "cannot approve"
awk -v n="$signatures" '{ for (i = 0; i < n; i++) print }' "$tmp/approval" >"$tmp/approvals"
openssl pkey -in "$tmp/key.pem" -pubout -outform DER | tail -c 32 | {
	printf '\000\000\000\013ssh-ed25519\000\000\000\040'
	cat
} | openssl base64 -A | sed 's/^/ann@example.com ssh-ed25519 /' >"$tmp/signers"
set -- "$S2SCTL" verify "$tmp/one.json" --allowed-signers "$tmp/signers"
run -w 1 "$@" --approvals "$tmp/approval" :: "$@" --approvals "$tmp/approvals"
row 1 "s2sctl verify, 1 signature"
row 2 "s2sctl verify, $signatures signatures" "wall under 1000 ms"
[ "$("$@" --approvals "$tmp/approvals" | grep -c '^  counts')" = "$signatures" ] || fail "not all of them count"

# The longest chain is how many answers have to be waited for one after the other: each takes $delay ms here.
start slow "$B/tests/bench/static_server" "$tmp/one-world.yaml" "$tmp/slow" $delay
slow_pid=$pid
rollout 1 "$url" >"$tmp/slow/one.yaml"
start fast "$B/tests/bench/static_server" "$tmp/one-world.yaml" "$tmp/fast"
fast_pid=$pid
rollout 1 "$url" >"$tmp/fast/one.yaml"
run -w 1 "$S2SCTL" plan "$tmp/slow/one.yaml" --state "$tmp/state" :: "$S2SCTL" plan "$tmp/fast/one.yaml" --state "$tmp/state"
row 2 "s2sctl plan, from the static server"
row 1 "  the same, each answer $delay ms late"
value "longest chain, token mints included" \
	"$(awk -v a="$(col 1 1)" -v b="$(col 2 1)" -v d="$delay" 'BEGIN { printf "%.0f", (a - b) / 1000 / d }')" "at most 6"
stop "$fast_pid"
stop "$slow_pid"

# ---- 4 ----

world "$fleet" >"$tmp/fleet-world.yaml"
start static "$B/tests/bench/static_server" "$tmp/fleet-world.yaml" "$tmp/static"
rollout "$fleet" "$url" >"$tmp/static/fleet.yaml"
plan_json "$tmp/static/fleet.yaml" >"$tmp/fleet.json" || fail "the fleet cannot be planned: exit $?"
[ "$(summary "$tmp/fleet.json" changes || :)" = "$fleet" ] || fail "not all of the fleet is to be changed: $(grep -o '"summary":.*' "$tmp/fleet.json")"
grep -o '"requests":\[[^]]*\]' "$tmp/fleet.json" | grep -oE '"GET [a-z]+ /[^"]*"' | tr -d '"' |
	sed "s#^GET console #$url/console#; s#^GET bridge #$url/bridge#; s#^GET campaign #$url#; s#^GET ims #$url#
		s#^GET dynamics #$url/dynamics/acme/api/data/v9.2#" >"$tmp/urls"
asked=$(wc -l <"$tmp/urls" | tr -d ' ')
[ "$asked" = "$(summary "$tmp/fleet.json" requests)" ] || fail "the plan lists $asked requests and counts $(summary "$tmp/fleet.json" requests)"
part "Plan of $fleet environments from a static server: $asked requests, $connections connections"
run -w 1 "$B/tests/bench/fetch" "$tmp/static/ca.pem" $connections "$tmp/urls" :: "$S2SCTL" plan "$tmp/static/fleet.yaml" --state "$tmp/state"
row 1 "libcurl multi, bodies thrown away"
row 2 "s2sctl plan" "rss at most 64 MiB"
ratio "  to libcurl, cpu" "$(col 2 2)" "$(col 1 2)" "at most 1.5 x"
ratio "  to libcurl, wall" "$(col 2 1)" "$(col 1 1)"
stop "$pid"
awk '{ printf "  (the server: %d requests, %d answers made, %d connections, %.3f ms of processor time a request)\n", $1, $2, $3, $4 / 1000 / $1 }' "$tmp/static.out"
[ ! -s "$tmp/static.err" ] || fail "the static server had other answers than 200"

# ---- 5 ----

part "That plan of $fleet environments in each format ($(($(wc -c <"$tmp/fleet.json") / 1024)) KiB of JSON)"
formats="json text markdown html junit sarif github gitlab"
set --
for format in $formats; do
	[ $# = 0 ] || set -- "$@" ::
	set -- "$@" "$S2SCTL" show "$tmp/fleet.json" --format "$format"
done
run -w 1 "$@"
line=0
for format in $formats; do
	line=$((line + 1))
	row $line "s2sctl show --format $format" "wall under 1000 ms, rss under 200 MiB"
done

# ---- 6 ----

part "One rollout in memory, mean of 500: the engine itself"
"$B/tests/bench/engine" 500 >"$tmp/result" 2>"$tmp/run.err" || fail "the engine's rollout does not end"
value "processor time" "$(awk '{ printf "%.2f ms", $1 / 1000 }' "$tmp/result")" "under 3 ms"
value "exchanges" "$(col 1 2)"
value "journal records" "$(col 1 3)"

# ---- 7, 8, 9 ----

parts sim journal waiting
