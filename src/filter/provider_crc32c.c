/* SPDX-License-Identifier: MIT */
/* CRC-32C, with eight table look-ups for eight bytes, or with the instruction of SSE4.2 or of 64-bit ARM. The
 * instruction has a latency of three cycles, and one can start in each cycle. So three streams are computed in parallel
 * and joined afterwards. Joining means to append as many zero bytes to one stream as the next one is long. The effect
 * of that on a CRC is linear, so it is read from a table.
 *
 * The functions work on the inverted value, as the instruction does. */
#include "base/digest_provider.h"
#include "base/platform.h"
#include "filter/crc32c.h"
#include <errno.h>
#include <pthread.h>

#define POLYNOMIAL 0x82f63b78u /* 0x1edc6f41 with its bits reversed */

static pthread_once_t once = PTHREAD_ONCE_INIT;
/* tables[k][b]: byte b followed by k zero bytes. */
static uint32_t tables[8][256];

static void make_tables(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        tables[0][b] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (uint32_t b = 0; b < 256; b++)
            tables[k][b] = tables[k - 1][b] >> 8 ^ tables[0][tables[k - 1][b] & 255];
}

/* Loads byte by byte, so that the value is little-endian on every machine. Compilers make one load of this where they
 * can. */
static uint32_t load32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t by_tables(uint32_t crc, const uint8_t *p, size_t n)
{
    for (; n >= 8; p += 8, n -= 8) {
        uint32_t low = crc ^ load32(p), high = load32(p + 4);
        crc = tables[7][low & 255] ^ tables[6][low >> 8 & 255] ^ tables[5][low >> 16 & 255] ^ tables[4][low >> 24] ^
              tables[3][high & 255] ^ tables[2][high >> 8 & 255] ^ tables[1][high >> 16 & 255] ^ tables[0][high >> 24];
    }
    for (; n > 0; p++, n--)
        crc = crc >> 8 ^ tables[0][(crc ^ *p) & 255];
    return crc;
}

/* The instruction: USES_CRC for a function that has it, add8 and add1 for so many bytes, and the type of its result. */
#if defined(__x86_64__) && defined(__GNUC__)

#define USES_CRC        __attribute__((target("sse4.2")))
#define add8            __builtin_ia32_crc32di
#define add1(crc, byte) __builtin_ia32_crc32qi((uint32_t)(crc), byte)
typedef uint64_t crc_register;

static bool has_instruction(void)
{
    return __builtin_cpu_supports("sse4.2");
}

#elif defined(__AARCH64EL__) && defined(__GNUC__)

typedef uint32_t crc_register;

#ifdef __clang__
#define USES_CRC __attribute__((target("crc")))
#define add8     __builtin_arm_crc32cd
#define add1     __builtin_arm_crc32cb
#else
#define USES_CRC __attribute__((target("+crc")))
#define add8     __builtin_aarch64_crc32cx
#define add1     __builtin_aarch64_crc32cb
#endif

static bool has_instruction(void)
{
    return platform.has_arm_crc();
}

#endif

#ifdef USES_CRC

#define STREAM 2048 /* bytes of each of the three streams in one round */

/* joins[k][b]: the CRC of a value whose byte k is b, followed by STREAM zero bytes. */
static uint32_t joins[4][256];

static void make_joins(void)
{
    static const uint8_t zeros[STREAM];
    for (int k = 0; k < 4; k++)
        for (uint32_t b = 0; b < 256; b++)
            joins[k][b] = by_tables(b << 8 * k, zeros, STREAM);
}

static crc_register join(crc_register before, crc_register after)
{
    return joins[0][before & 255] ^ joins[1][before >> 8 & 255] ^ joins[2][before >> 16 & 255] ^
           joins[3][before >> 24 & 255] ^ after;
}

static uint64_t load64(const uint8_t *p)
{
    uint64_t value;
    memcpy(&value, p, sizeof(value));
    return value;
}

USES_CRC static uint32_t by_instruction(uint32_t start, const uint8_t *p, size_t n)
{
    crc_register crc = start;
    for (; n >= 3 * STREAM; p += 3 * STREAM, n -= 3 * STREAM) {
        crc_register second = 0, third = 0;
        for (size_t i = 0; i < STREAM; i += 8) {
            crc = add8(crc, load64(p + i));
            second = add8(second, load64(p + STREAM + i));
            third = add8(third, load64(p + 2 * STREAM + i));
        }
        crc = join(join(crc, second), third);
    }
    for (; n >= 8; p += 8, n -= 8)
        crc = add8(crc, load64(p));
    for (; n > 0; p++, n--)
        crc = add1(crc, *p);
    return (uint32_t)crc;
}

#else

/* Nothing calls it here. */
static uint32_t by_instruction(uint32_t crc, const uint8_t *p, size_t n)
{
    return by_tables(crc, p, n);
}

static void make_joins(void)
{
}

static bool has_instruction(void)
{
    return false;
}

#endif

static uint32_t (*fastest)(uint32_t crc, const uint8_t *p, size_t n);

static void prepare(void)
{
    make_tables();
    make_joins();
    fastest = has_instruction() ? by_instruction : by_tables;
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t n)
{
    pthread_once(&once, prepare);
    return ~fastest(~crc, bytes, n);
}

uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t n)
{
    pthread_once(&once, prepare);
    return ~by_tables(~crc, bytes, n);
}

static int crc32c_open(void **ret, const char *algorithm, size_t *ret_size, const char **ret_why)
{
    if (strcmp(algorithm, "crc32c") != 0)
        return -ENOENT;
    uint32_t *crc = calloc(1, sizeof(*crc));
    if (!crc) {
        *ret_why = "no memory for the digest";
        return -ENOMEM;
    }
    *ret = crc;
    *ret_size = sizeof(*crc);
    return 0;
}

static int crc32c_update(void *state, const void *bytes, size_t n)
{
    uint32_t *crc = state;
    *crc = crc32c(*crc, bytes, n);
    return 0;
}

static int crc32c_value(void *state, uint8_t *ret)
{
    const uint32_t *crc = state;
    for (int i = 0; i < 4; i++)
        ret[i] = (uint8_t)(*crc >> 8 * (3 - i));
    return 0;
}

const struct digest_provider provider_crc32c = {
    .name = "crc32c",
    .open = crc32c_open,
    .update = crc32c_update,
    .value = crc32c_value,
    .close = free,
};
