# mxprobe. `make deps demo` installs what is missing, builds, and shows a run; `make deps check` tests.
#
#   CC=clang, SAN=address,undefined   variants, each built in a folder of its own below build/
#   WERROR=1                          warnings are errors (CI)
#   V=1                               show the commands

VERSION := 0.1.0

# With `deps` among the goals, everything else waits for it and is made by a make of its own: only then
# can the libraries be found.
ifneq ($(filter deps,$(MAKECMDGOALS)),)
rest := $(filter-out deps,$(MAKECMDGOALS))
.NOTPARALLEL:
.PHONY: deps $(rest)
deps:
	@sh ./deps.sh
$(rest): deps
	+@$(MAKE) --no-print-directory $@
else

ifeq ($(origin CC),default)
CC := cc
endif
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share
PLUGINDIR ?= $(PREFIX)/lib/nagios/plugins
ZSHDIR ?= $(DATADIR)/zsh/site-functions
INSTALL ?= install
CLANG_FORMAT ?= clang-format

comma := ,
SAN ?=
BUILD := build/$(notdir $(CC))$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(VARIANT)

# Parallel unless told otherwise.
ifeq ($(filter -j%,$(MAKEFLAGS)),)
ifeq ($(filter clean,$(MAKECMDGOALS)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)
endif
endif

PACKAGES := libevent_core openssl libidn2
# The lab's DNS server is made with ldns.
LAB_CFLAGS = $(shell pkg-config --cflags ldns)
LAB_LIBRARIES = $(shell pkg-config --libs ldns)
# The tests read with jansson what the program writes.
TEST_LIBRARIES = -lcmocka $(shell pkg-config --libs jansson)
# libcurl is optional: WITHOUT_CURL=1 builds without it, as does its absence.
needs_libraries := $(filter-out clean uninstall format check-format dist check-dist,$(or $(MAKECMDGOALS),all))
ifneq ($(needs_libraries),)
LIBRARIES_CFLAGS := $(shell pkg-config --cflags $(PACKAGES))
LIBRARIES := $(shell pkg-config --libs $(PACKAGES))
ifeq ($(strip $(LIBRARIES)),)
$(error Libraries are missing ($(PACKAGES)): 'make deps' installs them)
endif
LIBRARIES += -lm
ifeq ($(WITHOUT_CURL),)
ifeq ($(shell pkg-config --exists libcurl && echo yes),yes)
LIBRARIES_CFLAGS += -DHAVE_CURL $(shell pkg-config --cflags libcurl)
loads := yes
endif
endif
# So is SQLite: WITHOUT_SQLITE=1.
ifeq ($(WITHOUT_SQLITE),)
ifeq ($(shell pkg-config --exists sqlite3 && echo yes),yes)
LIBRARIES_CFLAGS += -DHAVE_SQLITE $(shell pkg-config --cflags sqlite3)
SQLITE := $(shell pkg-config --libs sqlite3)
loads := yes
endif
endif
# Both are loaded when they are needed, not linked: see lib/net/http.c and lib/history/history.c.
LIBRARIES += $(if $(loads),$(if $(filter Linux,$(shell uname -s)),-ldl))
endif

OPTIMIZE ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wvla \
	-Wpointer-arith -Wundef $(if $(WERROR),-Werror)
HARDENING := -fPIE -fstack-protector-strong $(if $(SAN),,-D_FORTIFY_SOURCE=2)
# cmocka 2 finds names old that cmocka 1 has no others for.
CPPFLAGS += -DCMOCKA_DISABLE_DEPRECATION_WARNINGS
CPPFLAGS += $(if $(filter OpenBSD,$(shell uname -s)),-DHAVE_PLEDGE) -D_GNU_SOURCE -DMXPROBE_VERSION='"$(VERSION)"' -Ilib -Itests
ALL_CFLAGS := -std=c11 $(OPTIMIZE) $(WARNINGS) $(HARDENING) $(if $(SAN),-fsanitize=$(SAN) \
	-fno-sanitize-recover=all -fno-omit-frame-pointer) $(CPPFLAGS) $(LIBRARIES_CFLAGS) $(CFLAGS)
ALL_LDFLAGS := -pie $(if $(filter Darwin,$(shell uname -s)),,-Wl$(comma)-z$(comma)relro$(comma)-z$(comma)now) \
	$(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

Q := $(if $(V),,@)

lib_sources := $(wildcard lib/*/*.c)
lib_objects := $(lib_sources:%.c=$(BUILD)/%.o)
lab_sources := $(wildcard tests/lab/*.c)
unit_sources := $(wildcard tests/unit/test_*.c)
e2e_sources := $(wildcard tests/e2e/test_*.c)
support_sources := $(wildcard tests/support/*.c)
support_objects := $(support_sources:%.c=$(BUILD)/%.o)
fuzz_names := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
replays := $(fuzz_names:%=$(BUILD)/tests/fuzz/replay_%)
fuzzers := $(fuzz_names:%=$(BUILD)/tests/fuzz/run_%)
tests := $(unit_sources:%.c=$(BUILD)/%) $(e2e_sources:%.c=$(BUILD)/%) $(replays)
objects := $(lib_objects) $(BUILD)/mxprobe.o $(lab_sources:%.c=$(BUILD)/%.o) $(support_objects) \
	$(unit_sources:%.c=$(BUILD)/%.o) $(e2e_sources:%.c=$(BUILD)/%.o) \
	$(fuzz_names:%=$(BUILD)/tests/fuzz/fuzz_%.o) $(BUILD)/tests/fuzz/replay.o $(BUILD)/tests/fuzz/made.o \
	$(patsubst %.c,$(BUILD)/%.o,$(wildcard bench/*.c))

.PHONY: fuzz fuzz-run bench torture-history
.PHONY: all demo check check-real lint format check-format install uninstall clean tests dist check-dist portable
all: $(BUILD)/mxprobe mxprobe

# The binary of the variant built last, for a person to run.
mxprobe: $(BUILD)/mxprobe
	@ln -sf $< $@

$(BUILD)/mxprobe: $(BUILD)/mxprobe.o $(BUILD)/libmxprobe.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBRARIES)

$(BUILD)/libmxprobe.a: $(lib_objects)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The lab: scripted DNS and SMTP servers on loopback.
$(BUILD)/tests/lab/%.o $(BUILD)/tests/unit/test_scenario.o \
	$(BUILD)/tests/unit/test_message_ldns.o: ALL_CFLAGS += $(LAB_CFLAGS)
$(BUILD)/lab: $(lab_sources:%.c=$(BUILD)/%.o) $(BUILD)/libmxprobe.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LAB_LIBRARIES) $(LIBRARIES)

# The one unit test that looks into the lab.
$(BUILD)/tests/unit/test_scenario: $(BUILD)/tests/lab/scenario.o $(BUILD)/tests/lab/zone.o
# Those come behind the library on the command line, so it stands there once more.
$(BUILD)/tests/unit/test_scenario: private LIBRARIES := $(BUILD)/libmxprobe.a $(LAB_LIBRARIES) $(LIBRARIES)
$(BUILD)/tests/unit/test_message_ldns: private LIBRARIES := $(LAB_LIBRARIES) $(LIBRARIES)

# These run on a loop whose clock is the test's: it stands before the library, which then keeps its own.
fake_tests := rounds session resolver run gate
$(fake_tests:%=$(BUILD)/tests/unit/test_%): $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/fake/*.c))

# These need servers with certificates, which are made as the lab makes them.
$(BUILD)/tests/unit/test_http $(BUILD)/tests/unit/test_tls_check: $(BUILD)/tests/lab/ca.o
$(BUILD)/tests/unit/test_tls_check: $(BUILD)/tests/lab/tls_server.o

# These look into the history's file with their own eyes, where there is one.
ifneq ($(SQLITE),)
history_tests := $(patsubst %,$(BUILD)/tests/%,unit/test_history unit/test_letters e2e/test_history_runs)
$(history_tests): $(BUILD)/tests/kept/kept.o
$(history_tests): private LIBRARIES := $(LIBRARIES) $(SQLITE)
endif

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(support_objects) $(BUILD)/libmxprobe.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(TEST_LIBRARIES) $(LIBRARIES)

$(BUILD)/tests/e2e/%: $(BUILD)/tests/e2e/%.o $(support_objects) $(BUILD)/libmxprobe.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(TEST_LIBRARIES) $(LIBRARIES)

$(BUILD)/tests/torture/test_torture: $(BUILD)/tests/torture/test_torture.o $(support_objects) \
		$(BUILD)/libmxprobe.a | $(BUILD)/tests/torture/fault.so
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBRARIES) $(LIBRARIES)

# Stands in for libc: nothing of it may be taken for something that the compiler knows better.
$(BUILD)/tests/torture/fault.so: tests/torture/fault.c Makefile
	@mkdir -p $(@D)
	@echo "  LD   $@"
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g $(WARNINGS) -fPIC -shared -fno-builtin -o $@ $<

# A fuzz target without libFuzzer: it replays its corpus, as a test. What several share goes with all.
fuzz_shared := $(BUILD)/tests/fuzz/made.o $(BUILD)/tests/support/results.o
$(BUILD)/tests/fuzz/replay_tls $(BUILD)/tests/fuzz/run_tls: $(BUILD)/tests/lab/ca.o $(BUILD)/tests/lab/tls_server.o
$(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(fuzz_shared) \
		$(BUILD)/libmxprobe.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(TEST_LIBRARIES) $(LIBRARIES)

$(BUILD)/tests/fuzz/run_%: $(BUILD)/tests/fuzz/fuzz_%.o $(fuzz_shared) $(BUILD)/libmxprobe.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(filter %.a,$^) \
		$(TEST_LIBRARIES) $(LIBRARIES)

.SECONDARY: $(objects)
-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*/*.d)

tests: $(tests) $(BUILD)/mxprobe $(BUILD)/lab $(BUILD)/docs/story

demo: $(BUILD)/mxprobe $(BUILD)/lab
	@sh tests/demo.sh $(BUILD)

# ONLY=pattern runs the tests whose name has it; WRAP='valgrind ...' runs mxprobe under it.
check: tests
	@sh tests/run.sh $(BUILD) $(tests)

# The same as in `make check`, for a minute and a hundred kills.
torture-history: tests
	@TORTURE=1 ONLY=test_history_runs sh tests/run.sh $(BUILD) $(tests)

# Every call for memory and every system call made to fail: `torture` for half an hour, `torture-small`
# once at each place. ONLY_SCENE=name and ONLY_CALL=name limit both. Not with sanitizers: they stand where
# this stands, between the program and libc.
torture := $(BUILD)/tests/torture/test_torture
.PHONY: torture torture-small
torture: export TORTURE = 1
torture torture-small: $(torture) $(BUILD)/mxprobe $(BUILD)/lab
	@sh tests/run.sh $(BUILD) $(torture)

# Lines and branches of lib/ that the tests run; what they do not is marked in build/gcc-coverage/gcov.
.PHONY: coverage coverage-run
coverage:
	@$(MAKE) --no-print-directory CC=gcc VARIANT=-coverage OPTIMIZE='-O0 -g --coverage \
		-fprofile-update=atomic -include tests/support/covered.h -DCOVERED="$(CURDIR)/build/gcc-coverage"' \
		coverage-run
coverage-run: tests
	@find $(BUILD) -name '*.gcda' -exec rm -f {} +
	@sh tests/run.sh $(BUILD) $(tests)
	@sh tests/coverage.sh $(BUILD)

# FUZZ=name runs one target only; what it finds stays in build/, as does the corpus that grows.
FUZZ_SECONDS ?= 60
fuzz:
	@$(MAKE) --no-print-directory CC=clang SAN=address,undefined VARIANT=-fuzz \
		OPTIMIZE='-O1 -g -fsanitize=fuzzer-no-link' fuzz-run
fuzz-run: $(fuzzers)
	@sh tests/fuzz/run.sh $(BUILD) $(FUZZ_SECONDS) $(or $(FUZZ),$(fuzz_names))

# Ten thousand endpoints that misbehave at random, again and again: is anything left behind?
SOAK_SECONDS ?= 600
.PHONY: soak
soak: $(BUILD)/tests/soak/soak $(BUILD)/lab
	@$(BUILD)/tests/soak/soak $(BUILD)/lab tests/soak $(SOAK_SECONDS) $(SOAK_SEED)

$(BUILD)/tests/soak/soak: $(BUILD)/tests/soak/soak.o $(BUILD)/libmxprobe.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBRARIES)

# CASES="plain shared" runs only those of the comparison, ROUNDS=n so many rounds of each, and
# FLOOR=1 with no other program than the floor.
bench: $(BUILD)/mxprobe $(patsubst %,$(BUILD)/bench/%,classify history_fill sink floor compare)
	@$(BUILD)/bench/classify $(BUILD)/mxprobe
	@$(BUILD)/bench/history_fill $(BUILD)/bench/year.db 365 $(BUILD)/mxprobe
	@$(BUILD)/bench/compare $(if $(FLOOR),-f) $(if $(ROUNDS),-r $(ROUNDS)) $(BUILD)/mxprobe $(BUILD)/bench/sink \
		$(BUILD)/bench/floor $(CASES)

# Instructions of a TLS session, beside a bare OpenSSL client; needs valgrind.
.PHONY: bench-tls
bench-tls: $(BUILD)/mxprobe $(BUILD)/bench/sink $(BUILD)/bench/tls_client
	@sh bench/tls.sh $(BUILD)

# Where instructions and system calls of a run go; needs valgrind, and strace for the latter.
.PHONY: bench-cost
bench-cost: $(BUILD)/mxprobe $(BUILD)/bench/sink
	@sh bench/cost.sh $(BUILD)

$(BUILD)/bench/%: $(BUILD)/bench/%.o $(BUILD)/libmxprobe.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBRARIES)

# The pictures in README.md; that of a page needs Chromium.
.PHONY: pictures
pictures: $(BUILD)/mxprobe $(BUILD)/lab $(BUILD)/docs/story
	@sh docs/picture.sh $(BUILD)

$(BUILD)/docs/story: $(BUILD)/docs/story.o $(BUILD)/tests/support/results.o $(BUILD)/libmxprobe.a
	@echo "  LD   $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBRARIES)

# The page of a report, looked at with Chromium.
.PHONY: check-html
check-html: $(BUILD)/mxprobe $(BUILD)/docs/story
	@sh tests/html/check.sh $(BUILD)

check-real: $(BUILD)/mxprobe $(BUILD)/lab
	@sh tests/real/run.sh $(BUILD)/mxprobe

# What tools find that only read the program. Each finding is a failure; what is not looked for, and
# why, stands in .clang-tidy and tests/cppcheck.txt. gcc looks at paths through one file at a time, and so
# does clang by scan-build.
.PHONY: analyze
CLANG_TIDY ?= clang-tidy
CPPCHECK ?= cppcheck
SCAN_BUILD ?= scan-build
ANALYZE_CC ?= gcc
analyzed := mxprobe.c $(lib_sources)
headers := $(wildcard lib/*/*.h)
scanned := $(analyzed:%.c=build/analyze/objects/%.o)
analyze_flags = -std=c11 $(CPPFLAGS) $(LIBRARIES_CFLAGS)
analyze: $(analyzed:%.c=build/analyze/%.tidy) $(analyzed:%.c=build/analyze/%.gcc) build/analyze/cppcheck
	@echo "  SCAN"
	+@$(SCAN_BUILD) -o build/analyze/scan --status-bugs sh -c '$(MAKE) -B --no-print-directory CC="$$CC" \
		OPTIMIZE=-O0 HARDENING= BUILD=build/analyze/objects $(scanned)' >build/analyze/scan.log 2>&1 || \
		{ cat build/analyze/scan.log; exit 1; }
build/analyze/%.tidy: %.c $(headers) .clang-tidy
	@mkdir -p $(@D)
	@echo "  TIDY $<"
	$(Q)$(CLANG_TIDY) --quiet $< -- $(analyze_flags) 2>$@.log || { cat $@.log; exit 1; }
	@touch $@
build/analyze/%.gcc: %.c $(headers)
	@mkdir -p $(@D)
	@echo "  GCC  $<"
	$(Q)$(ANALYZE_CC) $(analyze_flags) $(WARNINGS) -O1 -fanalyzer -Werror -c -o $@ $<
build/analyze/cppcheck: $(analyzed) $(headers) tests/cppcheck.txt
	@mkdir -p $(@D)
	@echo "  CPPCHECK"
	$(Q)$(CPPCHECK) -q --std=c11 --enable=warning,style,performance,portability --error-exitcode=1 \
		--suppressions-list=tests/cppcheck.txt $(CPPFLAGS) -D__linux__ -D__x86_64__ -DHAVE_CURL -DHAVE_SQLITE \
		$(analyzed)
	@touch $@

sources := $(wildcard mxprobe.c lib/*/*.[ch] tests/*/*.[ch] bench/*.[ch] docs/*.[ch])
format:
	$(Q)$(CLANG_FORMAT) -i $(sources)
check-format:
	$(Q)$(CLANG_FORMAT) --dry-run --Werror $(sources)
lint: check-format
	@sh tests/check-layers.sh
	mandoc -Tlint -Wwarning man/mxprobe.1
	@! command -v groff >/dev/null || { said=$$(groff -ww -mdoc -z -Tutf8 man/mxprobe.1 2>&1) && \
		[ -z "$$said" ] || { echo "$$said" >&2; exit 1; }; }

# As other systems would compile it: without what only Linux and GNU have, and against musl.
portable:
	@sh tests/portable.sh "$(CC)" "$(LIBRARIES_CFLAGS)"

install: $(BUILD)/mxprobe
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 \
		$(DESTDIR)$(DATADIR)/bash-completion/completions \
		$(DESTDIR)$(ZSHDIR) $(DESTDIR)$(DATADIR)/fish/vendor_completions.d \
		$(DESTDIR)$(PLUGINDIR)
	$(INSTALL) -m 755 $(BUILD)/mxprobe $(DESTDIR)$(BINDIR)/mxprobe
	ln -sf $(BINDIR)/mxprobe $(DESTDIR)$(PLUGINDIR)/check_mxprobe
	$(INSTALL) -m 644 man/mxprobe.1 $(DESTDIR)$(MANDIR)/man1/mxprobe.1
	$(INSTALL) -m 644 completions/mxprobe.bash $(DESTDIR)$(DATADIR)/bash-completion/completions/mxprobe
	$(INSTALL) -m 644 completions/_mxprobe $(DESTDIR)$(ZSHDIR)/_mxprobe
	$(INSTALL) -m 644 completions/mxprobe.fish $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/mxprobe.fish

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/mxprobe $(DESTDIR)$(PLUGINDIR)/check_mxprobe $(DESTDIR)$(MANDIR)/man1/mxprobe.1 \
		$(DESTDIR)$(DATADIR)/bash-completion/completions/mxprobe \
		$(DESTDIR)$(ZSHDIR)/_mxprobe \
		$(DESTDIR)$(DATADIR)/fish/vendor_completions.d/mxprobe.fish

# A tarball of the last commit, in build/: the same octets wherever and whenever it is made. Times are the
# commit's; what else may differ between machines is set here.
dist_name := mxprobe-$(VERSION)
dist:
	@git rev-parse -q --verify HEAD >/dev/null || { echo "dist: a tarball is made from a clone" >&2; exit 1; }
	@git diff --quiet HEAD || echo "dist: of the last commit; what is changed since is not in it" >&2
	@mkdir -p build
	$(Q)git -c tar.umask=0022 -c core.autocrlf=false -c core.eol=lf archive --format=tar \
		--prefix=$(dist_name)/ -o build/$(dist_name).tar HEAD
	$(Q)gzip -9nf build/$(dist_name).tar
	@echo "build/$(dist_name).tar.gz"

# That it is so, and that the tarball builds and installs without git.
check-dist:
	@sh tests/dist.sh

clean:
	rm -rf build mxprobe
endif
