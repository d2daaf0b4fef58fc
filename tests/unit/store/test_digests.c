/* SPDX-License-Identifier: MIT */
/* Digests that servers send, and what only looks like one. */
#include "../unit.h"
#include "store/digests.h"

/* SHA-256 and MD5 of no bytes. */
#define SHA256 "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define MD5    "1B2M2Y8AsgTpgAmY7PhCfg=="
#define ETAG   "\"d41d8cd98f00b204e9800998ecf8427e\""

static struct sent_digests read_one(const char *name, const char *value, const char *etag)
{
    struct sent_digests d = {.n = 0};
    digests_read_header(&d, name, value);
    digests_end(&d, etag);
    return d;
}

static void is_digest(const char *name, const char *value, const char *algorithm, size_t n, uint8_t first)
{
    struct sent_digests d = read_one(name, value, NULL);
    assert_int_equal(d.n, 1);
    assert_string_equal(d.one[0].algorithm, algorithm);
    assert_int_equal(d.one[0].n, n);
    assert_int_equal(d.one[0].bytes[0], first);
}

static void test_headers(void **state UNUSED)
{
    is_digest("repr-digest", "sha-256=:" SHA256 ":", "sha256", 32, 0xe3);
    is_digest("Content-Digest", "md5=:x:, SHA-256=:" SHA256 ":", "sha256", 32, 0xe3);
    is_digest("Content-MD5", MD5, "md5", 16, 0xd4);
    is_digest("x-amz-checksum-sha256", SHA256, "sha256", 32, 0xe3);
    is_digest("X-Amz-Checksum-Crc32c", "AAAAAA==", "crc32c", 4, 0);
    is_digest("x-amz-checksum-crc32", "/wAAAA==", "crc32", 4, 255);
    is_digest("x-amz-checksum-crc64nvme", "/gAAAAAAAAA=", "crc64nvme", 8, 254);
    struct sent_digests d = read_one("x", "y", ETAG);
    assert_int_equal(d.n, 1);
    assert_string_equal(d.one[0].algorithm, "md5");
    assert_int_equal(d.one[0].bytes[15], 0x7e);
}

static void test_values_that_make_no_sense(void **state UNUSED)
{
    static const char *const values[] = {"",
                                         "=",
                                         ":",
                                         "sha-256",
                                         "sha-256=",
                                         "sha-256=:",
                                         "sha-256=::",
                                         "sha-256=:AAAA:",
                                         "sha-256=" SHA256,
                                         "sha-256=:" SHA256,
                                         ",,,",
                                         "sha-256=:" SHA256 "=:",
                                         "=,=,:",
                                         "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF*=:"};
    for (size_t i = 0; i < COUNT(values); i++)
        assert_int_equal(read_one("Repr-Digest", values[i], NULL).n, 0);
    assert_int_equal(read_one("Content-MD5", SHA256, NULL).n, 0);
    assert_int_equal(read_one("Content-MD5", "", NULL).n, 0);
    assert_int_equal(read_one("x", "y", "\"d41d8cd98f00b204e9800998ecf8427e-2\"").n, 0);
    assert_int_equal(read_one("x", "y", "\"one\"").n, 0);
    assert_int_equal(read_one("x", "y", "").n, 0);
}

static void test_what_is_no_digest_of_the_object(void **state UNUSED)
{
    struct sent_digests d = read_one("x-amz-checksum-sha256", SHA256 "-3", NULL);
    assert_int_equal(d.n, 0);
    assert_non_null(strstr(d.skipped, "parts"));
    d = (struct sent_digests){.n = 0};
    digests_read_header(&d, "x-amz-checksum-sha256", SHA256);
    digests_read_header(&d, "x-amz-checksum-type", "COMPOSITE");
    digests_end(&d, NULL);
    assert_int_equal(d.n, 0);
    assert_int_equal(read_one("x-amz-server-side-encryption", "aws:kms", ETAG).n, 0);
    assert_int_equal(read_one("x-amz-server-side-encryption", "AES256", ETAG).n, 1);
    assert_int_equal(read_one("x-amz-server-side-encryption-customer-algorithm", "AES256", ETAG).n, 0);
}

static void test_no_more_than_there_is_room_for(void **state UNUSED)
{
    struct sent_digests d = {.n = 0};
    for (size_t i = 0; i < 3 * DIGESTS_MAX; i++)
        digests_read_header(&d, "Content-MD5", MD5);
    digests_end(&d, ETAG);
    assert_int_equal(d.n, DIGESTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_values_that_make_no_sense),
        cmocka_unit_test(test_what_is_no_digest_of_the_object),
        cmocka_unit_test(test_no_more_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
