/* SPDX-License-Identifier: MIT */
/* CRCs: the values that others publish, the same by tables and by folding whatever the length and the place of the
 * bytes, and joined. */
#include "base/crc.h"
#include "unit/unit.h"

static void test_published(void **state UNUSED)
{
    static const struct {
        const char *name;
        uint64_t value;
    } cases[] = {{"crc32", 0xcbf43926}, {"crc32c", 0xe3069283}, {"crc64nvme", UINT64_C(0xae8b14860a799888)}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct crc_kind *kind = crc_find(cases[i].name);
        uint8_t bytes[8];
        assert_non_null(kind);
        assert_true(crc_add(kind, 0, "123456789", 9) == cases[i].value);
        assert_true(crc_add_portable(kind, 0, "123456789", 9) == cases[i].value);
        assert_true(crc_add(kind, 0, "", 0) == 0);
        crc_bytes(kind, cases[i].value, bytes);
        assert_int_equal(bytes[0], cases[i].value >> (8 * kind->bytes - 8));
        assert_int_equal(bytes[kind->bytes - 1], cases[i].value & 255);
    }
    assert_null(crc_find("crc64"));
}

/* 32 zero bytes and 32 of 0xff, as RFC 3720 has them; a length at which bytes are folded. */
static void test_folded(void **state UNUSED)
{
    uint8_t bytes[64];
    const struct crc_kind *kind = crc_find("crc32c");
    memset(bytes, 0, 32);
    assert_true(crc_add(kind, 0, bytes, 32) == 0x8a9136aa);
    memset(bytes, 255, 32);
    assert_true(crc_add(kind, 0, bytes, 32) == 0x62a8ab43);
}

static void fill(uint8_t *bytes, size_t n)
{
    uint32_t random = 1;
    for (size_t i = 0; i < n; i++) {
        random = random * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(random >> 24);
    }
}

static void check_lengths(const struct crc_kind *kind)
{
    static uint8_t bytes[5000];
    fill(bytes, sizeof(bytes));
    for (size_t n = 0; n < 700; n++)
        for (size_t at = 0; at < 3; at++)
            assert_true(crc_add(kind, n, bytes + at, n) == crc_add_portable(kind, n, bytes + at, n));
    uint64_t whole = crc_add_portable(kind, 0, bytes, sizeof(bytes));
    for (size_t first = 0; first <= sizeof(bytes); first += 71) {
        uint64_t a = crc_add(kind, 0, bytes, first), b = crc_add(kind, 0, bytes + first, sizeof(bytes) - first);
        assert_true(crc_add(kind, a, bytes + first, sizeof(bytes) - first) == whole);
        assert_true(crc_join(kind, a, b, sizeof(bytes) - first) == whole);
    }
}

static void test_lengths(void **state UNUSED)
{
    check_lengths(crc_find("crc32"));
    check_lengths(crc_find("crc32c"));
    check_lengths(crc_find("crc64nvme"));
}

/* Behind more bytes than a test can have. */
static void test_join_is_associative(void **state UNUSED)
{
    const struct crc_kind *kind = crc_find("crc64nvme");
    uint64_t far = UINT64_C(5) << 40, x = crc_join(kind, crc_join(kind, 1, 2, far), 3, 7),
             y = crc_join(kind, 1, crc_join(kind, 2, 3, 7), far + 7);
    assert_true(x == y);
    assert_true(crc_join(kind, 4, 0, 0) == 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_folded),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_join_is_associative),
    };
    return cmocka_run_group_tests_name("crc", tests, NULL, NULL);
}
