#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# selftest.sh - every check of this folder can fail: a small good tree passes all of them, and each way to spoil it is
# found, in the file where it is.
# shellcheck disable=SC2016  # backquotes and dollars in what is written
set -eu
lint=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$lint/../.." && pwd)
tree=$(mktemp -d "${TMPDIR:-/tmp}/s2sctl-lint.XXXXXX")
trap 'rm -rf "$tree"' EXIT
failures=0

# A file of the tree from stdin, with what every header and every C file needs.
put() { # path
	mkdir -p "$tree/$(dirname "$1")"
	case $1 in
	*.h) { echo '#pragma once'; cat; } >"$tree/$1" ;;
	*) cat >"$tree/$1" ;;
	esac
}
line() { echo "$2" | put "$1"; }

good_tree() {
	rm -rf "$tree"
	mkdir -p "$tree/tests/lint"
	cp "$top/Makefile" "$top/.clang-format" "$tree/"
	cp "$top/tests/run.sh" "$tree/tests/"
	line core/base/banned.h ''
	line core/base/base.h '#include <stddef.h>'
	line core/base/secret_open.h 'const char *secret_open(void);'
	line core/api/provider.h '#include "core/base/base.h"'
	line core/io/yaml.h '#include "core/base/base.h"'
	line core/io/http.h '#include "core/api/provider.h"'
	line core/plan/plan.h '#include "core/io/yaml.h"'
	line core/run/engine.h '#include "core/plan/plan.h"'
	line providers/registry.h '#include "core/api/provider.h"'
	line providers/world.h '#include "core/base/base.h"'
	line providers/one/one.h '#include "core/api/provider.h"'
	line providers/one/twin.h '#include "providers/world.h"'
	line providers/one/one.c '#include "providers/one/one.h"'
	line providers/one/twin.c '#include "providers/one/twin.h"'
	line providers/one/two.c '#include "one.h"'
	line providers/registry.c '#include "one/one.h"'
	line providers/world.c '#include "providers/one/twin.h"'
	line core/api/twin.h '#include "core/base/base.h"'
	line core/sim/scene.h 'struct scene;'
	line providers/sim/case.h '#include "core/base/base.h"'
	line providers/sim/judge.h '#include "core/api/twin.h"'
	line providers/sim/judge.c '#include "providers/world.h"'
	line providers/sim/stage.c '#include "core/sim/scene.h"'
	line cmd/s2sctl/main.c '#include "providers/registry.h"'
	line core/io/yaml.c '#include <yaml.h>'
	line core/base/secret.c '#include "core/base/secret_open.h"'
	line tests/lint/secret-readers.txt 'core/base/secret.c'
	line README.md 'Run `make check`, see [the core](core/base/base.h).'
	line tests/unit/test_base.c 'int main(void); /* cmocka_run_group_tests */'
}

# Runs a check; says so when its verdict is not the one wanted, or does not name the file.
expect() { # pass|fail check [file]
	[ -x "$lint/$2.sh" ] || { echo "$2: no such check"; failures=$((failures + 1)); return; }
	status=0
	out=$("$lint/$2.sh" "$tree" 2>&1) || status=$?
	case $1,$status in
	*,77 | pass,0) return 0 ;; # 77: a tool is missing; the check itself reports that
	fail,1) case $out in *"$3"*) return 0 ;; esac ;;
	esac
	failures=$((failures + 1))
	echo "$2: wanted to $1${3:+ naming $3}, exit status $status:"
	echo "$out" | sed 's/^/  /'
}

# One spoiled file in an otherwise good tree.
spoil() { # check file line
	good_tree
	line "$2" "$3"
	expect fail "$1" "$2"
}

good_tree
for check in "$lint"/*.sh; do
	check=$(basename "$check" .sh)
	case $check in lib* | selftest) continue ;; esac
	expect pass "$check"
	# And each is spoiled below.
	grep -qE "^(spoil|expect fail) $check " "$0" || { echo "$check: selftest.sh has no case for it"; failures=$((failures + 1)); }
done

spoil layers core/base/bad.h '#include "core/api/provider.h"'
spoil layers core/api/bad.h '#include "core/io/yaml.h"'
spoil layers core/plan/bad.h '#include "core/io/http.h"'
spoil layers core/gates/bad.c '#include "core/plan/plan.h"'
spoil layers core/report/bad.c '#include "core/run/engine.h"'
spoil layers core/run/bad.c '#include "providers/registry.h"'
spoil layers core/run/bad.c '#include "cmd/s2sctl/opt.h"'
spoil layers core/plan/bad.c '  #  include "core/run/engine.h"'
spoil layers core/run/bad.c '#include "../../providers/registry.h"'
spoil layers providers/one/bad.c '#include "twin.h"'
spoil layers providers/one/bad.c '#include "core/io/http.h"'
spoil layers providers/one/bad.c '#include "providers/two/two.h"'
spoil layers providers/one/bad.c '#include "providers/one/twin.h"'
spoil layers providers/one/bad.c '#include "providers/world.h"'
spoil layers providers/one/twin_bad.c '#include "providers/one/one.h"'
spoil layers providers/one/twin_bad.h '#include "providers/registry.h"'
spoil layers providers/world.h '#include "providers/one/one.h"'
spoil layers providers/one/bad.c '#include "cmd/s2sctl/opt.h"'
spoil layers providers/one/bad.c '#include "providers/sim/case.h"'
spoil layers providers/sim/stage_bad.c '#include "core/run/engine.h"'
spoil layers providers/sim/stage_bad.c '#include "core/sim/drive.h"'
spoil layers providers/sim/stage_bad.c '#include "providers/one/one.h"'
spoil layers providers/sim/stage_bad.c '#include "providers/registry.h"'
spoil layers providers/sim/judge_bad.c '#include "core/api/provider.h"'
spoil layers providers/sim/judge_bad.c '#include "core/api/gate.h"'
spoil layers providers/sim/judge_bad.c '#include "core/api/store.h"'
spoil layers providers/sim/judge_bad.c '#include "core/run/journal.h"'
spoil layers providers/sim/judge_bad.c '#include "core/sim/scene.h"'
spoil layers providers/sim/judge_bad.c '#include "providers/sim/person.h"'
spoil layers providers/sim/judge_bad.c '#include "providers/sim/stage.h"'
spoil layers providers/sim/case.c '#include "core/api/provider.h"'

spoil libraries core/plan/bad.c '#include <yaml.h>'
spoil libraries core/run/bad.c '#include <curl/curl.h>'
spoil libraries providers/one/bad.c '#include <cjson/cJSON.h>'
spoil libraries core/plan/bad.c '#include <openssl/evp.h>'
spoil libraries core/io/bad.c '#include <microhttpd.h>'
good_tree
line cmd/s2s-sandbox/a.c '#include <microhttpd.h>'
line cmd/s2s-sandbox/b.c '#include <microhttpd.h>'
expect fail libraries cmd/s2s-sandbox/b.c

spoil secrets providers/one/bad.c '#include "core/base/secret_open.h"'
spoil secrets tests/lint/secret-readers.txt 'core/base/gone.c'

spoil vendors core/plan/bad.c '/* as Adobe does it */'
spoil vendors core/plan/bad.c 'static const char x[] = "the campaign_id";'
spoil vendors core/base/bad.h '/* IMS */'

spoil calls core/run/bad.c 'int f(void) { return (int)time(NULL); }'
spoil calls providers/one/bad.c 'void f(void) { exit(1); }'
spoil calls core/plan/bad.c 'const char *f(void) { return getenv("HOME"); }'
spoil calls core/report/bad.c 'void f(void) { fprintf(stderr, "x"); }'
spoil calls cmd/s2sctl/bad.c 'void *f(void) { return malloc(1); }'
spoil calls core/base/mem.c 'void f(void) { printf("listed for others"); }'
good_tree
put core/run/bad.c <<'END'
int f(void)
{
	CLEANUP(done) int x = 0;
	if (x)
		goto out;
out:
	return 0;
}
END
expect fail calls core/run/bad.c:5
good_tree
put core/run/fine.c <<'END'
/* time(NULL) in a comment, and exit(1) */
int f(struct x *x, const char *runtime)
{
	CLEANUP(done) int y = 0;
	return x->time(x) + last_time(y) + strlen("goto exit(1) // stderr");
}
int g(void)
{
	goto out;
out:
	return 0;
}
END
expect pass calls

spoil words core/run/bad.c '/* TODO: the rest */'
spoil words tests/e2e/bad.sh '# FIXME'

spoil readme README.md 'Run `make coffee`.'
spoil readme README.md 'See [the page](docs/none.md).'
spoil readme core/README.md 'See [the page](base/none.h#part).'

spoil headers core/run/bad.h 'struct b { size_t len; };'
good_tree
echo 'struct c;' >"$tree/core/run/once.h"
expect fail headers core/run/once.h

spoil format core/run/bad.c 'int f (void) { return 0 ; }'

spoil wired tests/unit/deep/test_lost.c 'int main(void); /* cmocka_run_group_tests */'
spoil wired tests/unit/test_empty.c 'int main(void);'
spoil wired tests/fuzz/fuzz_bad.c 'int main(void);'
spoil wired tests/e2e/plain.sh '#!/bin/sh'

spoil shell tests/e2e/bad.sh '#!/bin/sh
cd $1; echo ${undefined[0]}'

[ $failures = 0 ] || { echo "$failures failures"; exit 1; }
