# SPDX-License-Identifier: Apache-2.0
# `make help` lists the targets. Variants are folders: V=release (default) debug asan cov fuzz, in build/$(V);
# with CC=gcc or CC=clang on the command line in build/$(CC)-$(V), so that all of them live side by side.
# CFLAGS and LDFLAGS from outside are added, never replaced.

V ?= release
# Warnings are errors in the developer's variants, with the two compilers that every change is built with.
DEV ?= $(if $(filter debug asan,$(V)),1)
builds := build/$(if $(filter-out default file,$(origin CC)),$(notdir $(lastword $(CC)))-)
B ?= $(builds)$(V)
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
NPROC := $(shell nproc 2>/dev/null || echo 2)
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(NPROC)
endif
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

# -- the compiler ------------------------------------------------------------------------------------------------------

is_clang := $(findstring clang,$(shell $(CC) --version 2>/dev/null))
compiler := $(if $(is_clang),clang,gcc)-$(firstword $(subst ., ,$(shell $(CC) -dumpversion 2>/dev/null)))

warn := -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wvla -Wcast-align -Wcast-qual -Wconversion -Wno-sign-conversion \
	-Wdouble-promotion -Wfloat-equal -Wformat=2 -Wimplicit-fallthrough -Wmissing-declarations -Wmissing-prototypes \
	-Wnull-dereference -Wold-style-definition -Wpointer-arith -Wredundant-decls -Wstrict-prototypes -Wswitch-enum \
	-Wwrite-strings -Wdate-time
warn_gcc := -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init -Wtrampolines -Warith-conversion \
	-Wformat-signedness -Walloc-zero -Walloca
warn_clang := -Wcomma -Wconditional-uninitialized -Wunreachable-code -Wassign-enum -Wno-gnu-statement-expression
errors := format implicit-function-declaration incompatible-pointer-types int-conversion return-type vla
harden := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fno-strict-aliasing

# Across files without clang, which wants a linker of its own for that; what is warned of then was looked at file by file before.
flags_release := -O2 $(if $(is_clang),,-flto=auto) -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -ffile-prefix-map=$(CURDIR)=.
flags_debug := -Og -ftrivial-auto-var-init=pattern
flags_asan := -O1 -U_FORTIFY_SOURCE -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
flags_cov := -O0 --coverage
flags_fuzz := -O1 -U_FORTIFY_SOURCE -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all

# Only flags that this compiler takes: all at once, or, when it does not know one, one by one.
takes = $(shell $(CC) -O2 -Werror $(1) -include stdio.h -S -o /dev/null -x c /dev/null 2>/dev/null && echo yes)
usable = $(if $(call takes,$(1)),$(1),$(foreach f,$(1),$(if $(call takes,$(f)),$(f))))
probed := $(call usable,$(warn) $(if $(is_clang),$(warn_clang),$(warn_gcc)) $(errors:%=-Werror=%) $(harden) $(filter-out --coverage,$(flags_$(V))))
werror := $(if $(DEV),$(if $(filter gcc-12 clang-14,$(compiler)),-Werror))

# -- libraries ---------------------------------------------------------------------------------------------------------

PKGS := libcurl yaml-0.1 libcjson openssl
SANDBOX_PKGS := libmicrohttpd
TEST_PKGS := cmocka
debian_libcurl := libcurl4-openssl-dev
debian_yaml-0.1 := libyaml-dev
debian_libcjson := libcjson-dev
debian_openssl := libssl-dev
debian_libmicrohttpd := libmicrohttpd-dev
debian_cmocka := libcmocka-dev
wanted := $(PKGS) $(SANDBOX_PKGS) $(if $(filter tests run-tests cov bench,$(MAKECMDGOALS)),$(TEST_PKGS))
missing := $(shell for p in $(wanted); do pkg-config --exists $$p 2>/dev/null || echo $$p; done)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) $(SANDBOX_PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
SANDBOX_LIBS := $(shell pkg-config --libs $(SANDBOX_PKGS) 2>/dev/null)
TEST_LIBS := $(shell pkg-config --libs $(TEST_PKGS) 2>/dev/null || echo -lcmocka)

ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -I. -include core/base/banned.h -g -fPIE $(probed) $(filter --coverage,$(flags_$(V))) $(werror) $(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie $(filter -fsanitize=address% --coverage,$(flags_$(V))) -Wl,--as-needed -Wl,-z,relro,-z,now,-z,noexecstack \
	$(LDFLAGS)

# -- what is built from what -------------------------------------------------------------------------------------------

find = $(if $(wildcard $(1)),$(sort $(shell find $(1) -name '*.c')))
obj = $(patsubst %.c,$(B)/%.o,$(1))

core_src := $(call find,core)
twin_src := $(sort $(wildcard providers/*/twin*.c providers/world.c))
sim_src := $(call find,providers/sim)
provider_src := $(filter-out $(twin_src) $(sim_src),$(call find,providers))
cmd_src := $(call find,cmd/s2sctl)
sandbox_src := $(call find,cmd/s2s-sandbox)
programs := $(patsubst cmd/%/main.c,$(B)/%,$(wildcard cmd/s2sctl/main.c cmd/s2s-sandbox/main.c))

# A unit test is a program. Those of core link core alone, which proves that core needs no vendor.
unit_src := $(sort $(wildcard tests/unit/test_*.c))
unit := $(unit_src:%.c=$(B)/%)
unit_all := $(filter $(addprefix $(B)/tests/unit/,test_provider% test_twin% test_sim% test_cmd% test_sandbox%),$(unit))
unit_core := $(filter-out $(unit_all),$(unit))
help_src := $(sort $(filter-out $(unit_src),$(wildcard tests/unit/*.c)) $(wildcard tests/wire/*.c))
golden_src := $(sort $(wildcard tests/golden/*.c))
golden := $(if $(golden_src),$(B)/golden-runner)
fuzz_src := $(sort $(wildcard tests/fuzz/fuzz_*.c))
replay := $(if $(wildcard tests/fuzz/replay.c),$(fuzz_src:tests/fuzz/fuzz_%.c=$(B)/tests/fuzz/replay_%))
sim_main := $(sort $(wildcard tests/sim/*.c))
bench := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/bench/*.c)))
sources := $(core_src) $(twin_src) $(sim_src) $(provider_src) $(cmd_src) $(sandbox_src) $(unit_src) $(help_src) $(golden_src) $(fuzz_src) \
	$(sim_main) $(wildcard tests/fuzz/replay.c tests/bench/*.c)

all: $(programs)                                ## build s2sctl and s2s-sandbox (release)
tests: $(programs) $(unit) $(golden) $(replay) $(B)/sim  ## build what `make check` runs

# VERBOSE=1 shows the commands.
Q := $(if $(VERBOSE),,@)
say = @mkdir -p $(@D)$(if $(VERBOSE)$(findstring s,$(firstword -$(MAKEFLAGS))),,; echo '  $(1)	$(2)')

$(B)/flags: FORCE
	$(if $(missing),@printf 'missing library: %s\n' $(foreach p,$(missing),'$p (Debian: $(debian_$p))') >&2; \
		command -v pkg-config >/dev/null || echo 'missing program: pkg-config (Debian: pkg-config)' >&2; exit 1)
	@mkdir -p $(@D); echo '$(CC) $(ALL_CFLAGS)' | cmp -s - $@ || echo '$(CC) $(ALL_CFLAGS)' >$@
$(B)/%.o: %.c $(B)/flags
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
# Lets an archive forget a file that is no longer there.
$(B)/sources: FORCE
	@mkdir -p $(@D); echo $(sort $(sources)) | cmp -s - $@ || echo $(sort $(sources)) >$@
$(B)/%.a: $(B)/sources
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

define link
$(call say,LINK,$@)
$(Q)$(CC) $(ALL_CFLAGS) $(if $(filter -flto%,$(probed)),-w) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^)
endef
$(B)/libcore.a: $(call obj,$(core_src))
$(B)/libproviders.a: $(call obj,$(provider_src))
$(B)/libtwins.a: $(call obj,$(twin_src))
$(B)/libsim.a: $(call obj,$(sim_src))
$(B)/libcmd.a: $(call obj,$(filter-out cmd/s2sctl/main.c,$(cmd_src)))
$(B)/libsandbox.a: $(call obj,$(filter-out cmd/s2s-sandbox/main.c,$(sandbox_src)))
$(B)/libtesthelp.a: $(call obj,$(help_src))
all_libs := $(addprefix $(B)/,libtesthelp.a libcmd.a libsandbox.a libsim.a libproviders.a libtwins.a libcore.a)

$(B)/s2sctl: $(call obj,cmd/s2sctl/main.c) $(B)/libcmd.a $(B)/libsim.a $(B)/libproviders.a $(B)/libtwins.a $(B)/libcore.a
	$(link) $(PKG_LIBS)
$(B)/s2s-sandbox: $(call obj,cmd/s2s-sandbox/main.c) $(B)/libsandbox.a $(B)/libtwins.a $(B)/libcore.a
	$(link) $(SANDBOX_LIBS) $(PKG_LIBS)
$(unit_core): $(B)/%: $(B)/%.o $(B)/libtesthelp.a $(B)/libcore.a
	$(link) $(TEST_LIBS) $(PKG_LIBS)
$(unit_all): $(B)/%: $(B)/%.o $(all_libs)
	$(link) $(TEST_LIBS) $(SANDBOX_LIBS) $(PKG_LIBS)
$(golden): $(call obj,$(golden_src)) $(all_libs)
	$(link) $(SANDBOX_LIBS) $(PKG_LIBS)
$(B)/tests/fuzz/replay_%: $(B)/tests/fuzz/replay.o $(B)/tests/fuzz/fuzz_%.o $(all_libs)
	$(link) $(SANDBOX_LIBS) $(PKG_LIBS)
$(B)/tests/fuzz/run_%: $(B)/tests/fuzz/fuzz_%.o $(all_libs)
	$(link) $(SANDBOX_LIBS) -fsanitize=fuzzer $(PKG_LIBS)
$(B)/sim: $(call obj,$(sim_main)) $(all_libs)
	$(link) $(SANDBOX_LIBS) $(PKG_LIBS)
$(bench): $(B)/%: $(B)/%.o $(all_libs)
	$(link) $(TEST_LIBS) $(SANDBOX_LIBS) $(PKG_LIBS)

# -- what people call --------------------------------------------------------------------------------------------------
# `check` and the like install what is missing first, and then read this file again, because it asks pkg-config while read.

again = +@$(MAKE) --no-print-directory
check:                                          ## run all tests (ONLY=name for one); installs missing Debian packages
	@tests/deps.sh build test
	$(again) V=release sim-program
	$(again) V=debug SIM=$(builds)release/sim TEST_TIMEOUT=$(or $(TEST_TIMEOUT),2400) run-tests
check-all:                                      ## all tests with gcc and clang, plain and with sanitizers
	@tests/deps.sh build test clang
	+@tests/check-all.sh $(MAKE)
run-tests: tests
	@B=$(B) SIM=$(SIM) tests/run.sh $(if $(ONLY),--only '$(ONLY)')
lint:                                           ## what a compiler does not see: layers, secrets, words, formatting
	@tests/deps.sh build lint
	@tests/run.sh --suite lint $(if $(ONLY),--only '$(ONLY)')
check-headers:                                  ## every header compiles alone
	@CC='$(CC)' tests/lint/headers.sh
check-html:                                     ## the HTML rendering in a real browser; installs chromium; pictures in build/debug/html
	@tests/deps.sh build html
	$(again) V=debug run-html
run-html: $(B)/s2sctl
	@B=$(B) tests/run.sh --exec tests/report/check_html.sh
check-contract:                                 ## Adobe's own clients against the sandbox; needs npm's registry once
	@tests/deps.sh build contract
	$(again) V=debug run-contract
run-contract: $(B)/s2s-sandbox
	@B=$(B) tests/run.sh --exec tests/contract/run.sh
check-fresh:                                    ## `make check` and `make demo` of the last commit on an empty Debian (root)
	@tests/chroot.sh
demo:                                           ## the whole migration against the sandbox; installs missing Debian packages
	@tests/deps.sh build demo
	$(again) V=release run-demo
run-demo: all
	@B=$(B) tests/run.sh --exec tests/e2e/demo.sh
kills:                                          ## kill -9 at 200 random moments (KILLS, KILLS_SEED); `make check` takes 40
	@tests/deps.sh build demo
	$(again) V=release run-kills
run-kills: all
	@B=$(B) KILLS=$${KILLS:-200} tests/run.sh --exec tests/e2e/kills.sh
sim:                                            ## simulate SEEDS (1000) cases FROM one (1), in JOBS processes
	@tests/deps.sh build test
	$(again) V=release run-sim
run-sim: $(B)/sim
	@$(B)/sim --seeds $(or $(SEEDS),1000) --from $(or $(FROM),1) $(if $(JOBS),--jobs $(JOBS))
sim-program: $(B)/sim
mutants:                                        ## proof that the judge of simulations can fail: broken engines, each caught (ONLY=name)
	@tests/deps.sh build test
	$(again) V=release run-mutants
run-mutants: $(B)/sim
	@B='$(B)' COMPILE='$(CC) $(ALL_CFLAGS)' LINK='$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' OBJECTS='$(call obj,$(sim_main)) $(all_libs)' \
		LIBS='$(SANDBOX_LIBS) $(PKG_LIBS)' tests/sim/mutants.sh $(ONLY)
bench: all $(bench) $(B)/sim                    ## how fast, beside what people use today
	@B=$(B) tests/run.sh --exec tests/bench/bench.sh
fuzz:                                           ## let libFuzzer look for trouble, FUZZ_SECONDS (60) a target
	@tests/deps.sh build clang
	$(again) CC=clang V=fuzz run-fuzz
run-fuzz: $(fuzz_src:tests/fuzz/fuzz_%.c=run-fuzz-%)
run-fuzz-%: $(B)/tests/fuzz/run_%
	@mkdir -p $(B)/corpus/$* tests/fuzz/corpus/$*
	$< -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -artifact_prefix=$(B)/ $(B)/corpus/$* tests/fuzz/corpus/$*
cov:                                            ## line coverage of the tests, a line per file
	$(again) V=cov run-tests
	@tests/cov.sh build/cov
format:                                         ## clang-format over all .c files
	@tests/deps.sh lint
	clang-format -i $(shell find core providers cmd tests -name "*.c" 2>/dev/null)
deps:                                           ## install the Debian packages for everything above
	@tests/deps.sh build demo test clang lint

install: all                                    ## to $(DESTDIR)$(PREFIX)/bin
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(programs)
uninstall:                                      ## and away again
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,s2sctl s2s-sandbox)
clean:                                          ## remove build/
	rm -rf build
help:                                           ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
print-sources: # for tests/lint/wired.sh
	@printf '%s\n' $(sources)

FORCE:
.PHONY: all tests check check-all run-tests sim run-sim sim-program mutants run-mutants lint check-headers check-contract run-contract check-html run-html \
	check-fresh demo run-demo kills run-kills bench fuzz run-fuzz cov format deps \
	install uninstall clean help print-sources FORCE
-include $(sources:%.c=$(B)/%.d)
