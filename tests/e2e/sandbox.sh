#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# s2s-sandbox from the outside: TLS, the clock, every fault, the admin calls, its beginning and its end.
# S2S_SANDBOX names the program. Exit 77: skipped.
set -u

cd "$(dirname "$0")/../.." || exit 1
sandbox=${S2S_SANDBOX:-${B:-build/debug}/s2s-sandbox}
command -v curl >/dev/null || { echo "SKIP: curl is missing"; exit 77; }
[ -x "$sandbox" ] || { echo "not ok - '$sandbox' is no program"; exit 1; }

tmp=$(mktemp -d) || exit 1
pid=
failed=0

stop()
{
	[ -n "$pid" ] && kill -TERM "$pid" 2>/dev/null
	[ -n "$pid" ] && wait "$pid"
	ended=$?
	pid=
	return $ended
}
trap 'stop; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# is WHAT GOT WANTED
is()
{
	if [ "$2" = "$3" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		echo "    got '$2', not '$3'"
		failed=1
	fi
}

# has WHAT TEXT PART
has()
{
	case $2 in
	*"$3"*) echo "ok - $1" ;;
	*)
		echo "not ok - $1"
		printf '    no %s in: %.300s\n' "'$3'" "$2"
		failed=1
		;;
	esac
}

# start DIR [OPTION...]; the address file appears when it listens.
start()
{
	dir=$1
	shift
	"$sandbox" --world "$tmp/world.yaml" --dir "$dir" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null &
	pid=$!
	tries=0
	while [ ! -s "$dir/url" ]; do
		tries=$((tries + 1))
		if [ $tries -gt 100 ] || ! kill -0 "$pid" 2>/dev/null; then
			echo "not ok - it starts"
			cat "$tmp/err"
			exit 1
		fi
		sleep 0.1
	done
	url=$(cat "$dir/url")
}

call() { curl -sS --max-time 20 --noproxy '*' --cacert "$tmp/box/ca.pem" "$@"; }
admin() { call -H 'Content-Type: application/json' "$@"; }
status() { call -o /dev/null -w '%{http_code}' "$@"; }
# The exit status of curl: 18 partial, 52 empty, 56 reset.
failure() { call -o "$tmp/body" "$@" 2>/dev/null; echo $?; }
field() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }
fault()
{
	admin -X DELETE -o /dev/null "$url/_admin/faults"
	admin -o "$tmp/body" -d "$1" "$url/_admin/faults"
}
twin_writes() { admin "$url/_admin/truth" | grep -o '"what":"rename-project"' | wc -l | tr -d ' '; }
mint()
{
	call -d grant_type=client_credentials -d client_id=reader -d "client_secret=$secret" \
		-d scope=AdobeID,openid "$@" "$url/ims/token/v3"
}

secret=p8e-sandbox-reader
cat >"$tmp/world.yaml" <<WORLD
clock: 2026-11-23T08:00:00Z
seed: 1
switches: {skew: {ims: 90s}}
callers:
  - {name: reader, client_id: reader, client_secret: $secret, may: [console], scopes: [AdobeID, openid]}
organizations:
  - id: "23294"
    ims: ABC@AdobeOrg
    name: Acme
    projects:
      - id: "100"
        title: Campaign and Dynamics
        workspaces:
          - id: "200"
            credentials:
              - {id: "300", name: acs, client_id: c0ffee, client_secret: p8e-c0ffee, state: jwt_only,
                 technical_account_id: T@techacct.adobe.com, scopes: [AdobeID, openid]}
WORLD

# ---- start ----
start "$tmp/box" --speed 0 --log "$tmp/log"
is "the port and the url agree" "https://127.0.0.1:$(cat "$tmp/box/port")" "$url"
is "it says where it listens" "$(cat "$tmp/out")" "listening on $url"
is "the authority's key is private" "$(ls -l "$tmp/box/ca-key.pem" | cut -c1-10)" "-rw-------"

# ---- TLS ----
is "with the authority curl trusts it" "$(status "$url/_admin/now")" 200
is "by the name localhost too" "$(status "https://localhost:${url##*:}/_admin/now")" 200
curl -sS --noproxy '*' -o /dev/null "$url/_admin/now" 2>/dev/null
is "without the authority it does not" "$?" 60
curl -sS --noproxy '*' --cacert "$tmp/box/ca.pem" -o /dev/null --connect-to "evil.example:443:127.0.0.1:${url##*:}" \
	https://evil.example/ 2>/dev/null
is "nor by another name" "$?" 60
curl -sS --noproxy '*' --cacert "$tmp/box/ca.pem" -o /dev/null --tls-max 1.1 "$url/_admin/now" 2>/dev/null
is "nor with TLS 1.1" "$?" 35

# ---- twins ----
token=$(mint | field access_token)
is "a token is minted" "${token:+yes}" yes
secret=wrong
has "a wrong secret is refused" "$(mint)" invalid_client
secret=p8e-sandbox-reader
orgs=$url/console/organizations
is "the console answers 401 without a token" "$(status -H 'x-api-key: reader' "$orgs")" 401
is "403 with a strange key" "$(status -H "Authorization: Bearer $token" -H 'x-api-key: strange' "$orgs")" 403
is "and 200 with both" "$(status -H "Authorization: Bearer $token" -H 'x-api-key: reader' "$orgs")" 200
is "a path that nobody serves is 404" "$(status "$url/nothing/here")" 404
is "a slash hidden in a segment is 400" "$(status "$url/console/a%2fb")" 400
is "and so is a NUL" "$(status "$url/console/a%00b")" 400
head -c 1100000 /dev/zero | tr '\0' a >"$tmp/big"
is "a body over 1 MiB is 413" "$(status -d @"$tmp/big" "$url/ims/token/v3")" 413

# ---- clock ----
is "with speed 0 the clock stands" "$(admin "$url/_admin/now")" '{"now":"2026-11-23T08:00:00Z"}'
has "Date follows it, with the twin's skew" "$(call -i -d x=y "$url/ims/token/v3")" 'Date: Mon, 23 Nov 2026 08:01:30 GMT'
is "advance by" "$(admin -d '{"by":"24h"}' "$url/_admin/advance" | field now)" 2026-11-24T08:00:00Z
is "advance to" "$(admin -d '{"to":"2026-11-25T00:00:00Z"}' "$url/_admin/advance" | field now)" 2026-11-25T00:00:00Z
has "Date has moved along" "$(call -i "$url/nothing")" 'Date: Wed, 25 Nov 2026 00:00:00 GMT'
has "it never goes back" "$(admin -d '{"to":"2026-11-24T00:00:00Z"}' "$url/_admin/advance")" 'never goes back'
has "an unreadable span is refused" "$(admin -d '{"by":"soon"}' "$url/_admin/advance")" '"error"'

# ---- truth, and somebody else ----
has "the truth knows the credential" "$(admin "$url/_admin/truth")" '"client_id":"c0ffee"'
is "somebody renames the project" "$(status -H 'Content-Type: application/json' \
	-d '{"do":"rename-project","project":"100","title":"New"}' "$url/_admin/do")" 200
is "which is one write" "$(twin_writes)" 1
is "nonsense is refused" "$(status -H 'Content-Type: application/json' -d '{"do":"nonsense"}' "$url/_admin/do")" 400
is "the admin calls refuse a strange host" "$(status -H 'Host: evil.example' "$url/_admin/truth")" 403
is "an unknown admin call is 404" "$(status "$url/_admin/nothing")" 404
is "a wrong method is 405" "$(status -X DELETE "$url/_admin/now")" 405

# ---- requests ----
admin -X DELETE -o /dev/null "$url/_admin/requests"
mint >/dev/null
requests=$(admin "$url/_admin/requests?method=POST&twin=ims")
is "one mint is one request" "$(echo "$requests" | field count)" 1
has "with its path" "$requests" '"path":"/ims/token/v3"'
case $(cat "$tmp/log")$requests in
*p8e-*) is "no secret in the log" secret none ;;
*) is "no secret in the log" none none ;;
esac

# ---- faults ----
for wrong in '[{"kind":"latncy"}]' '[{"kind":"latency"}]' '[{"kind":"status","code":99}]' '[{"kind":"reset","twin":"x"}]' \
	'[{"kind":"reset","tims":1}]' '"reset"' 'no json'; do
	fault "$wrong"
	has "refused: $wrong" "$(cat "$tmp/body")" '"error"'
done
is "and no rule is left of them" "$(admin "$url/_admin/faults")" '{"rules":[]}'

fault '[{"kind":"status","code":429,"retry_after":7,"path":"/ims","times":1}]'
answer=$(call -i "$url/ims/token/v3")
has "status: the code" "$answer" 'HTTP/1.1 429'
has "status: Retry-After" "$answer" 'Retry-After: 7'
has "status: only so many times" "$(mint)" access_token
has "the rule has counted" "$(admin "$url/_admin/faults")" '"seen":2,"fired":1'

fault '[{"kind":"status","code":503,"after":1,"times":1,"method":"POST","contains":"token","body":"{}"}]'
has "after: the first one passes" "$(mint)" access_token
is "after: the second one does not" "$(mint -w '%{http_code}')" '{}503'

admin -X DELETE -o /dev/null "$url/_admin/requests"
fault '[{"kind":"reset","times":1}]'
is "reset: the connection is reset" "$(failure -d grant_type=x "$url/ims/token/v3")" 56
has "reset: the twin has seen nothing" "$(admin "$url/_admin/requests")" '"status":0,"twin_status":0,"fault":"reset"'
fault '[{"kind":"reset_after","times":1}]'
is "reset_after: the reply is lost" "$(failure -d grant_type=x "$url/ims/token/v3")" 56
has "reset_after: the twin has acted" "$(admin "$url/_admin/requests")" '"status":0,"twin_status":400,"fault":"reset_after"'

fault '[{"kind":"truncate","bytes":10}]'
is "truncate: curl misses the rest" "$(failure "$url/nothing")" 18
is "truncate: so many bytes came" "$(wc -c <"$tmp/body" | tr -d ' ')" 10
fault '[{"kind":"html"}]'
has "html: a page of something else" "$(call -i "$url/ims/token/v3")" 'Content-Type: text/html'
fault '[{"kind":"garbage"}]'
has "garbage: says that it is JSON" "$(call -i "$url/ims/token/v3")" 'Content-Type: application/json'
fault '[{"kind":"huge","bytes":5000000}]'
is "huge: so many bytes" "$(call "$url/ims/token/v3" | wc -c | tr -d ' ')" 5000000

project=$orgs/23294/projects/100
get_project() { call -H "Authorization: Bearer $token" -H 'x-api-key: reader' "$project"; }
fault '[]' # the clock has moved past the first token's life
token=$(mint | field access_token)
fault '[{"kind":"stale","path":"/console"}]'
has "stale: the first answer is true" "$(get_project)" '"New"'
admin -o /dev/null -d '{"do":"rename-project","project":"100","title":"Newer"}' "$url/_admin/do"
has "stale: the next one is old" "$(get_project)" '"New"'
fault '[]'
has "stale: no more" "$(get_project)" '"Newer"'

fault '[{"kind":"latency","ms":1500,"path":"/slow"}]'
call -o /dev/null -w '%{time_total}' "$url/slow" >"$tmp/time" &
waiting=$!
sleep 0.3
is "latency: others go on" "$(call -o /dev/null -w '%{time_total}' "$url/quick" | cut -d. -f1)" 0
wait $waiting
is "latency: the one waits" "$(cut -d. -f1 "$tmp/time")" 1
fault '[{"kind":"huge","bytes":300},{"kind":"reset"}]'
is "the first rule decides" "$(call "$url/x" | wc -c | tr -d ' ')" 300
fault '[{"kind":"slow","bytes_per_second":200},{"kind":"huge","bytes":300}]'
is "slow: the body takes its time" "$(call -o /dev/null -w '%{time_total}' "$url/x" | cut -d. -f1)" 1
is "slow: and is whole" "$(call "$url/x" | wc -c | tr -d ' ')" 300
fault '[]'

# ---- end, and a second start ----
"$sandbox" --world "$tmp/world.yaml" --dir "$tmp/box" 2>/dev/null >&2
is "a second one in the folder is refused" "$?" 6
fault '[{"kind":"latency","ms":60000}]'
call -o /dev/null "$url/x" 2>/dev/null &
waiting=$!
sleep 0.3
cp "$tmp/box/ca.pem" "$tmp/ca.pem"
stop
is "SIGTERM ends it cleanly, waiting requests or not" "$?" 0
wait $waiting
is "nothing is left of its address" "$(ls "$tmp/box" | tr '\n' ' ')" "ca-key.pem ca.pem lock "
start "$tmp/box" --speed 3600
is "a second start has the same authority" "$(cmp "$tmp/ca.pem" "$tmp/box/ca.pem" && echo same)" same
is "and is trusted" "$(status "$url/_admin/now")" 200
sleep 1.2
case $(admin "$url/_admin/now" | field now) in
2026-11-23T09:* | 2026-11-23T1*) is "with speed 3600 a second is an hour" yes yes ;;
*) is "with speed 3600 a second is an hour" no yes ;;
esac
stop
is "and it ends" "$?" 0

sleep 1 | "$sandbox" --world "$tmp/world.yaml" --dir "$tmp/guarded" --stdin-guard >/dev/null
is "it ends with its standard input" "$?" 0
mv "$tmp/box/ca-key.pem" "$tmp/elsewhere"
"$sandbox" --world "$tmp/world.yaml" --dir "$tmp/box" >/dev/null 2>"$tmp/err"
is "half an authority is an error" "$?" 1
has "which says what to do" "$(cat "$tmp/err")" hint
echo 'clok: x' >"$tmp/bad.yaml"
"$sandbox" --world "$tmp/bad.yaml" --dir "$tmp/box" >/dev/null 2>"$tmp/err"
is "a wrong world is an error" "$?" 64
has "with its line" "$(cat "$tmp/err")" 'bad.yaml:1'
"$sandbox" --port 70000 >/dev/null 2>&1
is "wrong words are an error" "$?" 64
has "--help helps" "$("$sandbox" --help)" "--world"

exit $failed
