/* SPDX-License-Identifier: MIT */
/* A message is a polynomial whose coefficients are its bits. Its CRC is the remainder of the division by another
 * polynomial. The bits are in reversed order: the lowest bit of the first byte has the highest power.
 *
 * The portable way takes eight bytes with eight table look-ups. Folding is faster. It multiplies the two halves of 16
 * bytes by powers of x, which moves them a number of bits further on in the message without a change of the remainder,
 * and adds them to the bytes there. The last 16 bytes have the same remainder as the message, which the tables then
 * compute. */
#include "base/crc.h"
#include <pthread.h>
#include <stdbool.h>

static const struct crc_kind kinds[] = {
    {"crc32", 4, UINT64_C(0xedb88320)},
    {"crc32c", 4, UINT64_C(0x82f63b78)},
    {"crc64nvme", 8, UINT64_C(0x9a6c9329ac4bc9b5)},
};

struct crc_tables {
    uint64_t table[8][256];   /* [k][b]: byte b followed by k zero bytes */
    uint64_t far[2], near[2]; /* factors that fold over 64 and over 16 bytes, for the first and the second half */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct crc_tables engines[COUNT(kinds)];
static bool folds;

const struct crc_kind *crc_find(const char *name)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

/* ---- polynomials: the highest bit of a value is the coefficient of power 0 ---- */

static uint64_t one(const struct crc_kind *kind)
{
    return UINT64_C(1) << (8 * kind->bytes - 1);
}

static uint64_t times_x(const struct crc_kind *kind, uint64_t value)
{
    return value & 1 ? value >> 1 ^ kind->polynomial : value >> 1;
}

static uint64_t multiply(const struct crc_kind *kind, uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    for (uint64_t bit = one(kind); bit; bit >>= 1) {
        if (a & bit)
            product ^= b;
        b = times_x(kind, b);
    }
    return product;
}

uint64_t crc_join(const struct crc_kind *kind, uint64_t first, uint64_t second, uint64_t n)
{
    uint64_t factor = one(kind), power = one(kind) >> 8; /* x to the power of 8, squared for each bit of n */
    for (; n; n >>= 1) {
        if (n & 1)
            factor = multiply(kind, factor, power);
        power = multiply(kind, power, power);
    }
    return multiply(kind, first, factor) ^ second;
}

/* Returns x to the power n, in the position that it has in a half of 16 bytes. */
static uint64_t half_power(const struct crc_kind *kind, unsigned n)
{
    uint64_t value = one(kind);
    while (n--)
        value = times_x(kind, value);
    return value << (64 - 8 * kind->bytes);
}

/* ---- tables ---- */

static void make_tables(const struct crc_kind *kind, struct crc_tables *e)
{
    for (unsigned b = 0; b < 256; b++) {
        uint64_t crc = b;
        for (int bit = 0; bit < 8; bit++)
            crc = times_x(kind, crc);
        e->table[0][b] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (unsigned b = 0; b < 256; b++)
            e->table[k][b] = e->table[k - 1][b] >> 8 ^ e->table[0][e->table[k - 1][b] & 255];
}

/* Loads byte by byte, so that the value is little-endian on every machine. Compilers make one load of this where they
 * can. */
static uint64_t load64(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
           (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static uint64_t by_tables(const struct crc_tables *e, uint64_t crc, const uint8_t *p, size_t n)
{
    const uint64_t(*t)[256] = e->table;
    for (; n >= 8; p += 8, n -= 8) {
        crc ^= load64(p);
        crc = t[7][crc & 255] ^ t[6][crc >> 8 & 255] ^ t[5][crc >> 16 & 255] ^ t[4][crc >> 24 & 255] ^
              t[3][crc >> 32 & 255] ^ t[2][crc >> 40 & 255] ^ t[1][crc >> 48 & 255] ^ t[0][crc >> 56];
    }
    for (; n > 0; p++, n--)
        crc = crc >> 8 ^ t[0][(crc ^ *p) & 255];
    return crc;
}

/* ---- folding ---- */

#if defined(__x86_64__) && defined(__GNUC__)

#include <wmmintrin.h>

#define FOLDING __attribute__((target("pclmul,sse2")))

FOLDING static __m128i load128(const void *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

FOLDING static __m128i fold(__m128i value, __m128i factors, __m128i onto)
{
    __m128i first = _mm_clmulepi64_si128(value, factors, 0x00), second = _mm_clmulepi64_si128(value, factors, 0x11);
    return _mm_xor_si128(_mm_xor_si128(first, second), onto);
}

/* Runs four independent folds at a time, because one fold has a longer latency than the CPU needs before it can start
 * the next. */
FOLDING static uint64_t by_folding(const struct crc_tables *e, uint64_t crc, const uint8_t *p, size_t n)
{
    __m128i far = load128(e->far), near = load128(e->near), lane[4];
    uint8_t rest[16];
    for (int i = 0; i < 4; i++)
        lane[i] = load128(p + 16 * i);
    lane[0] = _mm_xor_si128(lane[0], _mm_cvtsi64_si128((long long)crc));
    for (p += 64, n -= 64; n >= 64; p += 64, n -= 64)
        for (int i = 0; i < 4; i++)
            lane[i] = fold(lane[i], far, load128(p + 16 * i));
    for (int i = 1; i < 4; i++)
        lane[i] = fold(lane[i - 1], near, lane[i]);
    for (; n >= 16; p += 16, n -= 16)
        lane[3] = fold(lane[3], near, load128(p));
    _mm_storeu_si128((__m128i *)(void *)rest, lane[3]);
    return by_tables(e, by_tables(e, 0, rest, sizeof(rest)), p, n);
}

static bool can_fold(void)
{
    return __builtin_cpu_supports("pclmul");
}

#else

/* Nothing calls it here. */
static uint64_t by_folding(const struct crc_tables *e, uint64_t crc, const uint8_t *p, size_t n)
{
    return by_tables(e, crc, p, n);
}

static bool can_fold(void)
{
    return false;
}

#endif

/* The product of two reversed halves has a power that is one too high, so each factor has a power that is one too low.
 */
static void prepare(void)
{
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct crc_tables *e = &engines[i];
        make_tables(&kinds[i], e);
        e->far[0] = half_power(&kinds[i], 512 + 63);
        e->far[1] = half_power(&kinds[i], 512 - 1);
        e->near[0] = half_power(&kinds[i], 128 + 63);
        e->near[1] = half_power(&kinds[i], 128 - 1);
    }
    folds = can_fold();
}

/* ---- functions for other files ---- */

static const struct crc_tables *engine_of(const struct crc_kind *kind)
{
    pthread_once(&once, prepare);
    return &engines[kind - kinds];
}

/* The functions above work on the inverted value. */
static uint64_t inverted(const struct crc_kind *kind, uint64_t crc)
{
    return crc ^ ((one(kind) << 1) - 1);
}

uint64_t crc_add(const struct crc_kind *kind, uint64_t crc, const void *bytes, size_t n)
{
    const struct crc_tables *e = engine_of(kind);
    uint64_t (*add)(const struct crc_tables *, uint64_t, const uint8_t *, size_t) =
        folds && n >= 64 ? by_folding : by_tables;
    return inverted(kind, add(e, inverted(kind, crc), bytes, n));
}

uint64_t crc_add_portable(const struct crc_kind *kind, uint64_t crc, const void *bytes, size_t n)
{
    return inverted(kind, by_tables(engine_of(kind), inverted(kind, crc), bytes, n));
}

void crc_bytes(const struct crc_kind *kind, uint64_t crc, uint8_t *ret)
{
    for (size_t i = 0; i < kind->bytes; i++)
        ret[i] = (uint8_t)(crc >> 8 * (kind->bytes - 1 - i));
}
