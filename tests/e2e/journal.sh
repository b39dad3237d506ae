#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# journal.sh - the real s2sctl with a real journal that something has happened to, in the middle of a run: each is refused or repaired, said
# clearly, and nothing is sent for it; then the run goes on to its end with what was there before.
# S2SCTL and S2S_SANDBOX name the programs. Exit 77: skipped.
set -u
# shellcheck source=tests/e2e/lib-sandbox.sh
. "$(dirname "$0")/lib-sandbox.sh"

mkdir -p "$tmp/work/secrets"
chmod 700 "$tmp/work/secrets"
cd "$tmp/work" || exit 1
sandbox "$tmp/box" "$top/examples/worlds/two-environments.yaml" --speed 60
cp "$ca" ca.pem
sed '/^  prod:/,$d' "$top/examples/plans/02-dev-and-prod.yaml" >rollout.yaml
journal=.s2sctl/journal.jsonl

# run EXIT WHAT ARG...: its words are in $text.
run()
{
	wanted=$1
	what=$2
	shift 2
	text=$("$S2SCTL" "$@" 2>&1 </dev/null)
	code=$?
	[ "$code" = "$wanted" ] || { not_ok "$what: exit $wanted" "exit $code: $text"; return 1; }
	ok "$what: exit $wanted"
}
apply() { run "$1" "$2" apply rollout.yaml --time-scale 60 --wait=1m; }

# The run waits for the quiet day: half of it is in the journal.
apply 3 "the run begins and waits"
run 0 "its journal" verify .s2sctl
has "is sound" "$text" "sound"
has "and its run is open" "$text" "open"
cp -a .s2sctl kept
records=$(wc -l <"$journal")

# refused EXIT WHAT WORDS: apply says so and sends nothing; the journal is what it was, and comes back.
refused()
{
	before=$(requests)
	sum=$(cat "$journal" 2>/dev/null | cksum)
	apply "$1" "$2"
	has "$2: it is said" "$text" "$3"
	is "$2: nothing was sent" "$(requests)" "$before"
	is "$2: the journal is as it was" "$(cat "$journal" 2>/dev/null | cksum)" "$sum"
	back
}
back() { rm -rf .s2sctl && cp -a kept .s2sctl; }
damaged() # WHAT RECORD: verify names it, for the file and for the folder
{
	run 1 "verify, $1" verify "$journal"
	has "verify names the record, $1" "$text" "record $2:"
}
line() { sed -n "$1p" kept/journal.jsonl; }
hash_of() { printf '%s' "$1" | sha256sum | cut -c1-64; }

# ---- damage ----
sed '5s/"at":"2/"at":"3/' kept/journal.jsonl >"$journal"
damaged "edited" 6
refused 1 "edited" "record 6 does not follow"

sed '5d' kept/journal.jsonl >"$journal"
damaged "a record removed" 5
refused 1 "a record removed" "record 5 is missing"

awk 'NR == 4 { held = $0; next } { print } NR == 5 { print held }' kept/journal.jsonl >"$journal"
damaged "two records exchanged" 4
refused 1 "two records exchanged" "record 4"

{ head -n 5 kept/journal.jsonl; echo 'not a record'; tail -n +6 kept/journal.jsonl; } >"$journal"
damaged "rubbish in the middle" 6
refused 1 "rubbish in the middle" "record 6"

head -n 7 kept/journal.jsonl >"$journal"
damaged "cut behind a record" 7
refused 1 "cut behind a record" "cut behind record 7: $records had been written"

head -c "$(($(wc -c <kept/journal.jsonl) / 2))" kept/journal.jsonl >"$journal"
refused 1 "cut in the middle" "had been written"

sed "${records}s/\"at\":\"2/\"at\":\"3/" kept/journal.jsonl >"$journal"
damaged "its last record edited" "$records"
refused 1 "its last record edited" "record $records is not the one that was written"

# A torn last line is no damage: somebody was killed while writing it.
printf '{"at":"2026-' >>"$journal"
run 0 "verify, a torn last line" verify .s2sctl
has "verify says that it is torn" "$text" "12 bytes of a torn last line"
back

# ---- another tool's, another plan's ----
other=$(line 1 | sed 's/"format":1/"format":2/; s/"tool":"[^"]*"/"tool":"9.9.9"/')
echo "$other" >"$journal"
rm -f "$journal.note"
refused 5 "another format" "s2sctl 9.9.9 wrote it in format 2"

newer="{\"n\":2,\"prev\":\"$(hash_of "$(line 1)")\",\"tool\":\"9.9.9\",\"type\":\"teleport\"}"
{ line 1; echo "$newer"; } >"$journal"
rm -f "$journal.note"
run 5 "verify, an unknown type" verify .s2sctl
refused 5 "an unknown type" "of a type 'teleport'"

line 3 | sed "s/\"prev\":\"[^\"]*\"/\"prev\":\"\"/; s/\"n\":3/\"n\":1/" >"$journal"
rm -f "$journal.note"
refused 5 "no header" "does not say which format"

cp rollout.yaml rollout.kept
sed 's/soak: 5m/soak: 6m/' rollout.kept >rollout.yaml
refused 5 "another plan" "has changed since the open run began"
cp rollout.kept rollout.yaml

# ---- where nothing can be written ----
mv .s2sctl folder && touch .s2sctl
before=$(requests)
apply 1 "the state folder is a file"
is "the state folder is a file: nothing was sent" "$(requests)" "$before"
rm .s2sctl && mv folder .s2sctl
back

mkdir .s2sctl/away && mv "$journal" .s2sctl/away && mkdir "$journal"
before=$(requests)
apply 1 "the journal is a folder"
is "the journal is a folder: nothing was sent" "$(requests)" "$before"
back

# ---- the lock ----
mkfifo pipe
"$S2SCTL" apply rollout.yaml --time-scale 60 --wait=6h >held 2>&1 </dev/null &
holder=$!
pids="$pids $holder"
tries=0
until grep -q '^pid=' .s2sctl/lock 2>/dev/null || [ $tries -gt 200 ]; do
	tries=$((tries + 1))
	sleep 0.05
done
apply 6 "a second apply"
has "the second is told who holds the lock" "$text" "pid $holder"
run 6 "unlock of a living process" unlock rollout.yaml
has "unlock names it" "$text" "pid $holder"
run 6 "unlock --force of a living process" unlock rollout.yaml --force
run 0 "status takes no lock" status rollout.yaml
kill -KILL "$holder"
wait "$holder" 2>/dev/null
grep -q "^pid=$holder" .s2sctl/lock && ok "killed, its name stays" || not_ok "killed, its name stays"
run 0 "unlock of a process of this host that was killed" unlock rollout.yaml
has "needs nothing" "$text" "takes the lock over by itself"
back

printf 'user=bob\nhost=no-such-host.invalid\nboot=b\npid=77\nsince=2026-11-01T08:00:00Z\n' >.s2sctl/lock
refused 6 "what another host left" "bob@no-such-host.invalid, pid 77"
printf 'user=bob\nhost=no-such-host.invalid\nboot=b\npid=77\nsince=2026-11-01T08:00:00Z\n' >.s2sctl/lock
run 6 "unlock without --force" unlock rollout.yaml
has "it says what to check" "$text" "pid 77 does not run"
run 0 "unlock --force" unlock rollout.yaml --force
run 0 "show, after it" show "$journal"
has "the journal tells who did it" "$text" "took away the lock that was left by bob@no-such-host.invalid"
run 0 "verify, after it" verify .s2sctl
run 0 "unlock of a free lock" unlock rollout.yaml

# ---- ack ----
run 64 "ack of an unknown step" ack dev/console.migration/finalise --by me
has "it says which was meant" "$text" "did you mean 'dev/console.migration/finalize'?"
run 64 "ack of a finished step" ack dev/console.migration/start --by me
has "it says so" "$text" "finished"
run 64 "ack of a step that asks nobody" ack dev/console.migration/finalize --by me
has "it says so" "$text" "waits for nobody"
run 64 "ack for an unknown environment" ack devv/app.settings/attest --by me --fact auth_type=jwt
has "it says which was meant" "$text" "did you mean 'dev'?"
is "nothing of it was kept" "$(cat .s2sctl/acks.jsonl 2>/dev/null)" ""

# ---- room ----
# A disk of its own needs a right that not everybody has; the unit tests have a model of one for everybody.
mkdir small
if mount -t tmpfs -o size=1m,mode=700 tmpfs small 2>/dev/null; then
	cp -a .s2sctl/. small/
	head -c 2000000 /dev/zero >small/filler 2>/dev/null
	# Others write all the time: what this program would have written counts.
	ours() { echo "$(wrote start-migration) $(wrote reveal-secret) $(wrote save-settings) $(wrote stop-workflow) $(wrote finalize)"; }
	before=$(ours)
	run 1 "no room on the disk" apply rollout.yaml --time-scale 60 --wait=1m --state small
	is "no room on the disk: no system was written to" "$(ours)" "$before"
	rm -f small/filler
	run 0 "no room on the disk: the journal" verify small
	umount small
else
	echo "# not tried here: a disk without room (no right to mount one)"
fi

# ---- and on ----
tries=0
while
	"$S2SCTL" apply rollout.yaml --time-scale 60 --wait=5m --confirm 'Geometrixx D365 dev' >said 2>&1 </dev/null
	code=$?
	[ "$code" = 3 ] && [ $tries -lt 12 ]
do
	tries=$((tries + 1))
	if grep -q '^A person is needed: ' said; then
		"$here/lib-person.sh" said >/dev/null || not_ok "the person can do what was asked"
	else
		advance by 13h
	fi
done
is "the run comes to its end" "$code" 0
[ "$code" = 0 ] || tail -n 5 said
run 0 "verify of the finished run" verify .s2sctl --format json
has "verify finds the receipt sound" "$text" '"sound":true'
has "verify knows the run as finished" "$text" '"state":"finished"'
run 0 "show of the finished run" show "$journal"
has "show tells the receipt" "$text" "receipt written"

exit $failed
