/* SPDX-License-Identifier: MIT */
/* Parts: how large they become, where their bytes rest, and what their digests are. */
#include "base/fd.h"
#include "store/check.h"
#include "store/part.h"
#include "store/sink.h"
#include "unit/unit.h"
#include <errno.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* 10,000 parts hold the largest object of S3, and none is too large. */
static void test_parts_grow(void **state UNUSED)
{
    uint64_t sum = 0;
    for (unsigned number = 1; number <= 10000; number++) {
        uint64_t size = multipart_size(8 * MIB, number, 5 * GIB);
        assert_in_range(size, 8 * MIB, 5 * GIB);
        sum += size;
    }
    assert_true(sum >= 5 * 1024 * GIB);
    assert_true(multipart_size(8 * MIB, 1000, 5 * GIB) == 8 * MIB);
    assert_true(multipart_size(8 * MIB, 1001, 5 * GIB) == 16 * MIB);
    assert_true(multipart_size(5 * GIB, 2001, 5 * GIB) == 5 * GIB);
    assert_true(multipart_size(UINT64_MAX, 1, 5 * GIB) == 5 * GIB);
}

static void need_libcrypto(void)
{
    const char *why;
    if (libcrypto_need(&why) < 0) {
        print_message("%s\n", why);
        skip();
    }
}

static void test_digests(void **state UNUSED)
{
    struct part part = {.file = -1};
    size_t n;
    need_libcrypto();
    assert_int_equal(part_begin(&part, 1, 10, true), 0);
    assert_int_equal(part_add(&part, "ab", 2, &n), 0);
    assert_int_equal(part_add(&part, "c", 1, &n), 0);
    assert_int_equal(part_end(&part), 0);
    assert_string_equal(part.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(part.sha256_base64, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    if (part_md5(&part) == 1)
        assert_string_equal(part.md5, "900150983cd24fb0d6963f7d28e17f72");
    /* The next one knows nothing of it. */
    assert_int_equal(part_begin(&part, 2, 10, false), 0);
    assert_int_equal(part_end(&part), 0);
    assert_string_equal(part.sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    part_free(&part);
}

/* The MD5 is the same whether it was wanted at first or not, of bytes in memory and in a file. */
static void check_md5(size_t n, bool at_first)
{
    static unsigned char bytes[PART_MEMORY + 3];
    struct part part = {.file = -1};
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned size;
    char hex[33];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 24);
    assert_int_equal(part_begin(&part, 1, n, at_first), 0);
    for (size_t at = 0, taken; at < n; at += taken)
        assert_int_equal(part_add(&part, bytes + at, n - at, &taken), 0);
    assert_int_equal(part_end(&part), 0);
    assert_string_equal(part.md5, "");
    EVP_MD *md5 = crypto.md_fetch(NULL, "MD5", NULL);
    assert_int_equal(part_md5(&part), md5 != NULL);
    if (md5) {
        assert_int_equal(crypto.digest(bytes, n, value, &size, md5, NULL), 1);
        for (size_t i = 0; i < 16; i++)
            snprintf(hex + 2 * i, 3, "%02x", value[i]);
        assert_string_equal(part.md5, hex);
        assert_int_equal(part_md5(&part), 1);
        assert_string_equal(part.md5, hex);
        crypto.md_free(md5);
    }
    part_free(&part);
}

static void test_md5(void **state UNUSED)
{
    need_libcrypto();
    for (int at_first = 0; at_first < 2; at_first++) {
        check_md5(0, at_first);
        check_md5(1000, at_first);
        check_md5(PART_MEMORY + 3, at_first);
    }
}

/* The answer to a part is compared by the SHA-256 that the store says; by MD5 only if it says none, and its ETag may be
 * one. */
static void test_answer_of_a_part(void **state UNUSED)
{
    struct part part = {.file = -1};
    struct answer silent = {.etag = "\"900150983cd24fb0d6963f7d28e17f72\""},
                  other = {.etag = "\"00000000000000000000000000000000\""};
    size_t n;
    need_libcrypto();
    assert_int_equal(part_begin(&part, 1, 10, false), 0);
    assert_int_equal(part_add(&part, "abc", 3, &n), 0);
    assert_int_equal(part_end(&part), 0);
    struct answer right = other, wrong = silent, encrypted = other;
    digests_read_header(&right.digests, "x-amz-checksum-sha256", part.sha256_base64);
    digests_read_header(&wrong.digests, "x-amz-checksum-sha256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    digests_read_header(&encrypted.digests, "x-amz-server-side-encryption", "aws:kms");
    assert_null(sink_check_part(&part, &right));
    assert_null(sink_check_part(&part, &encrypted));
    assert_non_null(sink_check_part(&part, &wrong));
    assert_string_equal(part.md5, "");
    assert_true(sink_wants_md5(&part, &silent) && !sink_wants_md5(&part, &right) && !sink_wants_md5(&part, &encrypted));
    assert_null(sink_check_part(&part, &silent));
    if (part.md5[0])
        assert_non_null(sink_check_part(&part, &other));
    part_free(&part);
}

static void test_md5_of_md5(void **state UNUSED)
{
    const char *md5[] = {"900150983cd24fb0d6963f7d28e17f72", "d41d8cd98f00b204e9800998ecf8427e"}, *odd[] = {"no"};
    char etag[64];
    need_libcrypto();
    int r = part_md5_of(md5, 2, etag, sizeof(etag));
    if (r == -ENOSYS)
        skip();
    assert_int_equal(r, 0);
    assert_string_equal(etag, "fdf1fdf1567f6942ffe1743f1e72301e-2");
    assert_int_equal(part_md5_of(odd, 1, etag, sizeof(etag)), -EINVAL);
}

/* What is sent is what came, in memory and in a file, and a full part takes no more. */
static void check_bytes(uint64_t limit, size_t piece)
{
    static unsigned char bytes[3 * MIB + 5], back[sizeof(bytes)];
    struct part part = {.file = -1};
    uint64_t taken = 0;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 24);
    assert_int_equal(part_begin(&part, 1, limit, limit % 2), 0);
    for (size_t n = 1; n > 0; taken += n) {
        size_t at = (size_t)(taken % (sizeof(bytes) - piece));
        assert_int_equal(part_add(&part, bytes + at, piece, &n), 0);
    }
    assert_true(taken == limit && part.length == limit);
    assert_int_equal(part.file >= 0, limit > PART_MEMORY);
    struct http_body body = part_body(&part);
    assert_true(body.length == limit);
    for (uint64_t at = 0; at < limit;) {
        uint64_t from = at % (sizeof(bytes) - piece), n = MIN(piece, limit - at);
        for (uint64_t done = 0; done < n;) {
            ssize_t r = body_read(&body, at + done, back, (size_t)(n - done));
            assert_true(r > 0);
            assert_memory_equal(back, bytes + from + done, (size_t)r);
            done += (uint64_t)r;
        }
        at += n;
    }
    part_free(&part);
}

static void test_bytes(void **state UNUSED)
{
    need_libcrypto();
    check_bytes(1, 1);
    check_bytes(100000, 4097);
    check_bytes(PART_MEMORY, 1 * MIB);
    check_bytes(PART_MEMORY + 1, 1 * MIB);
    check_bytes(20 * MIB, 3 * MIB);
}

/* Nothing is kept of what a file has: it is read there, and what has changed is not sent to its end. */
static void test_elsewhere(void **state UNUSED)
{
    static unsigned char bytes[100000], back[sizeof(bytes)];
    struct part part = {.file = -1};
    struct check check = {NULL, 0};
    size_t n;
    need_libcrypto();
    int fd = fd_unnamed();
    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 24);
    assert_int_equal(pwrite(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
    assert_int_equal(part_begin(&part, 1, sizeof(bytes), false), 0);
    part_is_in(&part, fd, 7);
    assert_int_equal(part_add(&part, bytes + 7, 90000, &n), 0);
    assert_int_equal(part_end(&part), 0);
    assert_null(part.memory);
    struct http_body body = part_body(&part);
    assert_true(body.length == 90000);
    for (int changed = 0; changed < 2; changed++) {
        int r = 0;
        for (uint64_t at = 0; at < body.length && r == 0; at += n) {
            ssize_t got = body_read(&body, at, back, 30001);
            assert_true(got > 0);
            n = (size_t)got;
            assert_true(changed || memcmp(back, bytes + 7 + at, n) == 0);
            r = check_take(&check, &body, at, back, n);
            assert_true(r == 0 || at + n == body.length);
        }
        assert_int_equal(r, changed ? -ESTALE : 0);
        assert_int_equal(pwrite(fd, "", 1, 50000), 1);
    }
    check_clear(&check);
    part_free(&part);
    close(fd);
}

static void test_no_room_for_the_file(void **state UNUSED)
{
    static unsigned char bytes[PART_MEMORY];
    struct part part = {.file = -1};
    size_t n;
    need_libcrypto();
    setenv("TMPDIR", "/nowhere", 1);
    assert_int_equal(part_begin(&part, 1, 2 * PART_MEMORY, false), 0);
    assert_int_equal(part_add(&part, bytes, sizeof(bytes), &n), 0);
    assert_int_equal(part_add(&part, bytes, 1, &n), -ENOENT);
    part_free(&part);
    unsetenv("TMPDIR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_grow),           cmocka_unit_test(test_digests),
        cmocka_unit_test(test_md5_of_md5),           cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_no_room_for_the_file), cmocka_unit_test(test_md5),
        cmocka_unit_test(test_answer_of_a_part),     cmocka_unit_test(test_elsewhere),
    };
    return cmocka_run_group_tests_name("part", tests, NULL, NULL);
}
