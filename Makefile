# SPDX-License-Identifier: Apache-2.0
# Tacit. `make help` lists what there is; config.mk holds the knobs.
include config.mk
# V=1 shows the commands.
Q := $(if $(V),,@)

WARN    := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
# -ffp-contract=off: device and server must compute thresholds bit for bit alike (security.md B).
CFLAGS  += -std=c11 $(OPT) $(WARN) -fPIC -ffp-contract=off -fvisibility=hidden -I. -I$(BUILD) $(SAN)
HOSTED  := -D_GNU_SOURCE
LDFLAGS += $(SAN)

PKG     := pkg-config
PARSER  := $(if $(wildcard /usr/include/llhttp.h),llhttp,http_parser)
LIB_DEVICE := $(shell $(PKG) --libs libsodium) -lprotobuf-nanopb -lm
LIB_PORT   := $(shell $(PKG) --libs lmdb) -lmbedtls -lmbedx509 -lmbedcrypto -l$(PARSER) -lpthread
LIB_SERVER := $(shell $(PKG) --libs libuv sqlite3 openblas jansson) -lcsv -llapacke -linih -lz
CFLAGS_PKG := $(shell $(PKG) --cflags libsodium lmdb libuv sqlite3 openblas jansson)

PB_C  := $(BUILD)/proto/tacit.pb.c
PB_H  := $(BUILD)/proto/tacit.pb.h
obj    = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
COMMON := $(call obj,$(wildcard common/*.c)) $(BUILD)/obj/proto/tacit.pb.o
CORE   := $(call obj,$(wildcard firmware/*.c))
PORT   := $(call obj,$(wildcard firmware/port/*.c))
SERVER := $(call obj,$(filter-out server/main.c,$(wildcard server/*.c)))
TOOLS  := $(call obj,$(filter-out tools/tacit.c tools/bench%.c,$(wildcard tools/*.c)))

.PHONY: all test malice check asan tsan bench simulate fuzz corpus demo install clean help test-programs sanitized-tests fuzz-run
all: $(BUILD)/libtacit.a $(BUILD)/libtacit.so.0 $(BUILD)/tacit.pc $(BUILD)/tacit-port.pc $(BUILD)/include/tacit.h $(BUILD)/tacitd $(BUILD)/tacit ## build everything

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

# ---- generated ---------------------------------------------------------------------------------
$(PB_C) $(PB_H) &: proto/tacit.proto proto/tacit.options
	@mkdir -p $(BUILD)/proto
	protoc --plugin=protoc-gen-nanopb=/usr/bin/protoc-gen-nanopb --nanopb_out=$(BUILD) $<

$(BUILD)/obj/proto/tacit.pb.o: $(PB_C) $(PB_H)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 $(OPT) -fPIC -I$(BUILD) $(SAN) -c $(PB_C) -o $@

$(BUILD)/obj/%.o: %.c Makefile config.mk | $(PB_H)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $<")
	$(Q)$(CC) $(CFLAGS) $(if $(filter common/% firmware/%,$(filter-out firmware/port/%,$<)),,$(HOSTED)) $(CFLAGS_PKG) -MMD -MP -c $< -o $@

# ---- products ----------------------------------------------------------------------------------
$(BUILD)/libtacit.a: $(COMMON) $(CORE) $(PORT)
	@rm -f $@
	$(Q)ar rcs $@ $^

# The shared library is the core alone: an app that brings its own platform gets no TLS, no HTTP and
# no database with it. The ready-made ports are in libtacit.a.
$(BUILD)/libtacit.so.0: $(filter-out %/common/http.o,$(COMMON)) $(CORE) firmware/libtacit.map
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) -shared -Wl,-soname,libtacit.so.0 -Wl,--version-script=firmware/libtacit.map $(LDFLAGS) \
	  $(filter %.o,$^) -o $@ $(LIB_DEVICE)
	@ln -sf libtacit.so.0 $(BUILD)/libtacit.so

$(BUILD)/libserver.a: $(SERVER)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/tacitd: $(BUILD)/obj/server/main.o $(BUILD)/libserver.a $(BUILD)/libtacit.a
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ $(LIB_SERVER) $(LIB_PORT) $(LIB_DEVICE)

$(BUILD)/libtools.a: $(TOOLS)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/tacit: $(BUILD)/obj/tools/tacit.o $(BUILD)/libtools.a $(BUILD)/libserver.a $(BUILD)/libtacit.a
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ $(LIB_SERVER) $(LIB_PORT) $(LIB_DEVICE)

$(BUILD)/bench: $(call obj,$(wildcard tools/bench*.c)) $(BUILD)/libtools.a $(BUILD)/libserver.a $(BUILD)/libtacit.a
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ $(LIB_SERVER) $(LIB_PORT) $(LIB_DEVICE)

# Made anew each time: PREFIX may have changed.
.PHONY: $(BUILD)/tacit.pc $(BUILD)/tacit-port.pc
$(BUILD)/tacit.pc: firmware/tacit.pc.in
	@mkdir -p $(@D)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' $< > $@

$(BUILD)/tacit-port.pc: firmware/tacit-port.pc.in
	@mkdir -p $(@D)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|; s|@PARSER@|$(PARSER)|' $< > $@

# ---- tests -------------------------------------------------------------------------------------
# One cmocka program per file; each links what it needs from the archives.
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*_test.c)) \
        $(patsubst tests/property/%.c,$(BUILD)/tests/%,$(wildcard tests/property/*_test.c))
# The programs as a whole; scripts that print what cmocka prints.
SYSTEM := $(wildcard tests/system/*_test.sh)
TEST_SUPPORT := $(call obj,$(wildcard tests/support/*.c tests/contract/*.c))

# Kernels of other CPUs, built against the plain C of SIMDe: its headers stand before the compiler's.
EMULATED := $(call obj,$(wildcard tests/simde/*.c))
$(EMULATED): CFLAGS += -isystem tests/simde -Wno-psabi
$(BUILD)/tests/ring_test: $(EMULATED)

$(BUILD)/obj/tests/%.o: tests/%.c | $(PB_H)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(HOSTED) $(CFLAGS_PKG) -MMD -MP -c $< -o $@

$(BUILD)/tests/%_test: $(BUILD)/obj/tests/unit/%_test.o $(TEST_SUPPORT) $(BUILD)/libtools.a $(BUILD)/libserver.a $(BUILD)/libtacit.a
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ -lcmocka $(LIB_SERVER) $(LIB_PORT) $(LIB_DEVICE)
$(BUILD)/tests/%_test: $(BUILD)/obj/tests/property/%_test.o $(TEST_SUPPORT) $(BUILD)/libtools.a $(BUILD)/libserver.a $(BUILD)/libtacit.a
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ -lcmocka $(LIB_SERVER) $(LIB_PORT) $(LIB_DEVICE)

# For work on one common/ module while the rest of the tree does not build:
#   make quick/graph   compiles common/graph.c and its test with base, status, crypto, prng only.
quick/%: common/%.c tests/unit/%_test.c
	@mkdir -p $(BUILD)/quick
	$(CC) $(CFLAGS) $(HOSTED) $(CFLAGS_PKG) tests/unit/$*_test.c $(sort common/$*.c common/status.c common/crypto.c common/prng.c $(QUICK)) -o $(BUILD)/quick/$*_test -lcmocka -lsodium -lm
	$(BUILD)/quick/$*_test

# Attacks: one program of the product, and one for each attack in which a single function is replaced
# by that of tests/malice/weak: it stands first, and the linker takes the first (-z muldefs).
ATTACKS := $(patsubst tests/malice/attacks/%.c,%,$(wildcard tests/malice/attacks/*.c))
MALICE  := $(BUILD)/malice/strict $(ATTACKS:%=$(BUILD)/malice/weak-%)
MALICE_OBJ := $(call obj,tests/malice/malice.c $(wildcard tests/malice/attacks/*.c)) $(TEST_SUPPORT)

$(BUILD)/malice_list.h: $(wildcard tests/malice/attacks/*.c) tests/malice/attacks
	@mkdir -p $(@D)
	@printf 'XX(%s)\n' $(ATTACKS) > $@
$(BUILD)/obj/tests/malice/malice.o: $(BUILD)/malice_list.h

$(BUILD)/malice/strict: $(MALICE_OBJ) $(BUILD)/libtools.a $(BUILD)/libserver.a $(BUILD)/libtacit.a
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ -lcmocka $(LIB_SERVER) $(LIB_PORT) $(LIB_DEVICE)

$(BUILD)/malice/weak-%: $(BUILD)/obj/tests/malice/weak/%.o $(MALICE_OBJ) $(BUILD)/libtools.a $(BUILD)/libserver.a $(BUILD)/libtacit.a
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(LDFLAGS) -Wl,-z,muldefs $^ -o $@ -lcmocka $(LIB_SERVER) $(LIB_PORT) $(LIB_DEVICE)

malice: $(MALICE) ## every attack against the product, and against it without the check that stops it
	@BUILD=$(BUILD) sh tests/malice/malice_test.sh

test: all $(UNIT) $(MALICE) ## build and run every test
	@BUILD=$(BUILD) TACIT_DATA=$(TACIT_DATA) sh tests/run.sh $(SYSTEM) tests/malice/malice_test.sh $(UNIT)

test-programs: $(UNIT)

.PHONY: arm
arm: ## run the kernels of a 64-bit ARM in qemu (part of test where qemu is)
	@sh tests/run.sh tests/system/arm_test.sh

# ---- the same tests under sanitizers -------------------------------------------------------------
# Each in a build folder of its own. libcmocka, OpenBLAS and SQLite are not instrumented.
asan: ## unit and property tests and the attacks under AddressSanitizer and UBSan
	$(MAKE) BUILD=$(BUILD)-asan CC=clang OPT="-O1 -g -fno-omit-frame-pointer" \
	  SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" sanitized-tests

tsan: ## the threaded tests under ThreadSanitizer
	$(MAKE) BUILD=$(BUILD)-tsan CC=clang OPT="-O1 -g" SAN="-fsanitize=thread" sanitized-tests

sanitized-tests: $(UNIT) $(BUILD)/malice/strict
	@TSAN_OPTIONS=suppressions=tests/tsan.supp OPENBLAS_NUM_THREADS=1 BUILD=$(BUILD) TACIT_DATA=$(TACIT_DATA) TACIT_QUICK=1 STRICT_ONLY=1 sh tests/run.sh tests/malice/malice_test.sh $(UNIT)

# ---- fuzzing -------------------------------------------------------------------------------------
FUZZ_SECONDS ?= 20
FUZZ_JOBS    ?= 2
fuzz: ## run each fuzz target FUZZ_SECONDS from its corpus
	$(MAKE) BUILD=$(BUILD)-fuzz CC=clang OPT="-O1 -g" \
	  SAN="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all" fuzz-run

FUZZ := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))
# The state machines' targets play whole cohorts, with the scaffolding of the tests.
FUZZ_SUPPORT := $(call obj,tests/support/federation.c tests/support/federation_attack.c)
$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(FUZZ_SUPPORT) $(BUILD)/libtools.a $(BUILD)/libserver.a $(BUILD)/libtacit.a
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) -fsanitize=fuzzer,address,undefined $^ -o $@ -lcmocka $(LIB_SERVER) $(LIB_PORT) $(LIB_DEVICE)

fuzz-run: $(FUZZ)
	@SECONDS_EACH=$(FUZZ_SECONDS) JOBS=$(FUZZ_JOBS) sh tests/fuzz/run.sh $(FUZZ)

corpus: $(BUILD)/make_corpus ## make the seeds of the fuzz targets again
	$< tests/fuzz/corpus

$(BUILD)/make_corpus: $(BUILD)/obj/tests/fuzz/make_corpus.o $(BUILD)/libtacit.a
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ $(LIB_DEVICE)

# ---- the graph -----------------------------------------------------------------------------------
# Not part of `make test`: minutes of search for cuts that must not be there. See docs/GRAPH.md.
# SIZES: N, or N:C:D for max_colluding and max_dropout per thousand.
.PHONY: cuts
GRAPHS ?= 2000
SIZES  ?= 600 1000 2000
cuts: $(BUILD)/cut_search ## search GRAPHS graphs of SIZES devices for cuts
	@GRAPHS=$(GRAPHS) SIZES="$(SIZES)" JOBS=$(JOBS) sh tests/cuts/run.sh $< $(BUILD)/cuts.json

$(BUILD)/cut_search: $(call obj,$(wildcard tests/cuts/*.c) tests/support/graph_adversary.c) $(BUILD)/libtools.a $(BUILD)/libserver.a $(BUILD)/libtacit.a
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(LDFLAGS) $^ -o $@ $(LIB_SERVER) $(LIB_PORT) $(LIB_DEVICE)

# ---- the protocol --------------------------------------------------------------------------------
.PHONY: model
model: ## check the protocol model exhaustively (spin)
	sh tests/model/run.sh $(BUILD)/model

# ---- checks, benchmarks, installation ------------------------------------------------------------
check: all ## format, layering, banned calls, symbols, clang-tidy, both compilers
	python3 tools/check.py $(BUILD)
	python3 tools/map.py --check
	python3 tools/make_skellam.py --check common/skellam_table.c
	$(MAKE) BUILD=$(BUILD)-clang CC=clang all test-programs
	git ls-files 'common/*.c' 'firmware/*.c' 'server/*.c' 'tools/*.c' | grep -v skellam_table | \
	  xargs -P $(JOBS) -I FILE clang-tidy --quiet FILE -- -std=c11 $(HOSTED) -I. -I$(BUILD) $(CFLAGS_PKG) 2>/dev/null

BENCH ?= .
bench: $(BUILD)/bench ## measure; writes build/bench.json (BENCH=pattern for a part)
	$(BUILD)/bench --match '$(BENCH)' --out $(BUILD)/bench.json

# Fixed seeds, then fresh ones; a failure prints the command that repeats it.
SIMULATE_SECONDS ?= 300
simulate: $(BUILD)/tacit ## rounds in virtual time with faults: fixed seeds, then random for SIMULATE_SECONDS
	BUILD=$(BUILD) sh tests/system/virtual_test.sh
	$(BUILD)/tacit simulate --virtual --random-seconds $(SIMULATE_SECONDS)

demo: all ## the whole product once, on MovieLens 100K or generated data
	BUILD=$(BUILD) TACIT_DATA=$(TACIT_DATA) sh tools/demo.sh $(DEMO_FLAGS)

# The ports' headers stand beside it as tacit_posix.h, tacit_https.h, tacit_store_lmdb.h.
PORT_HEADERS := $(patsubst firmware/port/%.h,$(BUILD)/include/tacit_%.h,$(wildcard firmware/port/*.h))
install: all $(PORT_HEADERS) ## install library, header, server and tool under PREFIX
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(BUILD)/libtacit.a $(DESTDIR)$(PREFIX)/lib/
	install -m 755 $(BUILD)/libtacit.so.0 $(DESTDIR)$(PREFIX)/lib/
	ln -sf libtacit.so.0 $(DESTDIR)$(PREFIX)/lib/libtacit.so
	install -m 644 $(BUILD)/include/*.h $(DESTDIR)$(PREFIX)/include/
	install -m 644 $(BUILD)/tacit.pc $(BUILD)/tacit-port.pc $(DESTDIR)$(PREFIX)/lib/pkgconfig/
	install -m 755 $(BUILD)/tacitd $(BUILD)/tacit $(DESTDIR)$(PREFIX)/bin/

# The installed header stands alone: status.h is put where tacit.h includes it.
$(BUILD)/include/tacit.h: firmware/tacit.h common/status.h
	@mkdir -p $(@D)
	$(Q)sed -e '/#include "common\/status.h"/{r common/status.h' -e 'd}' firmware/tacit.h > $@

$(BUILD)/include/tacit_%.h: firmware/port/%.h
	@mkdir -p $(@D)
	$(Q)sed -e 's|#include "firmware/tacit.h"|#include "tacit.h"|' \
	  -e 's|#include "firmware/port/\(.*\)"|#include "tacit_\1"|' $< > $@

clean: ## remove the build folders
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-fuzz $(BUILD)-clang

# Objects of tests are kept: only what changed is compiled again.
.SECONDARY:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
