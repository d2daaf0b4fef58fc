/* SPDX-License-Identifier: MIT */
/* CRC-32C: known answers, and the instruction against the tables over lengths and alignments around every seam. */
#include "filter/crc32c.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint8_t bytes[100000];

static void test_known_answers(void **state UNUSED)
{
    uint8_t block[32];
    assert_true(crc32c(0, "", 0) == 0);
    assert_true(crc32c(0, "123456789", 9) == 0xe3069283);
    memset(block, 0, sizeof(block));
    assert_true(crc32c(0, block, sizeof(block)) == 0x8a9136aa); /* these four: RFC 3720, B.4 */
    memset(block, 0xff, sizeof(block));
    assert_true(crc32c(0, block, sizeof(block)) == 0x62a8ab43);
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (uint8_t)i;
    assert_true(crc32c(0, block, sizeof(block)) == 0x46dd794e);
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (uint8_t)(31 - i);
    assert_true(crc32c(0, block, sizeof(block)) == 0x113fdb5c);
    assert_true(crc32c_portable(0, block, sizeof(block)) == 0x113fdb5c);
    assert_true(crc32c_portable(0, "123456789", 9) == 0xe3069283);
}

/* The definition itself: a bit at a time. */
static uint32_t by_bits(uint32_t crc, const uint8_t *p, size_t n)
{
    crc = ~crc;
    for (; n > 0; p++, n--) {
        crc ^= *p;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

static void check(size_t start, size_t n)
{
    uint32_t expected = by_bits(12345, bytes + start, n);
    if (crc32c(12345, bytes + start, n) != expected || crc32c_portable(12345, bytes + start, n) != expected)
        fail_msg("%zu bytes from %zu on", n, start);
}

static void test_lengths_and_alignments(void **state UNUSED)
{
    static const size_t seams[] = {2048, 3 * 2048, 6 * 2048, 9 * 2048, 4096, 65536};
    for (size_t n = 0; n < 40; n++)
        for (size_t start = 0; start < 9; start++)
            check(start, n);
    for (size_t i = 0; i < COUNT(seams); i++)
        for (size_t n = seams[i] - 9; n <= seams[i] + 9; n++)
            check(n % 8, n);
}

static void test_in_pieces(void **state UNUSED)
{
    uint32_t whole = crc32c(0, bytes, sizeof(bytes)), crc = 0, portable = 0;
    for (size_t at = 0, n = 1; at < sizeof(bytes); at += n, n = n * 5 % 16381) {
        n = MIN(n, sizeof(bytes) - at);
        crc = crc32c(crc, bytes + at, n);
        portable = crc32c_portable(portable, bytes + at, n);
    }
    assert_true(crc == whole);
    assert_true(portable == whole);
}

int main(void)
{
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(x >> 24);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_lengths_and_alignments),
        cmocka_unit_test(test_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
