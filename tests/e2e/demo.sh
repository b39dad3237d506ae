#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# demo.sh - the whole migration, as a person would see it: JWT to OAuth Server-to-Server, dev by a bridge, prod by a person.
#
# `make demo` runs it with release binaries, `make check` as a test. Everything happens in a sandbox on loopback, in a
# temporary folder; lib-person.sh plays the person, lib-truth.sh judges at the end, and knows nothing of s2sctl.
# Exit 0: all held. 77: curl is missing.
set -u
# shellcheck source=tests/e2e/lib-sandbox.sh
. "$(dirname "$0")/lib-sandbox.sh"

speed=60
patience=12m # of the sandbox's time; what takes longer is waited for outside, by moving its clock
began=$(date +%s)

heading() { printf '\n==== %s ====\n\n' "$*"; }

# Shows the command, runs it, keeps what it says in $tmp/said and its exit status in $code.
run()
{
	printf '$ s2sctl'
	for word in "$@"; do
		case $word in *' '*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac
	done
	echo
	{
		"$S2SCTL" "$@" 2>&1 </dev/null
		echo $? >"$tmp/code"
	} | tee "$tmp/said"
	code=$(cat "$tmp/code")
	printf '(exit %s)\n\n' "$code"
}

# must EXIT what...: run, and that exit status or the end.
must()
{
	wanted=$1
	shift
	run "$@"
	[ "$code" = "$wanted" ] && return
	not_ok "s2sctl $1 exits $wanted" "it exited $code"
	exit 1
}

# A rollout folder as somebody would check it out, with the authority that the sandbox has made.
checkout()
{
	mkdir -p "$tmp/$1/secrets"
	chmod 700 "$tmp/$1/secrets"
	cp "$top/examples/plans/$2" "$tmp/$1/rollout.yaml"
	cp "$ca" "$tmp/$1/ca.pem"
	cd "$tmp/$1" || exit 1
}

# apply, again and again: when somebody is asked, they act; when a gate waits for a time, that time comes. Ends with an
# exit status other than 3, in $code.
carry_out()
{
	rounds=0
	while :; do
		rounds=$((rounds + 1))
		[ $rounds -le 30 ] || { not_ok "it comes to an end within 30 rounds"; exit 1; }
		run apply rollout.yaml --time-scale $speed --wait=$patience "$@"
		[ "$code" = 3 ] || return
		until=$(sed -n 's/.*; waiting until \([^,]*\),.*/\1/p' "$tmp/said")
		if grep -q '^A person is needed: ' "$tmp/said"; then
			"$here/lib-person.sh" "$tmp/said" || { not_ok "the person can do what was asked"; exit 1; }
			echo
		elif [ -n "$until" ]; then
			must 0 status rollout.yaml
			advance to "$until"
			advance by 1m
			printf -- '---- time passes; it is now past %s ----\n\n' "$until"
		elif grep -q 'run the same command again later' "$tmp/said"; then
			# A gate that cannot tell when: the app mints when its token ends, which is within a day.
			advance by 24h
			printf -- '---- a day passes ----\n\n'
		else
			not_ok "apply says what it waits for"
			exit 1
		fi
	done
}

judge() { "$here/lib-truth.sh" "$@" || failed=1; }

heading "Two environments, dev by a bridge and prod by a person, in a sandbox at speed $speed"
sandbox "$tmp/box" "$top/examples/worlds/two-environments.yaml" --speed $speed
checkout rollout 02-dev-and-prod.yaml
echo "the sandbox listens on $url; the rollout file is examples/plans/02-dev-and-prod.yaml"

heading "What can be reached, and what the credentials allow"
must 0 doctor rollout.yaml
heading "Is the file right? (nothing is sent)"
must 0 validate rollout.yaml
heading "What has to happen"
must 2 plan rollout.yaml --detailed-exitcode -o plan.json
heading "Carrying it out"
carry_out --confirm 'Geometrixx D365 dev'
[ "$code" = 0 ] || { not_ok "apply ends with exit 0" "it ended with $code"; exit 1; }
heading "Where it stands, and what is left to do"
must 0 status rollout.yaml
must 0 plan rollout.yaml --detailed-exitcode
has "plan says that there is nothing to do" "$(cat "$tmp/said")" "Nothing to do"
heading "What really happened, by the sandbox's own books"
judge migrated geometrixx-dev-client geometrixx-dev geometrixx-dev
judge migrated geometrixx-prod-client geometrixx-prod geometrixx-prod
cd "$tmp" && sandbox_ends

heading "Another world: somebody says that the app was switched, and it was not"
sandbox "$tmp/box2" "$top/examples/worlds/stays-on-jwt.yaml" --speed $speed
checkout mistake 01-one-environment.yaml
export PERSON_SKIPS=app.settings/switch
patience=2m
carry_out
is "apply ends with exit 4" "$code" 4
has "because the JWT credential is still in use" "$(cat "$tmp/said")" "gate jwt_quiet failed: the JWT credential was used at"
must 0 status rollout.yaml
heading "What really happened there"
judge intact geometrixx-prod-client geometrixx-prod geometrixx-prod

heading "$([ $failed = 0 ] && echo "All held" || echo "NOT everything held") ($(($(date +%s) - began)) s)"
exit $failed
