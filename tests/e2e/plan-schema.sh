#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# plan-schema.sh - every plan that the golden cases make, judged by others: the published JSON Schema by a validator that is not ours, the
# digests by an implementation that is not ours, in another language and by its own canonical writing.
set -u
top=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
B=${B:-$top/build/debug}
case $B in /*) ;; *) B=$top/$B ;; esac
S2SCTL=${S2SCTL:-$B/s2sctl}
python3 -W ignore -c 'import jsonschema' 2>/dev/null || { echo "SKIP: python3-jsonschema is missing"; exit 77; }
[ -x "$B/golden-runner" ] || { echo "not ok - no golden-runner in $B"; exit 1; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/plans"

"$S2SCTL" schema plan >"$tmp/schema.json" || exit 1
if ! cmp -s "$tmp/schema.json" "$top/core/plan/plan.schema.json"; then
	echo "not ok - core/plan/plan.schema.json is what s2sctl prints: run s2sctl schema plan >core/plan/plan.schema.json"
	exit 1
fi
echo "ok - the published schema is the program's"

for case in "$top"/tests/golden/*/case; do
	GOLDEN_PLANS=$tmp/plans "$B/golden-runner" "$(dirname "$case")" >/dev/null 2>&1
done
# Values that must never be in a plan: what the cases call secrets.
sed -n 's/^env [A-Z0-9_]*_\(SECRET\|TOKEN\)=//p' "$top"/tests/golden/*/case | sort -u >"$tmp/canaries"
if grep -rqF -f "$tmp/canaries" "$tmp/plans"; then
	echo "not ok - no plan holds a secret"
	grep -rlF -f "$tmp/canaries" "$tmp/plans"
	exit 1
fi
echo "ok - no plan holds one of $(wc -l <"$tmp/canaries") secrets"

python3 -W ignore - "$tmp/schema.json" "$tmp/plans" <<'END'
import copy, glob, hashlib, json, sys
import jsonschema

schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
judge = jsonschema.Draft7Validator(schema)
bad = 0

def say(good, what):
    global bad
    bad += not good
    print(("ok - " if good else "not ok - ") + what)

def sha(v):
    return hashlib.sha256(json.dumps(v, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()

def pick(m, keys):
    return {k: m[k] for k in keys if k in m}

def intent(doc):
    steps = []
    for s in doc["steps"]:
        one = pick(s, ["address", "after", "change", "environments", "executor", "needs", "phase", "thing", "undo"])
        one["gates"] = [pick(g, ["limits", "name", "when"]) for g in s["gates"]]
        steps.append(one)
    return sha({"direction": doc["direction"], "steps": steps, "identity": {e["name"]: e["identity"] for e in doc["environments"]}})

def document(doc):
    return sha({k: v for k, v in doc.items() if k != "document_digest"})

plans = sorted(glob.glob(sys.argv[2] + "/*.json"))
say(len(plans) >= 40, "the golden cases make plans (%d)" % len(plans))
seen = set()
for path in plans:
    doc = json.load(open(path, encoding="utf-8"))
    name = path.rsplit("/", 1)[1]
    errors = list(judge.iter_errors(doc))
    if errors:
        say(False, "%s: %s at %s" % (name, errors[0].message[:200], list(errors[0].path)))
    if intent(doc) != doc["intent_digest"] or document(doc) != doc["document_digest"]:
        say(False, name + ": digests, computed by others")
    seen.update(e["outlook"] for e in doc["environments"])
    full = doc if doc["steps"] else None
    if full:
        sample = full
say(not bad, "all are valid, and their digests are right")
say({"changes", "nothing", "attest", "left-alone", "refused"} <= seen, "of every kind: " + ", ".join(sorted(seen)))

# The judge can say no.
def spoilt(change):
    doc = copy.deepcopy(sample)
    change(doc)
    return not judge.is_valid(doc)
say(spoilt(lambda d: d.pop("intent_digest")), "without its digest it is not valid")
say(spoilt(lambda d: d["steps"][0].pop("undo")), "without a way back neither")
say(spoilt(lambda d: d["steps"][0].update(color="red")), "nor with a member that nobody knows")
say(spoilt(lambda d: d["steps"][0].update(phase="later")), "nor with a phase that is none")
say(spoilt(lambda d: d.update(format_version=2)), "nor of another version")
sys.exit(bad > 0)
END
