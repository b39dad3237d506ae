#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lib-person.sh [FILE] - plays the person: reads what `s2sctl apply` has printed under "A person is needed" (FILE or stdin), does it on the
# sandbox's HTML pages, and says so with `s2sctl ack`. Nothing else is used: no API, no admin call, no look into the journal.
#
# From the environment: SANDBOX_URL, SANDBOX_CA, S2SCTL; runs in the folder of the rollout file.
# PERSON_SKIPS: steps that are only said to be done, e.g. "app.settings/switch" (a person who errs).
set -eu

: "${SANDBOX_URL:?}" "${SANDBOX_CA:?}" "${S2SCTL:?}"
me="Pat Example"

get() { curl -sS --fail --max-time 20 --noproxy '*' --cacert "$SANDBOX_CA" "$SANDBOX_URL$1"; }
# Submits a form and shows the page behind it; a refusal stands there as a notice.
submit() # path data...
{
	path=$1
	shift
	page=$(curl -sS --fail -L --max-time 20 --noproxy '*' --cacert "$SANDBOX_CA" "$@" "$SANDBOX_URL$path")
	refusal=$(printf '%s\n' "$page" | sed -n 's/.*id="notice">\([^<]*\)<.*/\1/p')
	[ -z "$refusal" ] || { echo "the page says: $refusal" >&2; exit 1; }
}
do_this() { printf '  (person) %s\n' "$*"; }

# attribute ID NAME <page: data-NAME of the element with that id
attribute() { sed -n "s/.* id=\"$1\".* data-$2=\"\([^\"]*\)\".*/\1/p"; }
element() { sed -n "s/.*<[a-z]* id=\"$1\"[^>]*>\([^<]*\)<.*/\1/p"; }

# ---- what the text asks for ----

# quoted BEFORE: the first words in '...' behind BEFORE
quoted() { printf '%s\n' "$task" | sed -n "s/.*$1 '\([^']*\)'.*/\1/p" | head -n 1; }

open_project()
{
	title=$(quoted 'open project')
	[ -n "$title" ] || { echo "no project is named" >&2; exit 1; }
	project=$(get /pages/console | sed -n "s/.* data-project=\"\([^\"]*\)\".*>$title<\/a>.*/\1/p")
	case $project in '' | *[!0-9]*) echo "project '$title' is not in the list, or not alone" >&2; exit 1 ;; esac
	card=$(get "/pages/console/projects/$project")
	credential=$(printf '%s\n' "$card" | sed -n 's/.* id="credential-\([^"]*\)".*/\1/p')
}
console_button() { submit "/pages/console/projects/$project/$1" --data-urlencode "credential=$credential"; }

open_app() # Settings or Workflows
{
	instance=$(quoted 'instance')
	[ -n "$instance" ] || { echo "no instance is named" >&2; exit 1; }
	app=/pages/app/$instance/$1
}
flow() { get "$app" | attribute "workflow-$1" status; }
press() { submit "$app" --data-urlencode "workflow=$2" --data-urlencode "act=$1"; }
clock() { get "$app" | sed -n 's/.* id="now">\([^<]*\)<.*/\1/p'; }
# Minutes since midnight, to know when one minute has passed; a restart over midnight waits a little longer.
minute_of() { echo "$1" | awk -F '[T:.Z]' '{ print $2 * 3600 + $3 * 60 + $4 }'; }
until_status() # workflow status
{
	tries=0
	until [ "$(flow "$1")" = "$2" ]; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || { echo "$1 is $(flow "$1"), not $2" >&2; exit 1; }
		sleep 0.1
	done
}

restart_workflows()
{
	open_app workflows
	ran=
	before=
	for w in ingress egress opt-in-out; do
		before="$before --fact $w=$(flow "$w")"
		case $(flow "$w") in RUNNING | STARTING | FAILED) ran="$ran $w" ;; esac
	done
	do_this "workflows that run:${ran:- none}; stops them"
	for w in $ran; do press stop "$w"; done
	for w in $ran; do until_status "$w" STOPPED; done
	stopped=$(clock)
	from=$(minute_of "$stopped")
	while now=$(minute_of "$(clock)") && [ "$now" -ge "$from" ] && [ "$now" -lt $((from + 60)) ]; do
		sleep 0.1
	done
	do_this "all stopped at $stopped; a minute later starts them again"
	for w in $ran; do press start "$w"; done
	for w in $ran; do until_status "$w" RUNNING; done
}

save_settings()
{
	open_app settings
	client_id=$(printf '%s\n' "$task" | sed -n 's/.*Type Client ID: \([^ ]*\).*/\1/p')
	ref=$(printf '%s\n' "$task" | sed -n 's/.*Paste Client Secret: what file:\([^ ]*\) holds.*/\1/p')
	do_this "sets Auth Type to Oauth for $instance and saves"
	submit "$app" --data-urlencode auth_type=oauth --data-urlencode "client_id=$client_id" \
		--data-urlencode "client_secret@$ref"
	[ "$(get "$app" | attribute settings auth-type)" = oauth ]
}

set_back()
{
	open_app settings
	client_id=$(printf '%s\n' "$task" | sed -n 's/.*See that Client ID is \([^ ,]*\),.*/\1/p')
	ref=$(printf '%s\n' "$task" | sed -n 's/.*Paste the private key.*: what file:\([^ ]*\) holds.*/\1/p')
	do_this "sets Auth Type to JWT for $instance and saves"
	submit "$app" --data-urlencode auth_type=jwt --data-urlencode "client_id=$client_id" \
		--data-urlencode "private_key@$ref"
	[ "$(get "$app" | attribute settings auth-type)" = jwt ]
}

store_secret()
{
	open_project
	ref=$(printf '%s\n' "$task" | sed -n 's/.*store it where file:\([^ ]*\) leads.*/\1/p')
	do_this "retrieves the client secret and stores it in $ref"
	console_button reveal
	(umask 077 && mkdir -p "$(dirname "$ref")" && printf '%s\n' "$page" | element client-secret | tr -d '\n' >"$ref")
	[ -s "$ref" ]
}

# ---- one question ----

ack()
{
	do_this "s2sctl ack $step --by '$me'${*:+ $*}"
	"$S2SCTL" ack "$step" --by "$me" "$@"
}

answer()
{
	step=$(printf '%s\n' "$task" | sed -n 's/^A person is needed: //p')
	then=$(printf '%s\n' "$task" | sed -n 's/^ *then  *//p')
	case $then in
	*--last-used*)
		open_project
		used=$(printf '%s\n' "$card" | attribute "credential-$credential" last-used-jwt)
		do_this "reads on the card: JWT last used ${used:-never}"
		if [ -n "$used" ]; then ack --last-used "$used"; else ack --none-since 2023-03-30; fi
		return ;;
	*--fact\ oauth_last_used*)
		open_project
		ack --fact "oauth_last_used=$(printf '%s\n' "$card" | attribute "credential-$credential" last-used-oauth)"
		return ;;
	*--at\ TIME*) ;; # to be done, not only read: below
	*--fact\ ingress*)
		open_app workflows
		page=$(get "$app")
		set --
		for w in ingress egress opt-in-out; do
			set -- "$@" --fact "$w=$(printf '%s\n' "$page" | attribute "workflow-$w" status)"
			set -- "$@" --fact "${w}_backlog=$(printf '%s\n' "$page" | attribute "workflow-$w" backlog)"
		done
		ack "$@"
		return ;;
	esac
	case " ${PERSON_SKIPS:-} " in
	*" ${step#*/} "*)
		do_this "only says that it is done"
		case $step in
		*/app.workflow/restart) ack --fact ingress=RUNNING --fact egress=RUNNING --fact opt-in-out=STOPPED ;;
		*) ack ;;
		esac
		return ;;
	esac
	case $step in
	*/console.migration/start)
		open_project
		do_this "clicks 'Add new credential' in '$title'"
		console_button start
		ack ;;
	*/console.secret/bring)
		store_secret
		ack ;;
	*/app.settings/switch)
		save_settings
		ack ;;
	*/app.settings/switch-back)
		set_back
		ack ;;
	*/console.migration/cancel)
		open_project
		do_this "clicks 'Cancel migration' in '$title'"
		console_button cancel
		ack ;;
	*/app.workflow/restart)
		restart_workflows
		# shellcheck disable=SC2086 # words, each without blanks
		ack --at "$stopped" $before ;;
	*/console.migration/finalize)
		open_project
		do_this "types '$title' and clicks 'Confirm and continue'"
		submit "/pages/console/projects/$project/finalize" --data-urlencode "credential=$credential" \
			--data-urlencode "project_title=$title"
		ack ;;
	*) echo "what is '$step'?" >&2; exit 1 ;;
	esac
}

text=$(cat "${1:--}")
count=$(printf '%s\n' "$text" | grep -c '^A person is needed: ') || { echo "nobody is asked for" >&2; exit 1; }
n=0
while [ $n -lt "$count" ]; do
	n=$((n + 1))
	task=$(printf '%s\n' "$text" | awk -v n=$n '/^A person is needed: / { i++; on = i == n } /^$/ { on = 0 } on')
	answer
done
