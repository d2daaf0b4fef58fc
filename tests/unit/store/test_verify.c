/* SPDX-License-Identifier: MIT */
/* Digests that a server sent. SHA-256 is given as that of "abc", and MD5 as well. */
#include "store/verify.h"
#include "unit/unit.h"

#define SHA256_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

/* A pipeline that computes SHA-256 says so, and nothing of MD5. `user` is the value, or NULL: no filter computes. */
static int given(const void *user, const char *algorithm, char *hex, size_t capacity)
{
    if (!user || strcmp(algorithm, "sha256") != 0)
        return -ENOENT;
    assert_true(capacity > strlen(user));
    strcpy(hex, user);
    return 0;
}

static struct sent_digests sent(void)
{
    struct sent_digests digests = {.n = 0};
    digests_read_header(&digests, "Repr-Digest", "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:");
    digests_read_header(&digests, "Content-MD5", "kAFQmDzST7DWlj99KOF/cg==");
    assert_int_equal(digests.n, 2);
    return digests;
}

/* Verifies `bytes` in a pipeline whose own SHA-256 is `value`. */
static int verify_bytes(const char *bytes, const char *value, uint64_t size, char text[100])
{
    struct node node = {.digest = given, .digest_user = value};
    struct sent_digests digests = sent();
    struct verify *verify;
    struct chunk_pool pool;
    struct budget budget;
    const char *why = "";
    budget_init(&budget, 1 << 20);
    assert_int_equal(chunk_pool_init(&pool, &budget, 4096, NULL), 0);
    struct chunk *chunk = chunk_get(&pool);
    assert_non_null(chunk);
    chunk->length = strlen(bytes);
    memcpy(chunk->data, bytes, chunk->length);
    assert_int_equal(verify_open(&verify, &node, &digests, size, &why), 0);
    unit_needs(why[0] == '\0', "libcrypto");
    verify_take(verify, chunk);
    chunk_unref(chunk);
    int r = verify_end(verify, text, 100);
    verify_free(verify);
    chunk_pool_destroy(&pool);
    return r;
}

static const uint64_t sizes[] = {3, UINT64_MAX}; /* without and with threads */

static void test_both_are_computed(void **state UNUSED)
{
    char text[100];
    for (size_t i = 0; i < COUNT(sizes); i++) {
        assert_int_equal(verify_bytes("abc", NULL, sizes[i], text), 0);
        assert_string_equal(text, "sha256 (Repr-Digest), md5 (Content-MD5)");
        assert_int_equal(verify_bytes("abd", NULL, sizes[i], text), -EBADMSG);
        assert_string_equal(text, "sha256 (Repr-Digest)");
    }
}

/* If the verification hashed as well, other bytes would have another SHA-256. */
static void test_what_the_pipeline_computes_is_not_computed_again(void **state UNUSED)
{
    char text[100];
    for (size_t i = 0; i < COUNT(sizes); i++) {
        assert_int_equal(verify_bytes("abc", SHA256_ABC, sizes[i], text), 0);
        assert_string_equal(text, "sha256 (Repr-Digest), md5 (Content-MD5)");
        assert_int_equal(verify_bytes("abd", SHA256_ABC, sizes[i], text), -EBADMSG);
        assert_string_equal(text, "md5 (Content-MD5)");
    }
}

static void test_the_value_of_the_pipeline_counts(void **state UNUSED)
{
    char other[] = SHA256_ABC, text[100];
    other[63] = 'e';
    assert_int_equal(verify_bytes("abc", other, 3, text), -EBADMSG);
    assert_string_equal(text, "sha256 (Repr-Digest)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_are_computed),
        cmocka_unit_test(test_what_the_pipeline_computes_is_not_computed_again),
        cmocka_unit_test(test_the_value_of_the_pipeline_counts),
    };
    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
