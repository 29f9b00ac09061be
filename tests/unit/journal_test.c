/* SPDX-License-Identifier: Apache-2.0
 * journal_test.c - the device's journal on the real port (LMDB, keystore files): the process is
 * killed, or the power goes, at every storage call, every sync inside one and every piece of a
 * request of a whole round. Whatever left was journaled first; what comes back has left the cohort,
 * pays once and finds no secret on its disk; an old copy takes no part (security C4). */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "common/mask.h"
#include "firmware/port/posix.h"
#include "firmware/secagg_internal.h"
#include "tests/support/device_world.h"
#include "tests/support/files.h"
#include "tests/support/lossy_disk.h"

enum { N = 4, ROUNDS = 3, DIMS_MAX = 1024, DRAWS_MAX = 16, PART = 12, PARTS_MAX = 16384 };

/* What the journal promises, in order; `settled` ends a charge. */
enum { JOINED, CHARGED, AGREED, SETTLED, JOURNALS };
enum { NOT_YET, BEGUN, COMMITTED };

/* What a device did until it was killed; shared with the process that looks at what is left. */
typedef struct {
    uint64_t steps;
    size_t left[5]; /* bytes of each request that left the device */
    int journal[JOURNALS];
    uint8_t evidence[TACIT_HASH_LEN]; /* what the server knows it must be */
    /* Secrets of the round, as they came to be. */
    bool drawing;
    bool consented;
    bool ended; /* it was not killed before its end */
    uint32_t draw_count;
    uint8_t draws[DRAWS_MAX][TACIT_KEY_LEN];
    uint8_t channels[N][TACIT_KEY_LEN];
    uint8_t held[N * SECAGG_HELD_LEN];
    float x[DIMS_MAX];
    uint32_t words[DIMS_MAX];
} witness;

/* One device on the real port in a world of others; `base` is its disk before any round. */
typedef struct {
    char root[FILES_PATH];
    world w;
    tacit_posix *posix;
    tacit_platform port, watched;          /* the port's callbacks, and those given to the device */
    fixture_signed_plan plans[ROUNDS + 1]; /* [1]: of the world, the others later */
    uint64_t start_s;
} scene;

/* Of the process, as signals of a killed one are. */
static scene *now;
static witness *said;
static uint64_t kill_at; /* step, 1-based */

/* ---- Folders ----------------------------------------------------------------------------------*/

static const char *path_of(const char *disk, const char *part) {
    static char paths[4][2 * FILES_PATH];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s%s", now->root, disk, part);
    return path;
}

/* `to` becomes what `from` is. */
static void copy_folder(const char *from, const char *to) {
    char command[5 * FILES_PATH];
    snprintf(command, sizeof command, "rm -rf '%s' && cp -a '%s' '%s'", to, from, to);
    assert_int_equal(system(command), 0);
}

/* An empty disk: the store and the keystore come to be in different folders. */
static void make_disk(const char *disk) {
    assert_int_equal(mkdir(path_of(disk, ""), 0700), 0);
    assert_int_equal(mkdir(path_of(disk, "/vault"), 0700), 0);
}

/* ---- The device -------------------------------------------------------------------------------*/

/* The process dies here; what a power cut would leave instead is put beside it. */
static void step(void) {
    if (++said->steps != kill_at) return;
    lossy.step = NULL;
    lossy_cut(path_of("lost", ""));
    kill(getpid(), SIGKILL);
}

static tacit_participation *part(void) { return &now->w.devices[0].t->participation; }

/* The journal a commit stands for follows from the request it is made for. */
static int *journal_due(void) {
    switch (tacit_participation_phase(part())) {
        case TACIT_PHASE_JOIN: return &said->journal[JOINED];
        case TACIT_PHASE_MASK: return &said->journal[CHARGED];
        case TACIT_PHASE_AGREE: return &said->journal[AGREED];
        case TACIT_PHASE_DONE: return &said->journal[SETTLED];
        default: return NULL;
    }
}

static tacit_status watch_commit(void *self, const tacit_write *writes, size_t write_count) {
    int *journal = said->drawing ? journal_due() : NULL;
    if (journal == &said->journal[CHARGED]) {
        memcpy(said->words, now->w.devices[0].t->words, now->w.plan.dims * sizeof *said->words);
    }
    lossy_step();
    if (journal != NULL) *journal = BEGUN;
    tacit_status st = now->port.storage_commit(self, writes, write_count);
    if (journal != NULL && st == TACIT_OK) *journal = COMMITTED;
    lossy_step();
    return st;
}

static tacit_status watch_get(void *self, uint8_t *value, size_t cap, size_t *len,
                              const uint8_t *key, size_t key_len) {
    lossy_step();
    return now->port.storage_get(self, value, cap, len, key, key_len);
}

static tacit_status watch_scan(void *self, const uint8_t *prefix, size_t prefix_len,
                               tacit_status (*visit)(void *visit_self, const uint8_t *key,
                                                     size_t key_len, const uint8_t *value,
                                                     size_t value_len),
                               void *visit_self) {
    lossy_step();
    return now->port.storage_scan(self, prefix, prefix_len, visit, visit_self);
}

static tacit_status watch_raise(void *self, uint64_t value) {
    lossy_step();
    tacit_status st = now->port.counter_raise(self, value);
    lossy_step();
    return st;
}

static tacit_status watch_random(void *self, uint8_t *out, size_t len) {
    tacit_status st = now->port.random(self, out, len);
    if (said->drawing) {
        lossy_need(said->draw_count < DRAWS_MAX && len <= TACIT_KEY_LEN);
        memcpy(said->draws[said->draw_count++], out, len);
    }
    return st;
}

static uint64_t world_clock(void *self) {
    (void)self;
    return now->w.now_s;
}

/* Opens the port on the disk, and the library on the port. */
static void device_open(const char *disk) {
    tacit_posix_config config = {.store_folder = path_of(disk, "/store"),
                                 .keystore_folder = path_of(disk, "/vault/keys")};
    assert_int_equal(tacit_posix_open(&now->posix, &config), TACIT_OK);
    tacit_posix_platform(now->posix, &now->port);
    now->watched = now->port;
    now->watched.clock = world_clock;
    now->watched.random = watch_random;
    now->watched.storage_get = watch_get;
    now->watched.storage_commit = watch_commit;
    now->watched.storage_scan = watch_scan;
    now->watched.counter_raise = watch_raise;
    world_device *d = &now->w.devices[0];
    d->platform = &now->watched;
    memset(d->memory, 0, d->memory_len);
    assert_int_equal(world_open(&now->w, 0), TACIT_OK);
}

static void device_close(void) {
    tacit_close(now->w.devices[0].t);
    now->w.devices[0].t = NULL;
    tacit_posix_close(now->posix);
    now->posix = NULL;
}

static const tacit_ledger_record *record(void) { return &now->w.devices[0].t->ledger.record; }

/* Would it join `round` now? It leaves at once if it would; nothing is written. */
static tacit_status would_join(uint64_t round) {
    tacit_participation_room room = tacit_client_room(now->w.devices[0].t);
    uint64_t now_s = now->start_s + 7200 * (round - 1);
    tacit_status st = tacit_participation_begin(part(), &room, now->plans[round].bytes,
                                                now->plans[round].sig, now_s);
    if (st == TACIT_OK) tacit_participation_leave(part());
    return st;
}

/* ---- Its scene --------------------------------------------------------------------------------*/

static void cheap(tacit_plan *p) { p->mu = UINT64_C(1) << 23; }

static void cheap_later(tacit_plan *p) {
    cheap(p);
    p->opens_s = now->start_s + 7200 * (p->round - 1);
    p->join_until_s = p->opens_s + 300;
}

/* Plans of later rounds first: round 1 is the world's when this returns. */
static void make_plans(void) {
    for (uint64_t round = ROUNDS; round >= 1; round--) {
        world_round(&now->w, round, round == 1 ? cheap : cheap_later);
        now->plans[round] = now->w.plan_bytes;
    }
}

static int make(void **state) {
    (void)state;
    now = calloc(1, sizeof *now);
    said = mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (now == NULL || said == MAP_FAILED) return -1;
    files_folder(now->root);
    world_init(&now->w, N);
    now->start_s = now->w.now_s;
    make_plans();
    make_disk("base");
    world_device *d = &now->w.devices[0];
    tacit_close(d->t);
    tacit_posix_config config = {.store_folder = path_of("base", "/store"),
                                 .keystore_folder = path_of("base", "/vault/keys")};
    assert_int_equal(tacit_posix_open(&now->posix, &config), TACIT_OK);
    tacit_posix_identity(now->posix, d->p.identity);
    tacit_posix_close(now->posix);
    fixture_certify(d->certificate, &now->w.keys, &d->p, 1);
    device_open("base");
    world_prepare(&now->w, 0);
    device_close();
    for (uint32_t i = 1; i < N; i++) assert_int_equal(world_begin(&now->w, i), TACIT_OK);
    return 0;
}

static int clean(void **state) {
    (void)state;
    char command[FILES_PATH + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", now->root);
    int result = system(command);
    world_free(&now->w);
    munmap(said, sizeof *said);
    free(now);
    return result;
}

/* ---- A round ----------------------------------------------------------------------------------*/

/* The network: what is handed to it has left. */
static tacit_status leave_device(void *self, const uint8_t *data, size_t len) {
    tacit_sink *server = self;
    lossy_step();
    said->left[tacit_participation_phase(part())] += len;
    lossy_step();
    return server->write(server->self, data, len);
}

/* Keeps the secrets that stand in the machine after a request or an answer. */
static void note_secrets(void) {
    const tacit_secagg *s = part()->secagg;
    if (tacit_secagg_phase(s) == TACIT_PHASE_SHARE && tacit_secagg_waiting(s)) {
        for (uint32_t i = 0; i < s->count; i++)
            memcpy(said->channels[i], s->neighbours[i].channel_shared, TACIT_KEY_LEN);
    }
    if (tacit_secagg_phase(s) == TACIT_PHASE_MASK && !tacit_secagg_waiting(s)) {
        memcpy(said->held, s->held, (size_t)s->count * SECAGG_HELD_LEN);
    }
}

static void note_evidence(void) {
    cohort_report r;
    cohort_report_get(now->w.cohort, &r);
    tacit_evidence(said->evidence, r.root, r.u2_digest, r.u3_digest);
}

/* One request of the device and of the others, and the answers. */
static void play_phase(tacit_phase phase) {
    world *w = &now->w;
    char note[TACIT_NOTE_LEN + 1];
    w->request.len = 0;
    tacit_sink server = world_sink(&w->request), network = {&server, leave_device};
    assert_int_equal(tacit_participation_request(part(), &network, w->now_s), TACIT_OK);
    note_secrets();
    tacit_bytes body = {w->request.data, w->request.len};
    assert_int_equal(
        cohort_submit(w->cohort, &w->devices[0].slot, note, (cohort_phase)phase, body, w->now_s),
        TACIT_OK);
    if (phase == TACIT_PHASE_MASK) w->devices[N - 1].gone = true; /* so that U3 is not U2 */
    world_send_all(w, 1);
    world_close(w);
    world_deliver_all(w, 1, phase);
    if (phase == TACIT_PHASE_MASK) note_evidence();
    world_collect(w, 0, phase);
    assert_int_equal(world_deliver(w, 0), TACIT_OK);
    note_secrets();
}

static void begin_round(void) {
    said->drawing = true;
    assert_int_equal(world_begin(&now->w, 0), TACIT_OK);
    memcpy(said->x, now->w.devices[0].said, now->w.plan.dims * sizeof *said->x);
}

/* The life of the process that is killed. */
static void live_a_round(void) {
    lossy_watch(path_of("work", ""));
    device_open("work");
    begin_round();
    lossy.step = step;
    for (int p = 0; p < 5; p++) play_phase((tacit_phase)p);
}

static void live_to_mask(void) {
    lossy_watch(path_of("work", ""));
    device_open("work");
    begin_round();
    for (int p = 0; p <= TACIT_PHASE_MASK; p++) play_phase((tacit_phase)p);
}

static void live_an_opening(void) {
    lossy_watch(path_of("work", ""));
    lossy.step = step;
    device_open("work");
}

static void live_the_first_day(void) {
    lossy_watch(path_of("work", ""));
    lossy.step = step;
    device_open("work");
    assert_int_equal(tacit_consent_set(now->w.devices[0].t, true), TACIT_OK);
    said->consented = true;
}

/* Lets a process live on `work`, a fresh copy of the disk `from`, until it is killed at step `at`.
 * False when it reached its end: then the power went there. */
static bool killed(void (*live)(void), const char *from, uint64_t at) {
    copy_folder(path_of(from, ""), path_of("work", ""));
    char command[2 * FILES_PATH];
    snprintf(command, sizeof command, "rm -rf '%s'", path_of("lost", ""));
    assert_int_equal(system(command), 0);
    memset(said, 0, sizeof *said);
    kill_at = at;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        live();
        said->ended = true;
        kill_at = said->steps + 1;
        step();
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    said->drawing = false;
    return !said->ended;
}

/* ---- Secrets on the disk ----------------------------------------------------------------------*/

static const uint8_t *parts[PARTS_MAX];
static size_t part_count;
static bool part_starts[65536];

static size_t start_of(const uint8_t *p) { return (size_t)p[0] << 8 | p[1]; }

/* Takes the 12-byte parts at each stride; those with hardly any different bytes say nothing. */
static void look_for(const void *data, size_t len, size_t stride) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i + PART <= len; i += stride) {
        bool seen[256] = {false};
        int different = 0;
        for (size_t j = 0; j < PART; j++) {
            different += !seen[bytes[i + j]];
            seen[bytes[i + j]] = true;
        }
        if (different < 6) continue;
        assert_true(part_count < PARTS_MAX);
        parts[part_count++] = bytes + i;
        part_starts[start_of(bytes + i)] = true;
    }
}

static int compare_parts(const void *a, const void *b) {
    return memcmp(*(const uint8_t *const *)a, *(const uint8_t *const *)b, PART);
}

static void look_for_nothing(void) {
    part_count = 0;
    memset(part_starts, 0, sizeof part_starts);
}

static void look_for_secrets(void) {
    look_for_nothing();
    for (uint32_t i = 0; i < said->draw_count; i++) look_for(said->draws[i], TACIT_KEY_LEN, 1);
    static uint8_t mask_key[TACIT_KEY_LEN];
    tacit_mask_secret_key(mask_key, said->draws[0]);
    look_for(mask_key, sizeof mask_key, 1);
    for (uint32_t i = 0; i < N; i++) look_for(said->channels[i], TACIT_KEY_LEN, 1);
    look_for(said->held, sizeof said->held, 1);
    look_for(said->x, sizeof said->x, sizeof *said->x);
    look_for(said->words, sizeof said->words, sizeof *said->words);
    qsort(parts, part_count, sizeof *parts, compare_parts);
}

/* How often one of the parts stands in the file. */
static size_t found_in(const char *path) {
    size_t count = 0;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    size_t len = (size_t)ftell(f);
    uint8_t *data = malloc(len + 1);
    assert_non_null(data);
    rewind(f);
    assert_int_equal(fread(data, 1, len, f), len);
    fclose(f);
    for (size_t i = 0; i + PART <= len; i++) {
        const uint8_t *key = data + i;
        if (!part_starts[start_of(key)]) continue;
        count += bsearch(&key, parts, part_count, sizeof *parts, compare_parts) != NULL;
    }
    free(data);
    return count;
}

static size_t found_on(const char *disk) {
    static const char *const folders[2] = {"/store", "/vault/keys"};
    size_t count = 0, files = 0;
    for (int i = 0; i < 2; i++) {
        DIR *d = opendir(path_of(disk, folders[i]));
        assert_non_null(d);
        for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
            char path[3 * FILES_PATH];
            if (e->d_name[0] == '.') continue;
            snprintf(path, sizeof path, "%s/%s", path_of(disk, folders[i]), e->d_name);
            count += found_in(path);
            files++;
        }
        closedir(d);
    }
    assert_true(files >= 5); /* data.mdb, model; identity, mac, counter */
    return count;
}

/* ---- What is left -----------------------------------------------------------------------------*/

typedef struct {
    uint64_t round;
    uint8_t hash[TACIT_HASH_LEN];
    int count;
} kept_evidence;

static tacit_status keep(void *self, uint64_t round, const uint8_t evidence[TACIT_HASH_LEN]) {
    kept_evidence *k = self;
    k->round = round;
    k->count++;
    memcpy(k->hash, evidence, sizeof k->hash);
    return TACIT_OK;
}

/* A commit that returned is there; one that was not begun is not; in between, either. */
static void assert_journal(int journal, bool there) {
    if (said->journal[journal] == COMMITTED) assert_true(there);
    if (said->journal[journal] == NOT_YET) assert_false(there);
}

/* The ledger of the opened device, once its charges have their end. */
static void check_ledger(bool ended) {
    const tacit_ledger_record *r = record();
    bool joined = r->highest_round == 1, charged = r->charged_round == 1;
    assert_true(r->consent);
    assert_false(r->exhausted);
    assert_false(r->unsettled);
    assert_journal(JOINED, joined);
    assert_int_equal(r->rounds_joined, joined);
    assert_journal(CHARGED, charged);
    assert_int_equal(r->rounds_charged, charged);
    assert_int_equal(r->period_charges, charged);
    assert_int_equal(r->ever[0] > 0, charged);
    assert_int_equal(r->losses, charged && !ended);
    if (said->left[TACIT_PHASE_JOIN] > 0) assert_true(joined);
    if (said->left[TACIT_PHASE_MASK] > 0) assert_true(charged);
}

static void check_evidence(void) {
    kept_evidence k = {0};
    assert_int_equal(tacit_participation_evidence(&now->port, keep, &k), TACIT_OK);
    assert_journal(AGREED, k.count == 1);
    if (said->left[TACIT_PHASE_AGREE] > 0) assert_int_equal(k.count, 1);
    if (k.count == 0) return;
    assert_int_equal(k.count, 1);
    assert_int_equal(k.round, 1);
    assert_memory_equal(k.hash, said->evidence, TACIT_HASH_LEN);
}

static tacit_status count_bytes(void *self, const uint8_t *data, size_t len) {
    (void)data;
    *(size_t *)self += len;
    return TACIT_OK;
}

/* It has left: no request, no answer, and never again this round. */
static void check_has_left(void) {
    size_t sent = 0;
    tacit_sink network = {&sent, count_bytes};
    assert_int_equal(tacit_participation_phase(part()), TACIT_PHASE_LEFT);
    assert_int_equal(tacit_participation_request(part(), &network, now->start_s), TACIT_LEFT);
    assert_int_equal(tacit_participation_answer(part(), said->evidence, 32), TACIT_LEFT);
    assert_int_equal(tacit_participation_answer_end(part(), now->start_s), TACIT_LEFT);
    assert_int_equal(sent, 0);
    bool used = record()->highest_round == 1;
    assert_int_equal(would_join(1), used ? TACIT_ROUND_USED : TACIT_OK);
}

/* Opens what is left on `disk` as a new process would, twice: a loss is counted once. */
static void check_disk(const char *disk) {
    assert_int_equal(found_on(disk), 0);
    bool ended = said->journal[SETTLED] == COMMITTED;
    for (int opened = 0; opened < 2; opened++) {
        device_open(disk);
        if (said->journal[SETTLED] == BEGUN) ended = record()->losses == 0;
        check_ledger(ended);
        check_evidence();
        check_has_left();
        assert_int_equal(would_join(2), TACIT_OK); /* the device is not spoilt */
        device_close();
    }
    assert_int_equal(found_on(disk), 0);
}

/* The counter is as durable as the ledger it guards: under the keystore left on `disk`, the store
 * as it was before the last journal takes no part once a byte left on that journal. `joined` is a
 * store of an earlier run that had joined and no more. */
static void check_older_store(const char *disk) {
    if (said->left[TACIT_PHASE_JOIN] == 0) return;
    const char *store = said->left[TACIT_PHASE_MASK] > 0 ? "joined" : "base/store";
    copy_folder(path_of(disk, ""), path_of("restored", ""));
    copy_folder(path_of(store, ""), path_of("restored", "/store"));
    device_open("restored");
    assert_true(record()->exhausted);
    assert_false(record()->consent);
    device_close();
}

static void killed_at_every_step(void **state) {
    (void)state;
    bool struck = true, joined = false;
    uint64_t at = 0;
    while (struck) {
        struck = killed(live_a_round, "base", ++at);
        look_for_secrets();
        if (!joined && said->left[TACIT_PHASE_JOIN] > 0) {
            copy_folder(path_of("work", "/store"), path_of("joined", ""));
            joined = true;
        }
        check_older_store("work");
        check_older_store("lost");
        check_disk("work");
        check_disk("lost");
    }
    /* To its end it did all there is, so nothing above was true for want of anything. */
    for (int p = 0; p < 5; p++) assert_true(said->left[p] > 0);
    for (int j = 0; j < JOURNALS; j++) assert_int_equal(said->journal[j], COMMITTED);
    assert_int_equal(said->draw_count, 6); /* s, b, c, polynomials, rounding, noise */
    assert_true(at > 60);
    assert_true(part_count > 6 * 20 + 2 * 3 * 20 + DIMS_MAX / 2);
    /* The search finds what is there. */
    look_for_nothing();
    look_for(said->evidence, TACIT_HASH_LEN, 1);
    qsort(parts, part_count, sizeof *parts, compare_parts);
    assert_true(found_on("work") >= TACIT_HASH_LEN - PART + 1);
}

/* Also when it is killed while it opens again, at any step, the charge stays one charge and the
 * lost cohort one loss. */
static void killed_while_it_comes_back(void **state) {
    (void)state;
    assert_false(killed(live_to_mask, "base", 0));
    assert_true(said->left[TACIT_PHASE_MASK] > 0);
    copy_folder(path_of("work", ""), path_of("paid", ""));
    bool struck = true;
    uint64_t at = 0;
    while (struck) {
        struck = killed(live_an_opening, "paid", ++at);
        for (int lost = 0; lost < 2; lost++) {
            device_open(lost ? "lost" : "work");
            assert_false(record()->exhausted);
            assert_int_equal(record()->rounds_charged, 1);
            assert_int_equal(record()->losses, 1);
            assert_int_equal(would_join(1), TACIT_ROUND_USED);
            assert_int_equal(would_join(2), TACIT_OK);
            device_close();
        }
    }
    assert_true(at > 15);
}

/* Before there was a disk: the names of new folders and files are as durable as what is in them,
 * and a device that had hardly begun is not taken for one that lost its ledger. */
static void killed_on_its_first_day(void **state) {
    (void)state;
    bool struck = true;
    uint64_t at = 0;
    make_disk("empty");
    while (struck) {
        struck = killed(live_the_first_day, "empty", ++at);
        for (int lost = 0; lost < 2; lost++) {
            device_open(lost ? "lost" : "work");
            assert_false(record()->exhausted);
            if (said->consented) assert_true(record()->consent);
            device_close();
        }
    }
    assert_true(said->consented);
    assert_true(at > 40);
}

/* No room on the disk for a journal: nothing leaves, and the device is out. */
static void full_disk_before(tacit_phase last) {
    size_t sent = 0;
    tacit_sink network = {&sent, count_bytes};
    copy_folder(path_of("base", ""), path_of("work", ""));
    device_open("work");
    begin_round();
    for (int p = 0; p < (int)last; p++) play_phase((tacit_phase)p);
    files_limit(1);
    tacit_status st = tacit_participation_request(part(), &network, now->w.now_s);
    files_limit(RLIM_INFINITY);
    assert_int_equal(st, TACIT_STORAGE);
    assert_int_equal(sent, 0);
    assert_int_equal(tacit_participation_phase(part()), TACIT_PHASE_LEFT);
    device_close();
}

static void a_full_disk_sends_no_join(void **state) {
    (void)state;
    full_disk_before(TACIT_PHASE_JOIN);
}

static void a_full_disk_sends_no_vector(void **state) {
    (void)state;
    full_disk_before(TACIT_PHASE_MASK);
}

static void a_full_disk_agrees_to_nothing(void **state) {
    (void)state;
    full_disk_before(TACIT_PHASE_AGREE);
}

/* ---- Old copies -------------------------------------------------------------------------------*/

/* Joins the round and leaves: its journal is written, its request is gone. */
static void join_only(uint64_t round) {
    tacit_participation_room room = tacit_client_room(now->w.devices[0].t);
    size_t sent = 0;
    tacit_sink network = {&sent, count_bytes};
    uint64_t now_s = now->start_s + 7200 * (round - 1);
    assert_int_equal(tacit_participation_begin(part(), &room, now->plans[round].bytes,
                                               now->plans[round].sig, now_s),
                     TACIT_OK);
    assert_int_equal(tacit_participation_request(part(), &network, now_s), TACIT_OK);
    assert_true(sent > 0);
    tacit_participation_leave(part());
}

static void assert_takes_no_part(void) {
    for (int opened = 0; opened < 2; opened++) {
        device_open("work");
        if (opened == 0) {
            assert_int_equal(would_join(3), TACIT_NO_CONSENT);
            assert_int_equal(tacit_consent_set(now->w.devices[0].t, true), TACIT_OK);
        }
        for (uint64_t round = 1; round <= ROUNDS; round++) {
            assert_int_equal(would_join(round), TACIT_BUDGET_SPENT);
        }
        device_close();
    }
}

/* The store as it was before the round and after each of its phases, put back under a keystore that
 * went on: not until a certificate of a newer epoch. */
static void old_copies_take_no_part(void **state) {
    (void)state;
    enum { COPIES = 6 };
    static const char *const copies[COPIES] = {"c0", "c1", "c2", "c3", "c4", "c5"};
    world_device *d = &now->w.devices[0];
    copy_folder(path_of("base", ""), path_of("work", ""));
    copy_folder(path_of("work", "/store"), path_of(copies[0], ""));
    device_open("work");
    begin_round();
    for (int p = 0; p < 5; p++) {
        play_phase((tacit_phase)p);
        copy_folder(path_of("work", "/store"), path_of(copies[1 + p], ""));
    }
    said->drawing = false;
    join_only(2);
    copy_folder(path_of("work", "/store"), path_of("newest", ""));
    device_close();

    copy_folder(path_of("newest", ""), path_of("work", "/store"));
    device_open("work");
    assert_int_equal(would_join(3), TACIT_OK); /* it is not the copying that shuts it */
    device_close();
    for (int i = 0; i < COPIES; i++) {
        copy_folder(path_of(copies[i], ""), path_of("work", "/store"));
        assert_takes_no_part();
        fixture_certify(d->certificate, &now->w.keys, &d->p, 2);
        device_open("work");
        assert_int_equal(would_join(3), TACIT_OK);
        device_close();
        fixture_certify(d->certificate, &now->w.keys, &d->p, 1);
    }
}

/* The counter of this port is a file: whoever puts it back too is not noticed (THREATS 6). A host
 * with a real counter keeps what the test above says. */
static void a_copy_with_its_keystore_is_not_noticed(void **state) {
    (void)state;
    assert_false(killed(live_to_mask, "base", 0));
    copy_folder(path_of("base", "/store"), path_of("work", "/store"));
    assert_takes_no_part();
    copy_folder(path_of("base", ""), path_of("work", ""));
    device_open("work");
    assert_false(record()->exhausted);
    assert_int_equal(record()->rounds_charged, 0);
    assert_int_equal(would_join(1), TACIT_OK);
    device_close();
}

/* ---- The disk itself --------------------------------------------------------------------------*/

static void write_file(const char *path, const char *text, bool sync) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    if (sync) assert_int_equal(fsync(fd), 0);
    close(fd);
}

static void assert_file(const char *path, const char *want) {
    char text[32] = "";
    FILE *f = fopen(path, "rb");
    if (want == NULL)
        assert_null(f);
    else
        assert_non_null(f);
    if (f == NULL) return;
    (void)fread(text, 1, sizeof text - 1, f);
    fclose(f);
    assert_string_equal(text, want);
}

/* The scaffolding: a write, a name and a meta page are lost exactly when they were not synced. */
static void the_disk_keeps_what_was_synced(void **state) {
    (void)state;
    assert_int_equal(mkdir(path_of("disk", ""), 0700), 0);
    write_file(path_of("disk", "/old"), "old", false);
    lossy_watch(path_of("disk", ""));
    write_file(path_of("disk", "/old"), "new", false);
    write_file(path_of("disk", "/synced"), "synced", true);
    lossy_cut(path_of("first", ""));
    assert_file(path_of("first", "/old"), "old");
    assert_file(path_of("first", "/synced"), NULL); /* its name was not */

    int folder = open(path_of("disk", ""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(fsync(folder), 0);
    close(folder);
    int fd = open(path_of("disk", "/synced"), O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "SYN", 3, 0), 3);
    close(fd);
    fd = open(path_of("disk", "/synced"), O_WRONLY | O_DSYNC | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "CED", 3, 3), 3);
    close(fd);
    assert_int_equal(rename(path_of("disk", "/old"), path_of("disk", "/moved")), 0);
    lossy_cut(path_of("second", ""));
    assert_file(path_of("second", "/old"), "old");
    assert_file(path_of("second", "/moved"), NULL);
    assert_file(path_of("second", "/synced"), "synCED");
    lossy_end();
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, make, clean)
    const struct CMUnitTest tests[] = {
        TEST(the_disk_keeps_what_was_synced),
        TEST(killed_at_every_step),
        TEST(killed_while_it_comes_back),
        TEST(killed_on_its_first_day),
        TEST(a_full_disk_sends_no_join),
        TEST(a_full_disk_sends_no_vector),
        TEST(a_full_disk_agrees_to_nothing),
        TEST(old_copies_take_no_part),
        TEST(a_copy_with_its_keystore_is_not_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
