#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lib-truth.sh VERDICT CLIENT_ID INSTANCE TENANT - judges what really happened in a sandbox, by its ground truth alone.
#
# Knows nothing of s2sctl: no journal, no output of it, only /_admin/truth. VERDICT:
#   migrated  the JWT credential is gone, after a day of quiet; the app lives on OAuth; records flow; every write happened once
#   resumed   the same for a run that was killed: who dies before the secret is stored reads it again, and who dies in a restart does it anew
#   intact    the JWT credential is there, and the app still works with it
#   back      the migration was cancelled, once, after the app had minted by JWT and when nobody lived on OAuth; the app works by JWT
# From the environment: SANDBOX_URL, SANDBOX_CA. Prints "ok - ..." and "not ok - ..."; exits 1 when something is not so.
set -eu

: "${SANDBOX_URL:?}" "${SANDBOX_CA:?}"
[ $# = 4 ] || { sed -n '3,10s/^# \{0,1\}//p' "$0" >&2; exit 64; }

curl -sS --fail --max-time 20 --noproxy '*' --cacert "$SANDBOX_CA" "$SANDBOX_URL/_admin/truth" |
grep -oE '"([^"\\]|\\.)*"|[][{},:]|[^][{},:" ]+' |
awk -v verdict="$1" -v client="$2" -v instance="$3" -v tenant="$4" '
	# ---- the document: t["credentials.0.status"], size["credentials"] ----
	function plain(s) {
		if (s ~ /^"/) { s = substr(s, 2, length(s) - 2); gsub(/\\"/, "\"", s); gsub(/\\\//, "/", s) }
		return s
	}
	function path(upto,  i, p) {
		p = key[1]
		for (i = 2; i <= upto; i++) p = p "." key[i]
		return p
	}
	$0 == "{" { kind[++d] = "{"; is_key[d] = 1; next }
	$0 == "[" { kind[++d] = "["; key[d] = 0; next }
	$0 == "}" || $0 == "]" { d--; if (d && kind[d] == "[") size[path(d - 1)] = key[d] + 1; next }
	$0 == ":" { is_key[d] = 0; next }
	$0 == "," { if (kind[d] == "[") key[d]++; else is_key[d] = 1; next }
	kind[d] == "{" && is_key[d] { key[d] = plain($0); next }
	{ t[path(d)] = plain($0) }

	# ---- judging ----
	function is(what, holds, saw) {
		if (holds) { print "ok - " instance ": " what; return }
		print "not ok - " instance ": " what (saw == "" ? "" : " (" saw ")")
		bad = 1
	}
	function seconds(iso,  p, y, m, n) { # since 1970, proleptic Gregorian
		if (iso == "" || iso == "null") return 0
		split(iso, p, /[-T:Z]/)
		y = p[1] - (p[2] <= 2)
		m = p[2] + (p[2] > 2 ? -3 : 9)
		n = y * 365 + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * m + 2) / 5) + p[3] - 719469
		return ((n * 24 + p[4]) * 60 + p[5]) * 60 + p[6]
	}
	function find(list, member, value,  i) { # its path, or ""
		for (i = 0; i < size[list]; i++)
			if (t[list "." i "." member] == value) return list "." i
		return ""
	}
	function writes(what, on,  i, c) { # how many; last_write: when the last of them was
		last_write = 0
		for (i = 0; i < size["writes"]; i++)
			if (t["writes." i ".what"] == what && t["writes." i ".on"] == on) {
				c++
				last_write = seconds(t["writes." i ".at"])
			}
		return c + 0
	}
	function last_mint(grant, by, workflow, before,  i, m, at, last) { # before: only those no later, 0: all
		for (i = 0; i < size["mints"]; i++) {
			m = "mints." i
			at = seconds(t[m ".at"])
			if (t[m ".client_id"] == client && t[m ".grant"] == grant && t[m ".ok"] == "true" &&
			    (by == "" || t[m ".by"] == by) && (workflow == "" || t[m ".workflow"] == workflow) &&
			    (!before || at <= before) && at > last)
				last = at
		}
		return last + 0
	}

	function judge_migrated(  id, w, name, i, n, gone, quiet, restarted, arrived, p, stops, starts) {
		id = t[cred ".id"]
		is("the JWT credential is gone", t[cred ".status"] == "completed", t[cred ".status"])
		is("it was deleted once", writes("finalize", id) == 1, writes("finalize", id))
		writes("finalize", id)
		gone = last_write
		quiet = gone - last_mint("jwt", "", "", 0)
		is("after 24 h in which nobody exchanged a JWT", gone && quiet >= 86400, quiet " s")
		is("the migration was started once", writes("start-migration", id) == 1, writes("start-migration", id))
		is("and never cancelled", writes("cancel-migration", id) == 0, "")
		n = writes("reveal-secret", id)
		is(verdict == "resumed" ? "the client secret was read" : "the client secret was read once",
		   n == 1 || (verdict == "resumed" && n > 1), n)
		n = 0
		is("only the app ever exchanged its JWT", last_mint("jwt", "other", "", 0) == 0, "")
		is("the app is set to OAuth, with what works",
		   t[app ".auth_type"] == "oauth" && t[app ".client_id"] == client && t[app ".settings_good"] == "true",
		   t[app ".auth_type"] " " t[app ".client_id"])
		is("its settings were saved once", writes("save-settings", instance) == 1, writes("save-settings", instance))
		for (i = 0; i < size[app ".workflows"]; i++) {
			w = app ".workflows." i
			name = t[w ".name"]
			if (t[w ".meant_to_run"] != "true") {
				is("workflow " name " was stopped and still is",
				   t[w ".status"] == "STOPPED" && writes("start-workflow", instance "/" name) == 0, t[w ".status"])
				continue
			}
			n++
			is("workflow " name " ran and runs again", t[w ".status"] == "RUNNING", t[w ".status"])
			stops = writes("stop-workflow", instance "/" name)
			starts = writes("start-workflow", instance "/" name)
			if (verdict == "resumed")
				is("workflow " name " was started as often as it was stopped", stops && starts == stops, stops " stops, " starts " starts")
			else
				is("workflow " name " was restarted once", stops == 1 && starts == 1, stops " stops, " starts " starts")
			writes("start-workflow", instance "/" name)
			restarted = last_write
			is("workflow " name " minted by OAuth after its restart",
			   restarted && last_mint("oauth", "app:" instance, name, 0) >= restarted, "")
			is("workflow " name " holds an OAuth token that Campaign accepts", t[w ".token.grant"] == "oauth" &&
			   t[w ".token.accepted"] == "true" && seconds(t[w ".token.minted"]) >= restarted,
			   t[w ".token.grant"] " of " t[w ".token.minted"])
		}
		is("there are workflows that are meant to run", n > 0, "")
		writes("start-workflow", instance "/ingress")
		restarted = last_write
		for (i = 0; i < size["profiles"]; i++) {
			p = "profiles." i
			arrived += t[p ".tenant"] == tenant && seconds(t[p ".from_contact_modified"]) > restarted &&
				seconds(t[p ".modified"]) > restarted
		}
		is("a contact changed after the restart has arrived in Campaign", restarted && arrived > 0, "")
		is("no record was lost", t["lost"] == "0", t["lost"])
	}

	function judge_intact(  id, w, i, n) {
		id = t[cred ".id"]
		is("the JWT credential is there", t[cred ".status"] == "started" || t[cred ".status"] == "jwt_only", t[cred ".status"])
		is("nobody tried to delete it", writes("finalize", id) == 0, "")
		is("nor cancelled anything", writes("cancel-migration", id) == 0, "")
		is("the settings work", t[app ".settings_good"] == "true", t[app ".auth_type"])
		is("no JWT was exchanged but by the app and its kind", last_mint("jwt", "other", "", 0) == 0, "")
		for (i = 0; i < size[app ".workflows"]; i++) {
			w = app ".workflows." i
			if (t[w ".meant_to_run"] != "true") {
				is("workflow " t[w ".name"] " was stopped and still is", t[w ".status"] == "STOPPED", t[w ".status"])
				continue
			}
			n++
			is("workflow " t[w ".name"] " runs, with a token that Campaign accepts",
			   t[w ".status"] == "RUNNING" && t[w ".token.accepted"] == "true", t[w ".status"])
		}
		is("there are workflows that are meant to run", n > 0, "")
	}

	function judge_back(  id, w, i, n, cancelled, saved) {
		id = t[cred ".id"]
		is("the JWT credential is there, and no migration under way", t[cred ".status"] == "jwt_only", t[cred ".status"])
		is("the migration was cancelled once", writes("cancel-migration", id) == 1, writes("cancel-migration", id))
		cancelled = last_write
		is("nobody tried to delete the JWT credential", writes("finalize", id) == 0, "")
		is("the app is set to JWT, with what works", t[app ".auth_type"] == "jwt" && t[app ".settings_good"] == "true", t[app ".auth_type"])
		is("its settings were saved twice: there and back", writes("save-settings", instance) == 2, writes("save-settings", instance))
		saved = last_write
		is("nobody minted by OAuth between the way back and the cancellation", last_mint("oauth", "", "", 0) <= saved + 60, "")
		is("only the app ever exchanged its JWT", last_mint("jwt", "other", "", 0) == 0, "")
		for (i = 0; i < size[app ".workflows"]; i++) {
			w = app ".workflows." i
			if (t[w ".meant_to_run"] != "true") {
				is("workflow " t[w ".name"] " was stopped and still is", t[w ".status"] == "STOPPED", t[w ".status"])
				continue
			}
			n++
			is("workflow " t[w ".name"] " minted by JWT before the cancellation, and after the way back",
			   last_mint("jwt", "app:" instance, t[w ".name"], cancelled) > saved, "")
			is("workflow " t[w ".name"] " runs, with a JWT token that Campaign accepts", t[w ".status"] == "RUNNING" &&
			   t[w ".token.grant"] == "jwt" && t[w ".token.accepted"] == "true", t[w ".status"] " " t[w ".token.grant"])
		}
		is("there are workflows that are meant to run", n > 0, "")
		is("no record was lost", t["lost"] == "0", t["lost"])
	}

	END {
		cred = find("credentials", "client_id", client)
		app = find("apps", "instance", instance)
		is("the sandbox knows both", cred != "" && app != "", client)
		if (bad) exit 1
		if (verdict == "migrated" || verdict == "resumed") judge_migrated()
		else if (verdict == "intact") judge_intact()
		else if (verdict == "back") judge_back()
		else is("the verdict is known", 0, verdict)
		exit bad
	}'
