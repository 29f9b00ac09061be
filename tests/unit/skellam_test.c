/* SPDX-License-Identifier: Apache-2.0
 * skellam_test.c - the committed tables against a distribution computed another way, the sampler
 * against a slow reference on the same stream, and the drawn distribution against the exact one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/accountant.h"
#include "common/crypto.h"
#include "common/skellam.h"
#include "common/skellam_table.h"

enum { MAX_MAGNITUDE = 8192 };

/* P(X = k), k = 0 .. MAX_MAGNITUDE - 1, by downward recurrence of e^-v I_k(v) in long double. */
static void exact_pmf(long double *p, double variance) {
    long double above = 0, here = 1e-4000L, sum = 0;
    size_t start = (size_t)(20 * sqrt(variance)) + 120;
    assert_true(start < MAX_MAGNITUDE);
    memset(p, 0, MAX_MAGNITUDE * sizeof *p);
    for (size_t k = start; k > 0; k--) { /* I_(k-1) = I_(k+1) + (2k / v) I_k */
        long double below = above + 2 * (long double)k / (long double)variance * here;
        p[k] = here;
        above = here;
        here = below;
    }
    p[0] = here;
    for (size_t k = start; k > 0; k--) sum += 2 * p[k];
    sum += p[0];
    for (size_t k = 0; k <= start; k++) p[k] /= sum;
}

static long double pmf[MAX_MAGNITUDE];

/* ---- Tables ------------------------------------------------------------------------------------
 */

static void tables_are_well_formed(void **state) {
    (void)state;
    uint32_t offset = 0, variance = 0;
    assert_int_equal(tacit_skellam_table_count(), TACIT_SKELLAM_TABLE_COUNT);
    for (uint32_t i = 0; i < TACIT_SKELLAM_TABLE_COUNT; i++) {
        const tacit_skellam_table *t = &tacit_skellam_tables[i];
        const tacit_skellam_word *w = tacit_skellam_words + t->offset;
        assert_int_equal(t->offset, offset);
        assert_true(t->variance > variance);
        assert_int_equal(tacit_skellam_table_variance(i), t->variance);
        assert_true(t->word_count >= 2);
        assert_true(UINT32_C(1) << t->steps >= t->word_count);
        assert_true(UINT32_C(1) << (t->steps - 1) < t->word_count);
        for (uint32_t k = 0; k < t->word_count; k++) {
            assert_true(w[k].high <= INT64_MAX);
            if (k == 0) continue;
            assert_true(w[k].high > w[k - 1].high ||
                        (w[k].high == w[k - 1].high && w[k].low > w[k - 1].low));
        }
        assert_true(w[t->word_count - 1].high == INT64_MAX);
        assert_true(w[t->word_count - 1].low == UINT64_MAX);
        offset += t->word_count;
        variance = t->variance;
    }
    assert_int_equal(offset, TACIT_SKELLAM_WORD_COUNT);
    assert_true(sizeof tacit_skellam_words < 300 * 1024);
}

/* Upper tails agree relative to their size, down to the last ones near 2^-99: the words are the
 * right distribution, not only near the middle. Rounding a word moves a tail by at most 2^-127. */
static void words_are_the_distribution(void **state) {
    (void)state;
    for (uint32_t i = 0; i < TACIT_SKELLAM_TABLE_COUNT; i++) {
        const tacit_skellam_table *t = &tacit_skellam_tables[i];
        const tacit_skellam_word *w = tacit_skellam_words + t->offset;
        exact_pmf(pmf, t->variance);
        long double tail = 0, error = 0;
        for (size_t k = MAX_MAGNITUDE - 1; k >= t->word_count; k--) tail += 2 * pmf[k];
        assert_true(tail <= 0x1p-99L && tail > 0x1p-107L); /* support neither short nor wasteful */
        error = tail;
        for (uint32_t k = t->word_count - 1; k-- > 0;) {
            tail += 2 * pmf[k + 1];
            long double above = ((long double)(INT64_MAX - w[k].high) * 0x1p64L +
                                 (long double)(UINT64_MAX - w[k].low) + 1) *
                                0x1p-127L;
            long double off = above - tail;
            assert_true(fabsl(off) <= 0x1p-127L * 1.01L + tail * 1e-14L);
        }
        assert_true(fabsl(1 - tail - pmf[0]) < 1e-17L);
        assert_true(error + (long double)t->word_count * 0x1p-127L < 0x1p-98L);
    }
}

/* ---- Exact integer path ------------------------------------------------------------------------
 */

/* One draw by linear scan, as the definition says. */
static int32_t draw_slowly(const tacit_skellam_table *t, const uint8_t bytes[static 16]) {
    const tacit_skellam_word *w = tacit_skellam_words + t->offset;
    uint64_t low = tacit_get_u64(bytes), high = tacit_get_u64(bytes + 8);
    bool minus = high >> 63;
    int32_t k = 0;
    high &= INT64_MAX;
    while (k < (int32_t)t->word_count - 1 &&
           (high > w[k].high || (high == w[k].high && low >= w[k].low)))
        k++;
    return minus ? -k : k;
}

/* Draws of one table for `draws` given 128-bit numbers, through the public function. */
static void draw_given(int32_t *q, uint32_t table, const uint8_t *bytes, size_t draws) {
    tacit_skellam s = {tacit_skellam_tables[table].variance, 1, {(uint8_t)table}};
    tacit_prng p;
    assert_true(16 * draws <= TACIT_PRNG_BUFFER);
    tacit_prng_init_seed(&p, 0, 0);
    memcpy(p.buf + TACIT_PRNG_BUFFER - 16 * draws, bytes, 16 * draws);
    p.used = (uint32_t)(TACIT_PRNG_BUFFER - 16 * draws);
    memset(q, 0, draws * sizeof *q);
    tacit_skellam_add(q, draws, &s, &p);
}

/* Each word of each table: the number itself, the one below and the one above, both signs. */
static void every_threshold_is_exact(void **state) {
    (void)state;
    for (uint32_t i = 0; i < TACIT_SKELLAM_TABLE_COUNT; i++) {
        const tacit_skellam_table *t = &tacit_skellam_tables[i];
        int32_t last = (int32_t)t->word_count - 1;
        for (int32_t k = 0; k < last; k++) {
            const tacit_skellam_word w = tacit_skellam_words[t->offset + (uint32_t)k];
            const tacit_skellam_word ask[3] = {
                {w.high - (w.low == 0), w.low - 1}, w, {w.high + (w.low == UINT64_MAX), w.low + 1}};
            uint8_t bytes[6 * 16];
            int32_t q[6];
            for (size_t j = 0; j < 6; j++) {
                tacit_put_u64(bytes + 16 * j, ask[j % 3].low);
                tacit_put_u64(bytes + 16 * j + 8, ask[j % 3].high | (uint64_t)(j / 3) << 63);
            }
            draw_given(q, i, bytes, 6);
            assert_true(q[0] == k && q[1] == k + 1 && q[2] == k + 1);
            assert_true(q[3] == -k && q[4] == -k - 1 && q[5] == -k - 1);
        }
        uint8_t ends[2 * 16] = {0};
        int32_t q[2];
        memset(ends + 16, 0xff, 16);
        draw_given(q, i, ends, 2);
        assert_true(q[0] == 0 && q[1] == -last);
    }
}

/* All lengths around the block and lane sizes; additions to what is there; the stream's order. */
static void equals_the_slow_reference(void **state) {
    (void)state;
    const uint64_t variances[] = {1, 300, 5000, 19999, 200000};
    const size_t counts[] = {1, 7, 8, 9, 255, 256, 257, 1000};
    for (size_t v = 0; v < 5; v++) {
        tacit_skellam s;
        assert_int_equal(tacit_skellam_init(&s, variances[v]), TACIT_OK);
        for (size_t c = 0; c < 8; c++) {
            tacit_prng a, b;
            int32_t q[1001], want[1001];
            tacit_prng_init_seed(&a, v, c);
            tacit_prng_init_seed(&b, v, c);
            for (int32_t i = 0; i < 1001; i++) q[i] = want[i] = 3 * i - 500;
            tacit_skellam_add(q, counts[c], &s, &a);
            for (size_t first = 0; first < counts[c]; first += 256) {
                size_t end = first + 256 < counts[c] ? first + 256 : counts[c];
                for (uint32_t p = 0; p < s.part_count; p++) {
                    for (size_t i = first; i < end; i++) {
                        uint8_t bytes[16];
                        tacit_prng_bytes(&b, bytes, sizeof bytes);
                        want[i] += draw_slowly(&tacit_skellam_tables[s.parts[p]], bytes);
                    }
                }
            }
            assert_memory_equal(q, want, sizeof q);
            assert_int_equal(tacit_prng_u64(&a), tacit_prng_u64(&b));
        }
    }
}

/* ---- Composition -------------------------------------------------------------------------------
 */

static uint64_t sum_of_parts(const tacit_skellam *s) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->part_count; i++) {
        sum += tacit_skellam_table_variance(s->parts[i]);
        if (i > 0) assert_true(s->parts[i] <= s->parts[i - 1]);
    }
    return sum;
}

static void variances_are_reached(void **state) {
    (void)state;
    const uint64_t reach = TACIT_SKELLAM_MAX_PARTS * UINT64_C(65536);
    double weighted = 0, weight = 0;
    tacit_skellam s;
    for (uint64_t v = 1; v <= reach; v += v < 200000 ? 1 : 1 + v / 300) {
        assert_int_equal(tacit_skellam_init(&s, v), TACIT_OK);
        assert_true(s.variance >= v && s.variance <= v + v / 100);
        assert_true(s.variance == sum_of_parts(&s));
        if (v >= 50 && v <= 20000) {
            assert_true(s.part_count <= 3);
            weighted += s.part_count / (double)v;
            weight += 1 / (double)v;
        }
        assert_true(s.part_count <= v / 65536 + 6);
    }
    assert_true(weighted / weight < 2.1);
    assert_int_equal(tacit_skellam_init(&s, reach), TACIT_OK);
    assert_int_equal(tacit_skellam_init(&s, reach + 1), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_skellam_init(&s, UINT64_C(1) << 40), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_skellam_init(&s, (UINT64_C(1) << 40) + 1), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_skellam_init(&s, UINT64_MAX), TACIT_INVALID_ARGUMENT);
    assert_int_equal(tacit_skellam_init(&s, 0), TACIT_INVALID_ARGUMENT);
}

/* The stated rule against brute force: fewest draws, then least sum. */
static void composition_is_the_least(void **state) {
    (void)state;
    enum { TOP = 21000, ROUNDS = 4 };
    static uint8_t draws[TOP + 1]; /* fewest tables with exactly this sum */
    memset(draws, 255, sizeof draws);
    draws[0] = 0;
    for (uint8_t round = 0; round < ROUNDS; round++) {
        for (uint64_t sum = TOP; sum-- > 0;) {
            if (draws[sum] != round) continue;
            for (uint32_t i = 0; i < tacit_skellam_table_count(); i++) {
                uint64_t next = sum + tacit_skellam_table_variance(i);
                if (next <= TOP && draws[next] > round + 1) draws[next] = (uint8_t)(round + 1);
            }
        }
    }
    for (uint64_t v = 1; v <= 20000; v++) {
        tacit_skellam s;
        uint64_t best = v;
        for (uint64_t sum = v; sum <= v + v / 100; sum++) {
            if (draws[sum] < draws[best]) best = sum;
        }
        assert_int_equal(tacit_skellam_init(&s, v), TACIT_OK);
        assert_int_equal(s.part_count, draws[best]);
        assert_int_equal(s.variance, best);
    }
}

static void total_variation_is_stated(void **state) {
    (void)state;
    tacit_skellam s;
    assert_int_equal(tacit_skellam_init(&s, 65536), TACIT_OK);
    assert_int_equal(s.part_count, 1);
    assert_true(tacit_skellam_log2_tv(&s, 1) == -98);
    assert_true(tacit_skellam_log2_tv(&s, 1 << 20) == -78);
    assert_int_equal(tacit_skellam_init(&s, 255 * UINT64_C(65536)), TACIT_OK);
    assert_int_equal(s.part_count, 255);
    assert_true(tacit_skellam_log2_tv(&s, 1) <= -90);
    /* All shares of the longest vector in the largest cohort: what is kept back from delta. */
    double all = tacit_skellam_log2_tv(&s, TACIT_MAX_DIMS) + log2(TACIT_MAX_COHORT);
    assert_true(all <= log2(TACIT_COHORT_DELTA - 0x1p-40));
}

/* ---- Distribution ------------------------------------------------------------------------------
 */

enum { SAMPLES = 300000, CELL_MIN = 25 };
static int32_t sample[SAMPLES];

/* Chi-square of the samples against `variance`, cells of at least CELL_MIN expected, as its
 * distance from the mean in standard deviations. Both signs are told apart. */
static double chi_square_z(double variance) {
    static uint32_t seen[2][MAX_MAGNITUDE];
    double chi = 0, cells = 0;
    exact_pmf(pmf, variance);
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < SAMPLES; i++) {
        uint32_t k = (uint32_t)(sample[i] < 0 ? -sample[i] : sample[i]);
        assert_true(k < MAX_MAGNITUDE);
        seen[sample[i] < 0][k]++;
    }
    for (int minus = 0; minus < 2; minus++) {
        double expected = 0, observed = 0, left = SAMPLES * (0.5 + 0.5 * (double)pmf[0]);
        if (minus) left = SAMPLES - left;
        for (size_t k = (size_t)minus; k < MAX_MAGNITUDE; k++) {
            double e = SAMPLES * (double)pmf[k];
            expected += e;
            observed += seen[minus][k];
            left -= e;
            if (expected < CELL_MIN || (left < CELL_MIN && k + 1 < MAX_MAGNITUDE)) continue;
            chi += (observed - expected) * (observed - expected) / expected;
            cells++;
            expected = observed = 0;
        }
        if (expected > 0.5) {
            chi += (observed - expected) * (observed - expected) / expected;
            cells++;
        } else {
            assert_true(observed < 10);
        }
    }
    return (chi - (cells - 1)) / sqrt(2 * (cells - 1));
}

static void draw_samples(uint64_t variance, uint64_t seed, tacit_skellam *s) {
    tacit_prng p;
    assert_int_equal(tacit_skellam_init(s, variance), TACIT_OK);
    tacit_prng_init_seed(&p, seed, variance);
    memset(sample, 0, sizeof sample);
    tacit_skellam_add(sample, SAMPLES, s, &p);
}

static void samples_fit_the_distribution(void **state) {
    (void)state;
    const uint64_t variances[] = {1, 3, 16, 64, 300, 1000, 5000, 20000, 131072};
    for (size_t v = 0; v < sizeof variances / sizeof variances[0]; v++) {
        for (uint64_t seed = 1; seed <= 3; seed++) {
            tacit_skellam s;
            draw_samples(variances[v], seed, &s);
            double z = chi_square_z((double)s.variance);
            if (fabs(z) > 4)
                fail_msg("variance %zu seed %d: z %f", (size_t)s.variance, (int)seed, z);
        }
    }
    /* The test has teeth: 8 % more variance, or a shift by one in 30 standard deviations, is seen.
     */
    tacit_skellam s;
    draw_samples(1000, 1, &s);
    assert_true(chi_square_z((double)s.variance * 1.08) > 10);
    for (size_t i = 0; i < SAMPLES; i++) sample[i]++;
    assert_true(chi_square_z((double)s.variance) > 10);
}

/* Mean 0, variance v, third moment 0, fourth moment 3 v^2 + v. */
static void moments_are_right(void **state) {
    (void)state;
    const uint64_t variances[] = {1, 2, 20, 300, 5000, 100000, 4000000};
    for (size_t i = 0; i < sizeof variances / sizeof variances[0]; i++) {
        tacit_skellam s;
        double m[4] = {0};
        draw_samples(variances[i], 11, &s);
        double v = (double)s.variance;
        for (size_t k = 0; k < SAMPLES; k++) {
            double x = sample[k] / sqrt(v);
            m[0] += x;
            m[1] += x * x;
            m[2] += x * x * x;
            m[3] += x * x * x * x;
        }
        for (size_t k = 0; k < 4; k++) m[k] /= SAMPLES;
        assert_true(fabs(m[0]) < 4.5 / sqrt(SAMPLES));
        assert_true(fabs(m[1] - 1) < 4.5 * sqrt((2 + 1 / v) / SAMPLES));
        assert_true(fabs(m[2]) < 4.5 * sqrt((15 + 25 / v + 1 / (v * v)) / SAMPLES));
        assert_true(fabs(m[3] - 3 - 1 / v) < 4.5 * sqrt((96 + 400 / v + 120 / (v * v)) / SAMPLES));
    }
}

/* Devices' noises add up: 7 + 23 + 270 has the distribution of 300 and no other. */
static void sums_are_closed(void **state) {
    (void)state;
    const uint64_t variances[3] = {7, 23, 269};
    memset(sample, 0, sizeof sample);
    for (size_t i = 0; i < 3; i++) {
        tacit_prng p;
        tacit_skellam s;
        assert_int_equal(tacit_skellam_init(&s, variances[i]), TACIT_OK);
        assert_int_equal(s.variance, variances[i]);
        tacit_prng_init_seed(&p, 4, i);
        tacit_skellam_add(sample, SAMPLES, &s, &p);
    }
    assert_true(fabs(chi_square_z(299)) < 4);
    assert_true(chi_square_z(269) > 10);
}

int main(void) {
    if (tacit_crypto_init() != TACIT_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_well_formed),    cmocka_unit_test(words_are_the_distribution),
        cmocka_unit_test(every_threshold_is_exact),  cmocka_unit_test(equals_the_slow_reference),
        cmocka_unit_test(variances_are_reached),     cmocka_unit_test(composition_is_the_least),
        cmocka_unit_test(total_variation_is_stated), cmocka_unit_test(samples_fit_the_distribution),
        cmocka_unit_test(moments_are_right),         cmocka_unit_test(sums_are_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
