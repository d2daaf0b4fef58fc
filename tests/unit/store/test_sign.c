/* SPDX-License-Identifier: MIT */
/* Signatures. The expected ones were made by botocore's S3SigV4Auth for the same requests at the same time. */
#include "store/s3/sign.h"
#include "unit/unit.h"

#define WHEN 1767323045 /* 2026-01-02 03:04:05 UTC */

static struct credentials credentials(const char *token)
{
    struct credentials c = {.key = "AKIDEXAMPLE", .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
    snprintf(c.token, sizeof(c.token), "%s", token);
    return c;
}

static const char *header_of(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->headers; i++)
        if (strncmp(request->header[i], name, strlen(name)) == 0)
            return request->header[i];
    return "";
}

static void assert_signature(struct http_request *request, const struct signing *signing, const char *names,
                             const char *signature)
{
    char wanted[512];
    int r = sign_request(request, signing);
    unit_needs(r != -ELIBACC, "libcrypto");
    assert_int_equal(r, 0);
    snprintf(wanted, sizeof(wanted),
             "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/%s/s3/aws4_request, SignedHeaders=%s, "
             "Signature=%s",
             signing->region, names, signature);
    assert_string_equal(header_of(request, "Authorization"), wanted);
    assert_string_equal(header_of(request, "x-amz-date"), "x-amz-date: 20260102T030405Z");
    request_clear(request);
}

static void test_key_with_a_blank(void **state UNUSED)
{
    struct credentials c = credentials("");
    struct http_request request = {.method = "GET"};
    struct signing signing = {.credentials = &c,
                              .region = "us-east-1",
                              .service = "s3",
                              .host = "bkt.s3.us-east-1.amazonaws.com",
                              .path = "/any%20key",
                              .query = "",
                              .payload = SIGN_EMPTY,
                              .when = WHEN};
    assert_signature(&request, &signing, "host;x-amz-content-sha256;x-amz-date",
                     "7af8f1e64660b3c423b40ba0c79965f928fc7c247702f111b4218b8360b8af11");
}

static void test_token_and_query(void **state UNUSED)
{
    struct credentials c = credentials("tok/en+1=");
    struct http_request request = {.method = "GET"};
    struct signing signing = {.credentials = &c,
                              .region = "eu-central-1",
                              .service = "s3",
                              .host = "127.0.0.1:7480",
                              .path = "/bkt/a//b/../c%C3%BC%21",
                              .query = "versionId=a%2Fb%3D",
                              .payload = SIGN_EMPTY,
                              .when = WHEN};
    assert_signature(&request, &signing, "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
                     "384bd31b406b6afce27b63f0df7503f6391a41617e2a3861dee36a1bf5125389");
}

/* One name is the beginning of another, and a value has several blanks. */
static void test_headers_are_sorted(void **state UNUSED)
{
    struct credentials c = credentials("");
    struct http_request request = {.method = "HEAD"};
    struct signing signing = {.credentials = &c,
                              .region = "us-east-1",
                              .service = "s3",
                              .host = "localhost:9000",
                              .path = "/bkt/x",
                              .query = "",
                              .payload = SIGN_EMPTY,
                              .when = WHEN};
    assert_int_equal(request_header(&request, "x-amz-meta-b: two   words "), 0);
    assert_int_equal(request_header(&request, "x-amz-meta-a-b: 2"), 0);
    assert_int_equal(request_header(&request, "x-amz-meta-a: 1"), 0);
    assert_signature(&request, &signing,
                     "host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-meta-a-b;x-amz-meta-b",
                     "ec594ef29c7f9aba748ebcbd6b5822bb81ef08a1cb98e46a96cb04d06a6eaf01");
}

static void sign(const char *secret, const char *region, time_t when, char ret[65])
{
    struct credentials c = credentials("");
    struct http_request request = {.method = "GET"};
    struct signing signing = {.credentials = &c,
                              .region = region,
                              .service = "s3",
                              .host = "h",
                              .path = "/",
                              .query = "",
                              .payload = SIGN_EMPTY,
                              .when = when};
    snprintf(c.secret, sizeof(c.secret), "%s", secret);
    int r = sign_request(&request, &signing);
    unit_needs(r != -ELIBACC, "libcrypto");
    assert_int_equal(r, 0);
    snprintf(ret, 65, "%s", strstr(header_of(&request, "Authorization"), "Signature=") + 10);
    request_clear(&request);
}

/* A key that was derived for one secret, region and day serves no other one. The signatures are botocore's. */
static void test_keys_are_not_confused(void **state UNUSED)
{
    static const struct {
        const char *secret, *region;
        time_t when;
        const char *signature;
    } known[] = {
        {"first", "us-east-1", WHEN, "be15de6689ad888f1b0d4ecba8be061968df6018ca54543090e4afb33ff68728"},
        {"second", "us-east-1", WHEN, "2a024912b865c51ddbccdc205d3f8923562068ccbb1fd228e99bc68cdf103aa6"},
        {"first", "eu-west-1", WHEN, "1930896e4c8f1041d3b3d30b045d7b74d05dc5752538224a6cb92b6185dbbff8"},
        {"first", "us-east-1", WHEN + 86400, "f5eb671843740b51cf4356800221135704d3577025a3cf7564ea41061e4d2dab"},
        {"first", "us-east-1", WHEN + 1, "b8aa1711b603ed07751286a0b0358b758f2b12afca6ad74b5527068df0927769"},
    };
    char signature[65];
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < COUNT(known); i++) {
            sign(known[i].secret, known[i].region, known[i].when, signature);
            assert_string_equal(signature, known[i].signature);
        }
}

static void test_anonymous_is_unsigned(void **state UNUSED)
{
    struct credentials c = {.key = ""};
    struct http_request request = {.method = "GET"};
    struct signing signing = {.credentials = &c,
                              .region = "us-east-1",
                              .service = "s3",
                              .host = "h",
                              .path = "/",
                              .query = "",
                              .payload = SIGN_EMPTY,
                              .when = WHEN};
    assert_int_equal(sign_request(&request, &signing), 0);
    assert_int_equal(request.headers, 1);
    assert_string_equal(request.header[0], "host: h");
    request_clear(&request);
}

static void test_a_newline_makes_no_header(void **state UNUSED)
{
    struct http_request request = {.method = "GET"};
    assert_int_equal(request_header(&request, "x-amz-meta-a: 1\r\nevil: %d", 1), -EINVAL);
    assert_int_equal(request.headers, 0);
    for (int i = 0; i < REQUEST_HEADERS_MAX; i++)
        assert_int_equal(request_header(&request, "a: %d", i), 0);
    assert_int_equal(request_header(&request, "b: 1"), -E2BIG);
    request_clear(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_with_a_blank),          cmocka_unit_test(test_token_and_query),
        cmocka_unit_test(test_headers_are_sorted),        cmocka_unit_test(test_anonymous_is_unsigned),
        cmocka_unit_test(test_a_newline_makes_no_header), cmocka_unit_test(test_keys_are_not_confused),
    };
    return cmocka_run_group_tests_name("sign", tests, NULL, NULL);
}
