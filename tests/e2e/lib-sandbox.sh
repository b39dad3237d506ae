# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# lib-sandbox.sh - for scripts that try the real programs: a temporary folder, sandboxes in it, checks.
#
# Sourced. Sets `tmp` (removed at the end, with every sandbox that still runs), S2SCTL and S2S_SANDBOX as absolute paths.
# Nothing here is fixed: ports are free ones, folders are made by mktemp. Exit 77: skipped.

here=$(cd "$(dirname "$0")" && pwd) || exit 1
top=$(cd "$here/../.." && pwd) || exit 1
build=${B:-$top/build/release}
case $build in /*) ;; *) build=$top/$build ;; esac
S2SCTL=${S2SCTL:-$build/s2sctl}
S2S_SANDBOX=${S2S_SANDBOX:-$build/s2s-sandbox}
case $S2SCTL in /*) ;; *) S2SCTL=$PWD/$S2SCTL ;; esac
case $S2S_SANDBOX in /*) ;; *) S2S_SANDBOX=$PWD/$S2S_SANDBOX ;; esac
export S2SCTL S2S_SANDBOX

command -v curl >/dev/null || { echo "SKIP: curl is missing"; exit 77; }
for program in "$S2SCTL" "$S2S_SANDBOX"; do
	[ -x "$program" ] || { echo "not ok - '$program' is no program"; exit 1; }
done

tmp=$(mktemp -d) || exit 1
failed=0
pids=

# Only what this script has started, by its id. Each is waited for: nothing is left running.
clean_up()
{
	for p in $pids; do kill -TERM "$p" 2>/dev/null; done
	for p in $pids; do wait "$p" 2>/dev/null; done
	pids=
	cd / && rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- checks ----

ok() { echo "ok - $1"; }
not_ok() # WHAT [DETAIL]
{
	echo "not ok - $1"
	[ -z "${2:-}" ] || printf '    %.600s\n' "$2"
	# shellcheck disable=SC2034  # of whoever sources this
	failed=1
}
# is WHAT GOT WANTED
is()
{
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got '$2', not '$3'"; fi
}
# has WHAT TEXT PART
has()
{
	case $2 in
	*"$3"*) ok "$1" ;;
	*) not_ok "$1" "no '$3' in: $2" ;;
	esac
}
# has_not WHAT TEXT PART
has_not()
{
	case $2 in
	*"$3"*) not_ok "$1" "'$3' is in: $2" ;;
	*) ok "$1" ;;
	esac
}

# ---- a sandbox ----

# sandbox FOLDER WORLD [OPTION...]: starts one and waits until it listens. Sets url, ca, sandbox_pid, and what the rollout
# files in examples/ take from the environment.
sandbox()
{
	box=$1
	world=$2
	shift 2
	"$S2S_SANDBOX" --world "$world" --dir "$box" "$@" >"$box.out" 2>"$box.err" </dev/null &
	sandbox_pid=$!
	pids="$pids $sandbox_pid"
	tries=0
	while [ ! -s "$box/url" ]; do
		tries=$((tries + 1))
		if [ $tries -gt 200 ] || ! kill -0 "$sandbox_pid" 2>/dev/null; then
			not_ok "the sandbox starts" "$(cat "$box.err")"
			exit 1
		fi
		sleep 0.05
	done
	url=$(cat "$box/url")
	ca=$box/ca.pem
	export SANDBOX_URL="$url" SANDBOX_CA="$ca"
	export S2S_CONSOLE_URL="$url" S2S_CONSOLE_TOKEN=fake-user-token S2S_CONSOLE_KEY=fake-console-key
	export S2S_IMS_URL="$url" S2S_CAMPAIGN_URL="$url"
	export S2S_READER_ID=fake-reader-client S2S_READER_SECRET=fake-reader-secret
	export S2S_DYNAMICS_URL="$url/dynamics/geometrixx" S2S_ENTRA_ID=fake-entra-client S2S_ENTRA_SECRET=fake-entra-secret
	export S2S_ENTRA_URL="$url/entra/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token"
	export S2S_ENTRA_SCOPE=https://geometrixx.api.crm.dynamics.com/.default
	export S2S_BRIDGE_URL="$url/bridge" S2S_BRIDGE_TOKEN=fake-bridge-token
}
sandbox_ends()
{
	kill -TERM "$sandbox_pid" 2>/dev/null
	wait "$sandbox_pid" 2>/dev/null
	left=
	for p in $pids; do [ "$p" = "$sandbox_pid" ] || left="$left $p"; done
	pids=$left
}

call() { curl -sS --max-time 20 --noproxy '*' --cacert "$ca" "$@"; }
admin() { call -H 'Content-Type: application/json' "$@"; }
advance() { admin -o /dev/null -d "{\"$1\":\"$2\"}" "$url/_admin/advance"; } # by 24h, to 2026-11-24T08:00:00Z
somebody() { admin -o /dev/null -d "$1" "$url/_admin/do"; }
fault()
{
	admin -X DELETE -o /dev/null "$url/_admin/faults"
	admin -o "$tmp/fault" -d "$1" "$url/_admin/faults"
	! grep -q error "$tmp/fault" || not_ok "the fault is understood" "$(cat "$tmp/fault")"
}
requests() { admin "$url/_admin/requests${1:+?$1}" | sed 's/.*"count":\([0-9]*\).*/\1/'; } # method=POST&path=/x: how many
forget_requests() { admin -X DELETE -o /dev/null "$url/_admin/requests"; }

# JSON on stdin -> a line "path<TAB>value" for each scalar, like credentials.0.status<TAB>started.
json_lines()
{
	grep -oE '"([^"\\]|\\.)*"|[][{},:]|[^][{},:" ]+' | awk '
		function plain(t) {
			if (t ~ /^"/) { t = substr(t, 2, length(t) - 2); gsub(/\\"/, "\"", t); gsub(/\\\//, "/", t) }
			return t
		}
		$0 == "{" { kind[++d] = "{"; is_key[d] = 1; next }
		$0 == "[" { kind[++d] = "["; key[d] = 0; next }
		$0 == "}" || $0 == "]" { d--; next }
		$0 == ":" { is_key[d] = 0; next }
		$0 == "," { if (kind[d] == "[") key[d]++; else is_key[d] = 1; next }
		kind[d] == "{" && is_key[d] { key[d] = plain($0); next }
		{
			path = key[1]
			for (i = 2; i <= d; i++) path = path "." key[i]
			print path "\t" plain($0)
		}'
}
truth() { admin "$url/_admin/truth" | json_lines; }
# How many writes of that kind the sandbox has taken: wrote finalize [on]
wrote()
{
	truth | awk -F '\t' -v what="$1" -v on="${2:-}" '
		split($1, p, ".") == 3 && p[1] == "writes" { w[p[2] "." p[3]] = $2; if (p[2] + 1 > n) n = p[2] + 1 }
		END { for (i = 0; i < n; i++) c += w[i ".what"] == what && (on == "" || w[i ".on"] == on); print c + 0 }'
}
