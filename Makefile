# SPDX-License-Identifier: Apache-2.0
# Tacit. `make help` lists what there is; config.mk holds the knobs.
include config.mk

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
TOOLS  := $(call obj,$(wildcard tools/*.c))

.PHONY: all test check asan tsan bench fuzz demo install clean help
all: $(BUILD)/libtacit.a $(BUILD)/libtacit.so.0 $(BUILD)/tacit.pc $(BUILD)/tacitd $(BUILD)/tacit ## build everything

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

# ---- generated ---------------------------------------------------------------------------------
$(PB_C) $(PB_H) &: proto/tacit.proto proto/tacit.options
	@mkdir -p $(BUILD)/proto
	protoc --plugin=protoc-gen-nanopb=/usr/bin/protoc-gen-nanopb --nanopb_out=$(BUILD) $<

$(BUILD)/obj/proto/tacit.pb.o: $(PB_C) $(PB_H)
	@mkdir -p $(@D)
	$(CC) -std=c11 $(OPT) -fPIC -I$(BUILD) $(SAN) -c $(PB_C) -o $@

$(BUILD)/obj/common/%.o $(BUILD)/obj/firmware/%.o $(BUILD)/obj/server/%.o $(BUILD)/obj/tools/%.o: | $(PB_H)

$(BUILD)/obj/%.o: %.c Makefile config.mk
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(if $(filter common/% firmware/%,$(filter-out firmware/port/%,$<)),,$(HOSTED)) $(CFLAGS_PKG) -MMD -MP -c $< -o $@

# ---- products ----------------------------------------------------------------------------------
$(BUILD)/libtacit.a: $(COMMON) $(CORE) $(PORT)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/libtacit.so.0: $(COMMON) $(CORE) $(PORT) firmware/libtacit.map
	$(CC) -shared -Wl,-soname,libtacit.so.0 -Wl,--version-script=firmware/libtacit.map $(LDFLAGS) \
	  $(filter %.o,$^) -o $@ $(LIB_DEVICE) $(LIB_PORT)
	@ln -sf libtacit.so.0 $(BUILD)/libtacit.so

$(BUILD)/libserver.a: $(SERVER)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/tacitd: $(BUILD)/obj/server/main.o $(BUILD)/libserver.a $(BUILD)/libtacit.a
	$(CC) $(LDFLAGS) $^ -o $@ $(LIB_SERVER) $(LIB_PORT) $(LIB_DEVICE)

$(BUILD)/tacit: $(TOOLS) $(BUILD)/libserver.a $(BUILD)/libtacit.a
	$(CC) $(LDFLAGS) $^ -o $@ $(LIB_SERVER) $(LIB_PORT) $(LIB_DEVICE)

$(BUILD)/tacit.pc: firmware/tacit.pc.in Makefile config.mk
	@mkdir -p $(@D)
	sed -e 's|@PREFIX@|$(PREFIX)|' $< > $@

# ---- tests -------------------------------------------------------------------------------------
# One cmocka program per file; each links what it needs from the archives.
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*_test.c)) \
        $(patsubst tests/property/%.c,$(BUILD)/tests/%,$(wildcard tests/property/*_test.c))
TEST_SUPPORT := $(call obj,$(wildcard tests/support/*.c))

$(BUILD)/obj/tests/%.o: tests/%.c | $(PB_H)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(HOSTED) $(CFLAGS_PKG) -MMD -MP -c $< -o $@

$(BUILD)/tests/%_test: $(BUILD)/obj/tests/unit/%_test.o $(TEST_SUPPORT) $(BUILD)/libserver.a $(BUILD)/libtacit.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) $^ -o $@ -lcmocka $(LIB_SERVER) $(LIB_PORT) $(LIB_DEVICE)
$(BUILD)/tests/%_test: $(BUILD)/obj/tests/property/%_test.o $(TEST_SUPPORT) $(BUILD)/libserver.a $(BUILD)/libtacit.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) $^ -o $@ -lcmocka $(LIB_SERVER) $(LIB_PORT) $(LIB_DEVICE)

# For work on one common/ module while the rest of the tree does not build:
#   make quick/graph   compiles common/graph.c and its test with base, status, crypto, prng only.
quick/%: common/%.c tests/unit/%_test.c
	@mkdir -p $(BUILD)/quick
	$(CC) $(CFLAGS) $(HOSTED) $(CFLAGS_PKG) tests/unit/$*_test.c $(sort common/$*.c common/status.c common/crypto.c common/prng.c $(QUICK)) -o $(BUILD)/quick/$*_test -lcmocka -lsodium -lm
	$(BUILD)/quick/$*_test

test: all $(UNIT) ## build and run every test
	@BUILD=$(BUILD) TACIT_DATA=$(TACIT_DATA) sh tests/run.sh $(UNIT)

clean: ## remove the build folder
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
