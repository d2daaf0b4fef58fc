/* SPDX-License-Identifier: MIT */
/* Manifests and indexes, and lists of blobs. */
#include "image/document.h"
#include "image/work.h"
#include "unit/unit.h"

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static int read_text(struct document *ret, const char *text)
{
    struct descriptor self = {.size = 0};
    const char *why = NULL;
    int r = document_read(ret, strdup(text), strlen(text), &self, &why);
    assert_true(r == 0 || why);
    return r;
}

static void test_a_manifest(void **state UNUSED)
{
    struct document d;
    struct descriptor part;
    assert_int_equal(read_text(&d, "{\"schemaVersion\":2,\"config\":{\"digest\":\"" A "\",\"size\":1},"
                                   "\"layers\":[{\"digest\":\"" B "\",\"size\":2,\"mediaType\":\"x/y+z\"}]}"),
                     0);
    assert_false(d.is_index);
    assert_string_equal(d.self.type, "application/vnd.oci.image.manifest.v1+json");
    assert_int_equal(document_part(&d, 0, &part), 0);
    assert_string_equal(part.digest, A);
    assert_int_equal(document_part(&d, 1, &part), 0);
    assert_string_equal(part.digest, B);
    assert_string_equal(part.type, "x/y+z");
    assert_int_equal(part.size, 2);
    assert_int_equal(document_part(&d, 2, &part), -ENOENT);
    document_clear(&d);
}

static void test_platforms(void **state UNUSED)
{
    struct document d;
    struct descriptor part;
    struct platform_name p;
    assert_int_equal(
        read_text(&d, "{\"schemaVersion\":2,\"mediaType\":\"q/r\",\"manifests\":["
                      "{\"digest\":\"" A "\",\"size\":1,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\","
                      "\"variant\":\"v6\"}},{\"digest\":\"" B "\",\"size\":1,\"platform\":{\"os\":\"linux\","
                      "\"architecture\":\"arm\",\"variant\":\"v7\"}}]}"),
        0);
    assert_true(d.is_index);
    assert_string_equal(d.self.type, "q/r");
    static const struct {
        const char *text;
        int code;
        const char *digest;
    } rows[] = {
        {"linux/arm", 0, A}, {"linux/arm/v7", 0, B}, {"linux/arm/v8", -ENOENT, NULL}, {"linux/x", -ENOENT, NULL}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(platform_parse(&p, rows[i].text), 0);
        assert_int_equal(document_choose(&d, &p, &part), rows[i].code);
        if (rows[i].digest)
            assert_string_equal(part.digest, rows[i].digest);
    }
    document_clear(&d);
    static const char *const bad[] = {"", "linux", "linux/", "/arm", "linux/arm/", "linux/arm/v7/x", "linux//v7"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(platform_parse(&p, bad[i]), -EINVAL);
    assert_int_equal(platform_parse(&p, NULL), 0);
    assert_true(p.os[0] && p.architecture[0]);
}

static void test_no_documents(void **state UNUSED)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"schemaVersion\":2}",
                                      "{\"schemaVersion\":2,\"layers\":{}}",
                                      "{\"schemaVersion\":2,\"layers\":[],\"manifests\":[]}",
                                      "{\"schemaVersion\":1,\"layers\":[]}",
                                      "{\"schemaVersion\":2,\"layers\":[]",
                                      "{\"schemaVersion\":2,\"mediaType\":\"a\\nb\",\"layers\":[]}"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(read_text(&(struct document){0}, bad[i]), -EBADMSG);
}

static void test_bad_parts(void **state UNUSED)
{
    static const char *const bad[] = {"{}",
                                      "{\"digest\":\"" A "\"}",
                                      "{\"digest\":\"" A "\",\"size\":-1}",
                                      "{\"digest\":\"" A "\",\"size\":1.5}",
                                      "{\"digest\":\"" A "\",\"size\":\"1\"}",
                                      "{\"digest\":\"sha256:..\",\"size\":1}",
                                      "{\"digest\":3,\"size\":1}",
                                      "{\"digest\":\"" A "\",\"size\":1,\"mediaType\":\"a b\"}"};
    struct descriptor part;
    for (size_t i = 0; i < COUNT(bad); i++) {
        json_t *json = json_loads(bad[i], 0, NULL);
        assert_int_equal(descriptor_read(&part, json), -EBADMSG);
        json_decref(json);
    }
}

static void test_blobs(void **state UNUSED)
{
    struct blobs blobs = {.count = 0};
    struct descriptor a = {.digest = A, .size = 1}, b = {.digest = B, .size = 2};
    for (int i = 0; i < 50; i++) {
        assert_int_equal(blobs_add(&blobs, &b), 0);
        assert_int_equal(blobs_add(&blobs, &a), 0);
    }
    assert_int_equal(blobs_unite(&blobs), 0);
    assert_int_equal(blobs.count, 2);
    assert_int_equal(blobs_find(&blobs, B)->size, 2);
    assert_null(blobs_find(&blobs, "sha256:c"));
    b.size = 3;
    assert_int_equal(blobs_add(&blobs, &b), 0);
    assert_int_equal(blobs_unite(&blobs), -EBADMSG);
    blobs_clear(&blobs);
    assert_int_equal(blobs_unite(&blobs), 0);
    assert_null(blobs_find(&blobs, A));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_manifest), cmocka_unit_test(test_platforms), cmocka_unit_test(test_no_documents),
        cmocka_unit_test(test_bad_parts),  cmocka_unit_test(test_blobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
