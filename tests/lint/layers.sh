#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# layers.sh - who may include whom: the table of core/README.md, that a provider's client and its twin share nothing, and that whoever
# judges a simulation knows nothing of how the tool decides.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Folder or file on the left (the longest match counts), what it may include on the right, as path prefixes.
# "own" is the file's own folder. Clients and twins in providers/ are told apart below.
allowed='
core/base     core/base/
core/api      core/base/ core/api/
core/io       core/base/ core/api/ core/io/
core/plan     core/base/ core/api/ core/io/yaml.h core/io/json.h core/io/digest.h core/io/file.h core/io/zone.h core/plan/
core/run      core/base/ core/api/ core/io/ core/plan/ core/run/
core/sim      core/base/ core/api/ core/io/ core/plan/ core/run/ core/report/ core/sim/
core/gates    core/base/ core/api/ core/gates/
core/report   core/base/ core/api/ core/io/json.h core/io/digest.h core/plan/ core/run/history.h core/report/
cmd           core/ providers/ cmd/
'

check() {
	# shellcheck disable=SC2016  # awk's, not the shell's
	c_files core providers cmd | xargs -r awk -v allowed="$allowed" '
		BEGIN {
			n = split(allowed, rows, "\n")
			for (r = 1; r <= n; r++) {
				count = split(rows[r], word, " ")
				for (w = 2; w <= count; w++) may[word[1]] = may[word[1]] " " word[w]
			}
		}
		function starts(text, prefix) { return substr(text, 1, length(prefix)) == prefix }
		function is_twin(file) { return file ~ /^providers\/world\.[ch]$/ || file ~ /^providers\/[^\/]*\/twin[^\/]*$/ }
		function folder_of(file) { sub(/[^\/]*$/, "", file); return file }
		# The vendor side of simulations stands beside the twins. The judge, and what it reads, see less still.
		function in_sim(file, inc) {
			if (starts(inc, "core/base/")) return 1
			if (file ~ /^providers\/sim\/(case|dice)\./) return inc ~ /^providers\/sim\/case\.h$/
			if (file ~ /^providers\/sim\/judge/)
				return inc == "core/api/twin.h" || inc == "providers/world.h" || inc ~ /^providers\/sim\/(judge|case)/
			return starts(inc, "core/api/") || inc == "core/sim/scene.h" || inc == "providers/world.h" || starts(inc, "providers/sim/")
		}
		function in_providers(file, inc) {
			if (starts(file, "providers/sim/")) return in_sim(file, inc)
			if (starts(inc, "core/base/") || starts(inc, "core/api/")) return 1
			if (!starts(inc, "providers/") || is_twin(file) != is_twin(inc)) return 0
			if (file ~ /^providers\/[^\/]*$/ || inc ~ /^providers\/(registry|world)\.h$/) return 1
			return starts(inc, folder_of(file))
		}
		function in_table(file, inc,   folder, list, count, i) {
			folder = file
			while (!(folder in may) && folder ~ /\//) sub(/\/[^\/]*$/, "", folder)
			count = split(may[folder], list, " ")
			for (i = 1; i <= count; i++) if (starts(inc, list[i])) return 1
			return 0
		}
		/^[ \t]*#[ \t]*include[ \t]*"/ {
			inc = $0
			sub(/^[^"]*"/, "", inc)
			sub(/".*/, "", inc)
			where = FILENAME ":" FNR ": "
			if (inc !~ /^(core|providers|cmd)\//) inc = folder_of(FILENAME) inc # beside it
			if (inc ~ /\.\./)
				print where "climbs with \"..\": write the path from the top of the tree"
			else if (starts(FILENAME, "providers/") ? !in_providers(FILENAME, inc) : !in_table(FILENAME, inc))
				print where FILENAME " may not include " inc
		}'
}
found=$(check)
verdict "$found"
