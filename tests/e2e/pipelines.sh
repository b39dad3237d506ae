#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pipelines.sh - examples/pipelines from pull request to convergence and drift, for GitHub and for GitLab: the steps of the YAML themselves,
# each job in a clone of its own that is deleted afterwards, real git in between, a sandbox as the live systems.
#
# Only the services are played: pipeline_job.py runs a job's steps, pipeline_fakes.py keeps comments.
. "$(dirname "$0")/lib-sandbox.sh"

for program in git ssh-keygen bash python3; do
	command -v $program >/dev/null || { echo "SKIP: $program is missing"; exit 77; }
done
python3 -c 'import yaml' 2>/dev/null || { echo "SKIP: python3-yaml is missing"; exit 77; }
FAST=200
pipelines=$top/examples/pipelines
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
HOME=$tmp
mkdir "$tmp/bin"
ln -s "$S2SCTL" "$tmp/bin/s2sctl"
printf '#!/bin/sh\nexec python3 %s/pipeline_fakes.py gh "$@"\n' "$here" >"$tmp/bin/gh"
chmod +x "$tmp/bin/gh"
PATH=$tmp/bin:$PATH
export HOME PATH

for who in ann recorder stranger old; do ssh-keygen -q -t ed25519 -N '' -C "$who@example.com" -f "$tmp/$who"; done
key() { cut -d ' ' -f 1,2 "$tmp/$1.pub"; }
git_as() { who=$1; shift; git -c user.name="$who" -c user.email="$who@example.com" "$@"; }

# ---- a project on one of the services ----

# The rollout: dev alone, by the bridge, its secret on a volume of the runners; a title that a log must not take for a command.
rollout() # SOAK
{
	sed -e '/^  prod:/,$d' -e "s|file:secrets/dev-client-secret|file:$vault/dev-client-secret|" -e "s/soak: 5m/soak: $1/" \
		-e "s/title: Geometrixx D365 dev/title: '$TITLE'/" "$top/examples/plans/02-dev-and-prod.yaml" |
		awk '/^connections:/ { print "policy:\n  approvals: {signers: signers, all: 1}" } { print }'
}
TITLE='::error file=x::Geometrixx dev'

project() # SERVICE: a world, a repository, recorded history up to now
{
	service=$1
	home=$tmp/$service
	vault=$home/vault
	mkdir -p "$home/artifacts" "$home/fake" "$vault"
	chmod 700 "$vault"
	sed -e "s/^clock: .*/clock: $(date -u +%Y-%m-%dT%H:%M:%SZ)/" -e "s/title: Geometrixx D365 dev/title: '$TITLE'/" \
		"$top/examples/worlds/two-environments.yaml" >"$home/world.yaml"
	sandbox "$home/box" "$home/world.yaml" --speed $FAST
	git init -q --bare -b main "$home/origin.git"
	git clone -q "$home/origin.git" "$home/desk" 2>/dev/null
	cd "$home/desk" || exit 1
	git checkout -q -b main
	cp -R "$pipelines/ci" ci
	if [ "$service" = github ]; then cp -R "$pipelines/github/.github" .github; else cp "$pipelines/gitlab/.gitlab-ci.yml" .; fi
	cp "$ca" ca.pem
	rollout 5m >rollout.yaml
	cat >signers <<-END
		ann@example.com namespaces="s2sctl-approval" $(key ann)
		recorder@example.com namespaces="s2sctl-observations" $(key recorder)
		old@example.com valid-before="20200101Z" $(key old)
	END
	git add .
	git_as maker commit -q -m "The rollout"
	git push -q origin main
	: >"$home/log"
	if [ "$service" = gitlab ]; then
		python3 "$here/pipeline_fakes.py" gitlab "$home/fake" &
		pids="$pids $!"
		while [ ! -s "$home/fake/url" ]; do sleep 0.05; done
	fi
}

# What the service knows of a job, as JSON; with_secrets no: a pull request's.
context() # SECRETS BEFORE
{
	SECRETS=$1 BEFORE=$2 SERVICE=$service JOB_HOME=$home FAST=$FAST KEY_FILE=$tmp/recorder PROPOSED=$proposed python3 - <<-'END'
		import json, os, subprocess
		e, home = os.environ, os.environ["JOB_HOME"]
		wanted = {"S2S_RECORD_KEY": open(e["KEY_FILE"], encoding="ascii").read(), "S2S_PLAN_OPTIONS": f"--time-scale {e['FAST']}",
		          "S2S_OPTIONS": f"--time-scale {e['FAST']} --wait=6m"}
		wanted |= {k: v for k, v in e.items() if k.startswith("S2S_") and k not in ("S2S_SANDBOX",)}
		if e["SECRETS"] == "no":
		    wanted = {}
		main = subprocess.run(["git", "-C", f"{home}/origin.git", "rev-parse", "main"], capture_output=True, text=True, check=True).stdout.strip()
		if e["SERVICE"] == "github":
		    known = {f"{kind}.{k}": v for k, v in wanted.items() for kind in ("secrets", "vars")}
		    known |= {"github.event.before": e["BEFORE"], "github.event.pull_request.head.sha": e["PROPOSED"], "github.event.pull_request.base.sha": main,
		              "github.event.pull_request.number": "7", "github.token": "fake-github-token", "github.workflow": "job", "github.run_id": "1",
		              "GITHUB_REPOSITORY": "example/rollouts", "GITHUB_STEP_SUMMARY": f"{home}/summary"}
		else:
		    known = wanted | {"CI_COMMIT_BEFORE_SHA": e["BEFORE"], "CI_COMMIT_SHA": e["PROPOSED"], "CI_JOB_NAME": "job", "CI_JOB_ID": "1",
		                      "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_MERGE_REQUEST_IID": "7", "CI_PROJECT_ID": "12",
		                      "CI_API_V4_URL": open(f"{home}/fake/url", encoding="ascii").read(), "S2S_PUSH_URL": f"{home}/origin.git"}
		    if e["SECRETS"] == "no":
		        known["S2S_COMMENT_TOKEN"] = "fake-comment-token"
		json.dump(known, open(f"{home}/context.json", "w", encoding="utf-8"))
	END
}

# job NAME [BEFORE]: one job on a disk of its own. Its log in $home/job.log, its exit status in $code.
proposed=
job()
{
	secrets=yes
	[ "$1" != review ] || secrets=no
	context $secrets "${2:-}"
	rm -rf "$home/disk"
	git clone -q "$home/origin.git" "$home/disk" 2>/dev/null
	cd "$home/disk" || exit 1
	if [ "$service" = github ]; then
		file=.github/workflows/s2sctl-$1.yml
	else
		file=.gitlab-ci.yml
		[ $secrets = yes ] || git checkout -q "$proposed" 2>/dev/null || { git fetch -q origin refs/pull/7/head; git checkout -q "$proposed"; }
	fi
	ARTIFACTS=$home/artifacts FAKE_GH=$home/fake python3 "$here/pipeline_job.py" "$service" "$file" "$1" "$home/context.json" >"$home/job.log" 2>&1
	code=$?
	cat "$home/job.log" >>"$home/log"
	cd "$home" || exit 1
	rm -rf "$home/disk"
	[ $code -ne 99 ] || not_ok "$service: the job's own harness" "$(tail -3 "$home/job.log")"
}
# job_is WHAT WANTED
job_is()
{
	is "$service: $1" "$code" "$2"
	[ "$code" = "$2" ] || tail -n 25 "$home/job.log"
}

desk() { cd "$home/desk" && git checkout -q main && git pull -q --ff-only origin main; }
merge() { before=$(git -C "$home/origin.git" rev-parse main); git push -q origin main; }
state() { git -C "$home/origin.git" show "s2sctl-state:$1"; }
intent() { sed 's/.*"intent_digest":"\([0-9a-f]*\)".*/\1/'; }
acts() { tr '\n' ' ' <"$home/fake/acts"; }

# ---- the parts of the story ----

review()
{
	job watch
	job_is "on the first look something is to be done" 2
	has "$service: said in few words" "$(cat "$home/job.log")" 'dev: 11 steps from what the file says'
	is "$service: what was seen is recorded and signed" "$(state observations.json.sig | head -n 1)" '-----BEGIN SSH SIGNATURE-----'

	# A stranger's change: the rollout file, and on top of it everything that would help them.
	desk || exit 1
	git checkout -q -b proposed
	sed -i 's/soak: 5m/soak: 6m/' rollout.yaml
	echo "stranger@example.com $(key stranger)" >>signers
	for f in ci/review.sh ci/comment-github.sh ci/comment-gitlab.py; do printf '#!/bin/sh\ntouch %s/owned\n' "$home" >$f; done
	git_as maker commit -q -a -m "Longer, and mine"
	proposed=$(git rev-parse HEAD)
	git push -q origin "HEAD:refs/pull/7/head"
	forget_requests
	job review
	job_is "reviewed without a credential" 0
	is "$service: nothing was asked of the systems" "$(requests)" 0
	is "$service: nothing of the pull request was run" "$([ -e "$home/owned" ] && echo run)" ""
	is "$service: one comment more" "$(acts)" "POST "
	has "$service: the comment says what it rests on" "$(cat "$home/fake/comments.json")" 'rests on what was recorded at'
	[ "$service" != github ] || has "github: the summary is there" "$(cat "$home/summary")" 's2sctl'

	cd "$home/desk" || exit 1
	sed -i 's/soak: 6m/soak: 4m/' rollout.yaml
	git_as maker commit -q -a -m "Or shorter"
	proposed=$(git rev-parse HEAD)
	git push -q -f origin "HEAD:refs/pull/7/head"
	job review
	job_is "reviewed again" 0
	is "$service: the comment is edited, not a second one" "$(acts)" "POST PATCH "
	has "$service: and the stranger's is left alone" "$(cat "$home/fake/comments.json")" 'mine, says a stranger'

	cd "$home/desk" || exit 1
	sed -i 's/soak: 4m/sock: 4m/' rollout.yaml
	git_as maker commit -q -a -m "A slip"
	proposed=$(git rev-parse HEAD)
	git push -q -f origin "HEAD:refs/pull/7/head"
	job review
	job_is "a mistake ends it" 64
	has "$service: at its place" "$(cat "$home/job.log")" 'sock'
	has "$service: and the comment says so" "$(cat "$home/fake/comments.json")" 'is not valid'
}

approval()
{
	desk || exit 1
	git checkout -q -b good
	sed -i 's/soak: 5m/soak: 4m/' rollout.yaml
	echo "$TITLE" >rollout.confirm
	git add .
	git_as maker commit -q -m "A shorter soak"
	proposed=$(git rev-parse HEAD)
	git push -q -f origin "HEAD:refs/pull/7/head"
	job review
	job_is "the change that is meant is reviewed" 0

	# Merged without anybody's approval.
	cd "$home/desk" && git checkout -q main && git merge -q --ff-only good
	merge
	forget_requests
	job apply "$before"
	job_is "without approval nothing is carried out" 5
	has "$service: and it says why" "$(cat "$home/job.log")" 'needs 1 approval and has 0'
	is "$service: nothing was written" "$(wrote start-migration)" 0
	is "$service: the state is given back after a failure as well" "$(state running 2>/dev/null)" ""

	# Signed by somebody who adds themselves in the same change.
	desk || exit 1
	s2sctl approve "$home/artifacts/review/plan.json" --key "$tmp/stranger" -o rollout.approvals --until 365d >>"$home/log" 2>&1
	echo "stranger@example.com $(key stranger)" >>signers
	git add .
	git_as maker commit -q -m "Approved, says who wants it"
	merge
	job apply "$before"
	job_is "who adds themselves is not believed" 5
	desk || exit 1
	git_as ann revert --no-edit HEAD >/dev/null
	merge

	# Signed by who may, and looked at what was reviewed: the artefact.
	desk || exit 1
	s2sctl approve "$home/artifacts/review/plan.json" --key "$tmp/ann" -o rollout.approvals --until 365d >>"$home/log" 2>&1
	git add .
	git_as ann commit -q -m "Approved"
	merge
	job apply "$before"
	job_is "approved: it begins, and waits" 0
	has "$service: it waits" "$(cat "$home/job.log")" 'waiting: the scheduled job goes on'
	is "$service: the live plan means what the pull request's did" "$(state journal.jsonl | grep '"type":"run"' | intent)" \
		"$(intent <"$home/artifacts/review/plan.json")"
}

# The scheduled job, time passing, a person answering at their own desk.
convergence()
{
	used=$(date -u -d '2 hours ago' +%Y-%m-%dT%H:%M:%SZ)
	rounds=0 done=no
	while [ $done = no ] && [ $rounds -lt 14 ]; do
		rounds=$((rounds + 1))
		until=$(sed -n 's/.*waiting until \([0-9TZ:.-]*\), then.*/\1/p' "$home/job.log" | tail -n 1)
		if grep -q 'ack dev/console.usage/jwt-quiet' "$home/job.log"; then
			desk || exit 1
			{
				ci/state.sh take
				s2sctl ack dev/console.usage/jwt-quiet --by 'Pat Example' --last-used "$used"
				ci/state.sh keep
			} >>"$home/log" 2>&1
			rm -rf .s2sctl
		elif [ -n "$until" ]; then
			advance to "$until"
			advance by 1m
		else
			advance by 25h
		fi
		job watch
		grep -q 'a run is open' "$home/job.log" || done=yes
		[ $code -eq 0 ] || done=yes
	done
	job_is "it ends as the file says" 0
	has "$service: nothing is left" "$(cat "$home/job.log")" 'dev: as the file says'
	is "$service: deleted once" "$(wrote finalize)" 1
	mkdir "$home/check"
	for f in journal.jsonl journal.jsonl.note; do state $f >"$home/check/$f"; done
	s2sctl verify "$home/check" >"$home/out" 2>&1
	is "$service: the journal that was carried from disk to disk is whole" "$?" 0

	job watch
	job_is "and nothing drifts" 0
	somebody '{"do": "save-settings", "instance": "geometrixx-dev", "auth_type": "oauth", "client_secret": "fake-wrong"}'
	somebody '{"do": "fail-workflow", "instance": "geometrixx-dev", "workflow": "ingress"}'
	job watch
	job_is "somebody changes what runs: drift" 2
}

together()
{
	cd "$home" || exit 1
	for n in 1 2; do
		git clone -q origin.git disk$n 2>/dev/null
		(cd disk$n && S2S_JOB="job $n" ci/state.sh take >../take$n.log 2>&1; echo $? >../take$n) &
		eval "taker$n=\$!"
	done
	# shellcheck disable=SC2154 # set by eval
	wait "$taker1" "$taker2"
	is "$service: of two jobs at once one is refused" "$(sort take1 take2 | tr '\n' ' ')" "0 6 "
	if [ "$(cat take1)" = 0 ]; then winner=1 loser=2; else winner=2 loser=1; fi
	(cd disk$loser && ci/state.sh keep >../keep.log 2>&1)
	is "$service: and keeps nothing" "$? $(state running | cut -d , -f 1)" "0 job $winner"
	job watch
	job_is "a job meets the mark of one that died" 6
	has "$service: whose it is" "$(cat "$home/job.log")" "job $winner"
	is "$service: which a failed job leaves alone" "$(state running | cut -d , -f 1)" "job $winner"
	desk && ci/state.sh free >>"$home/log" 2>&1
	job watch
	job_is "taken away by hand: on it goes" 2
}

# refused WHAT REASON: the record in $home/desk/obs.json
refused()
{
	env -i "$S2SCTL" plan rollout.yaml --from obs.json --allowed-signers signers --by maker >"$home/out" 2>"$home/err"
	is "$1: refused" "$? $(wc -c <"$home/out" | tr -d ' ')" "5 0"
	has "$1: the reason in one line" "$(grep '^error' "$home/err")" "$2"
	is "$1: in no more than one line" "$(grep -c '^error' "$home/err")" 1
}
records()
{
	desk || exit 1
	state observations.json >obs.json
	refused "no signature" 'it is not signed'
	state observations.json.sig >obs.json.sig
	env -i "$S2SCTL" plan rollout.yaml --from obs.json --allowed-signers signers --by maker >"$home/out" 2>"$home/err"
	is "signed by who may" "$?" 0
	has "it says how old, and whose" "$(cat "$home/err")" 'ago, signed by recorder@example.com'
	sed 's/"status":"/&X/' obs.json >other && mv other obs.json
	refused "edited" 'obs.json'
	env -i "$S2SCTL" plan rollout.yaml --from obs.json --unsigned --by maker >"$home/out" 2>"$home/err"
	has "taken without one when asked to" "$(cat "$home/err")" 'its signature was not looked at'
	env -i "$S2SCTL" plan rollout.yaml --from obs.json --by maker >"$home/out" 2>"$home/err"
	is "not by default" "$?" 64
	state observations.json >obs.json
	for who in stranger:"is not in 'signers'" old:'has expired' ann:'may not sign for'; do
		rm -f obs.json.sig
		ssh-keygen -q -Y sign -f "$tmp/${who%%:*}" -n s2sctl-observations obs.json 2>/dev/null
		refused "signed by ${who%%:*}" "${who#*:}"
	done
	git checkout -q . && rm -f obs.json obs.json.sig
}

secrets_stay()
{
	{
		cat "$home/log" "$home/fake/comments.json"
		[ "$service" != github ] || cat "$home/summary"
		cat "$home"/artifacts/review/*
		git -C "$home/origin.git" cat-file --batch-all-objects --batch
	} >"$home/all"
	for text in "$S2S_CONSOLE_TOKEN" "$S2S_READER_SECRET" "$S2S_ENTRA_SECRET" "$S2S_BRIDGE_TOKEN" fake-comment-token fake-github-token \
		'PRIVATE KEY' "$(sed -n 3p "$tmp/recorder")" "$(cat "$vault/dev-client-secret")"; do
		is "$service: no log, comment, artefact or branch holds ${text%"${text#??????}"}..." "$(grep -acF -e "$text" "$home/all")" 0
	done
	# But for our own annotation of the slip: the project's title is one, wherever it is shown.
	is "$service: the title is no command to the service" \
		"$(grep -aE '^[[:space:]]*::' "$home/log" | grep -avc '^::error file=rollout.yaml,')" 0
	[ "$(grep -acF 'x::Geometrixx dev' "$home/log")" -gt 0 ] || not_ok "$service: the title is in the log" "it is not: the line above shows nothing"
	is "$service: the state holds only what it should" "$(git -C "$home/origin.git" ls-tree --name-only s2sctl-state | tr '\n' ' ')" \
		"acks.jsonl journal.jsonl journal.jsonl.note observations.json observations.json.sig "
}

for service in github gitlab; do
	project $service
	review
	approval
	convergence
	together
	[ $service != github ] || records
	secrets_stay
	sandbox_ends
done
exit "$failed"
