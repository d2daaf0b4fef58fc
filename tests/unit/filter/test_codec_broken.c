/* SPDX-License-Identifier: MIT */
/* labels: long
 * The decoders: what other programs write, several frames or members, and everything that is not right: cut off,
 * changed, followed by something else. */
#include "codecs.h"
#include <stdio.h>

#define N 3000
static uint8_t text[N];

static const struct drive hows[] = {
    {.piece = 100000, .room = 100000},
    {.piece = 1, .room = 1, .finish_empty = true},
    {.piece = 3, .room = 100, .flush = 1},
    {.piece = DRIVE_RANDOM, .room = DRIVE_RANDOM},
};

static void expect(const char *name, const struct bytes *in, const void *out, size_t n)
{
    for (size_t i = 0; i < COUNT(hows); i++) {
        struct bytes got CLEANUP_BYTES = {0};
        struct leat_error error = LEAT_INIT(struct leat_error);
        if (run_codec(name, NULL, in->data, in->n, hows[i], &got, &error) != 0)
            fail_msg("%s: %s", name, error.text);
        assert_bytes(&got, out, n);
    }
}

/* What was right comes out first. */
static void expect_bad(const char *name, const struct bytes *in, const void *out, size_t n, const char *why)
{
    for (size_t i = 0; i < COUNT(hows); i++) {
        struct bytes got CLEANUP_BYTES = {0};
        struct leat_error error = LEAT_INIT(struct leat_error);
        assert_int_equal(run_codec(name, NULL, in->data, in->n, hows[i], &got, &error), -EBADMSG);
        assert_int_equal(error.code, -EBADMSG);
        assert_int_equal(error.side, LEAT_SIDE_FILTER);
        assert_string_equal(error.node, name);
        assert_string_equal(error.operation, "decompress");
        if (!strstr(error.text, why))
            fail_msg("%s: %s", why, error.text);
        assert_true(got.n <= n);
        if (got.n > 0)
            assert_memory_equal(got.data, out, got.n);
    }
}

/* By gzip(1); with every field that a header may have; by zstd(1). */
static void what_others_write(void **state UNUSED)
{
    static const char said[] = "leat leat leat\n";
    static const uint8_t by_gzip[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
                                      0xcb, 0x49, 0x4d, 0x2c, 0x51, 0xc8, 0x81, 0x11, 0x5c, 0x00,
                                      0x9b, 0x20, 0x9f, 0xc6, 0x0f, 0x00, 0x00, 0x00};
    static const uint8_t all_fields[] = {0x1f, 0x8b, 0x08, 0x1f, 0x00, 0xf1, 0x53, 0x65, 0x02, 0x03, 0x04, 0x00, 0x61,
                                         0x62, 0x00, 0x00, 0x6e, 0x61, 0x6d, 0x65, 0x00, 0x63, 0x6f, 0x6d, 0x6d, 0x65,
                                         0x6e, 0x74, 0x00, 0x9a, 0xcb, 0xcb, 0x49, 0x4d, 0x2c, 0x51, 0xc8, 0x81, 0x11,
                                         0x5c, 0x00, 0x9b, 0x20, 0x9f, 0xc6, 0x0f, 0x00, 0x00, 0x00};
    static const uint8_t by_zstd[] = {0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x68, 0x65, 0x00, 0x00, 0x30, 0x6c, 0x65, 0x61,
                                      0x74, 0x20, 0x0a, 0x01, 0x00, 0x28, 0x8a, 0x16, 0x03, 0x8d, 0xa4, 0x5e};
    const struct {
        const char *name;
        const uint8_t *bytes;
        size_t n;
    } rows[] = {
        {"gunzip", by_gzip, sizeof(by_gzip)},
        {"gunzip", all_fields, sizeof(all_fields)},
        {"unzstd", by_zstd, sizeof(by_zstd)},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes in CLEANUP_BYTES = {0};
        bytes_add(&in, rows[i].bytes, rows[i].n);
        if (codec_is_there(rows[i].name))
            expect(rows[i].name, &in, said, sizeof(said) - 1);
    }
}

static void add_packed(struct bytes *bytes, const char *name, const void *in, size_t n)
{
    struct bytes more CLEANUP_BYTES = packed(name, NULL, in, n);
    bytes_add(bytes, more.data, more.n);
}

/* An empty one among them. */
static struct bytes several(const struct codec_pair *pair)
{
    struct bytes in = {0};
    add_packed(&in, pair->packs, text, 1000);
    add_packed(&in, pair->packs, text, 0);
    add_packed(&in, pair->packs, text + 1000, 1);
    add_packed(&in, pair->packs, text + 1001, N - 1001);
    return in;
}

static void several_after_each_other(void **state UNUSED)
{
    for (const struct codec_pair *pair = next_pair(NULL); pair; pair = next_pair(pair)) {
        struct bytes in CLEANUP_BYTES = several(pair);
        expect(pair->unpacks, &in, text, N);
    }
}

/* Frames that carry something for others, in front, between and behind; empty ones; nothing but one. */
static void skippable_frames(void **state UNUSED)
{
    static const char empty[] = "\x50\x2a\x4d\x18\0\0\0", five[] = "\x5f\x2a\x4d\x18\5\0\0\0hello";
    struct bytes in CLEANUP_BYTES = {0};
    if (!codec_is_there("unzstd"))
        return;
    bytes_add(&in, empty, 8);
    expect("unzstd", &in, NULL, 0);
    bytes_add(&in, five, 13);
    add_packed(&in, "zstd", text, 1000);
    bytes_add(&in, five, 13);
    bytes_add(&in, empty, 8);
    add_packed(&in, "zstd", text + 1000, N - 1000);
    bytes_add(&in, empty, 8);
    expect("unzstd", &in, text, N);
    bytes_add(&in, five, 12);
    expect_bad("unzstd", &in, text, N, "The input ends before its frame does");
}

/* At every byte; where a frame ends, what was there until then is right. */
static void cut_off(void **state UNUSED)
{
    for (const struct codec_pair *pair = next_pair(NULL); pair; pair = next_pair(pair)) {
        struct bytes whole CLEANUP_BYTES = {0};
        size_t cuts[2] = {0};
        add_packed(&whole, pair->packs, text, 200);
        cuts[0] = whole.n;
        add_packed(&whole, pair->packs, text + 200, 200);
        cuts[1] = whole.n;
        for (size_t n = 0; n <= whole.n; n++) {
            struct bytes in CLEANUP_BYTES = {0};
            bytes_add(&in, whole.data, n);
            if (n == cuts[0] || n == cuts[1])
                expect(pair->unpacks, &in, text, n == cuts[0] ? 200 : 400);
            else
                expect_bad(pair->unpacks, &in, text, 400, "The input ends before its ");
        }
    }
}

static void an_empty_input_is_no_frame(void **state UNUSED)
{
    struct bytes nothing CLEANUP_BYTES = {0};
    for (const struct codec_pair *pair = next_pair(NULL); pair; pair = next_pair(pair))
        expect_bad(pair->unpacks, &nothing, NULL, 0, "behind byte 0 of its input");
}

static void something_else_behind(void **state UNUSED)
{
    for (const struct codec_pair *pair = next_pair(NULL); pair; pair = next_pair(pair)) {
        struct bytes in CLEANUP_BYTES = several(pair);
        bytes_add(&in, "something else", 14);
        expect_bad(pair->unpacks, &in, text, N, pair == codec_pairs ? "no zstd frame" : "follows the last member");
    }
}

static void something_else_in_front(void **state UNUSED)
{
    for (const struct codec_pair *pair = next_pair(NULL); pair; pair = next_pair(pair)) {
        struct bytes in CLEANUP_BYTES = {0};
        bytes_add(&in, "something else", 14);
        expect_bad(pair->unpacks, &in, NULL, 0, "");
    }
}

/* gzip(1) passes over zeros behind the last member, since tapes had them; zstd(1) does not. */
static void zeros_behind(void **state UNUSED)
{
    static const uint8_t zeros[600];
    for (const struct codec_pair *pair = next_pair(NULL); pair; pair = next_pair(pair)) {
        struct bytes in CLEANUP_BYTES = several(pair);
        bool gzip = strcmp(pair->packs, "gzip") == 0;
        bytes_add(&in, zeros, sizeof(zeros));
        if (gzip)
            expect(pair->unpacks, &in, text, N);
        else
            expect_bad(pair->unpacks, &in, text, N, "no zstd frame");
        add_packed(&in, pair->packs, text, 10);
        expect_bad(pair->unpacks, &in, text, N, gzip ? "follows the last member" : "no zstd frame");
    }
}

static void wrong_sums(void **state UNUSED)
{
    for (const struct codec_pair *pair = next_pair(NULL); pair; pair = next_pair(pair)) {
        struct bytes in CLEANUP_BYTES = packed(pair->packs, NULL, text, N);
        bool gzip = strcmp(pair->packs, "gzip") == 0;
        in.data[in.n - 1] ^= 1; /* of gzip the length, of zstd the checksum */
        expect_bad(pair->unpacks, &in, text, N, gzip ? "incorrect length check" : "checksum");
        in.data[in.n - 1] ^= 1;
        in.data[in.n - 5] ^= gzip;
        if (gzip)
            expect_bad(pair->unpacks, &in, text, N, "incorrect data check");
    }
}

/* Another window than is allowed, whatever there is in it; and where it is allowed it is right. */
static void windows_are_bounded(void **state UNUSED)
{
    struct drive how = {.piece = 1000, .room = 1000};
    if (!codec_is_there("zstd"))
        return;
    struct bytes in CLEANUP_BYTES = packed("zstd", "level=9", text, N), got CLEANUP_BYTES = {0};
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_int_equal(run_codec("unzstd", "windowlog=15", in.data, in.n, how, &got, &error), -E2BIG);
    assert_int_equal(error.advice, LEAT_ADVICE_WINDOW);
    assert_int_equal(got.n, 0);
    assert_int_equal(run_codec("unzstd", "windowlog=25", in.data, in.n, how, &got, NULL), 0);
    assert_bytes(&got, text, N);
}

/* A few bits or bytes are others, or some are missing or twice. It fails, or what was changed had no meaning. */
static void change(struct bytes *bytes)
{
    for (uint32_t left = 1 + drive_random() % 3; left > 0 && bytes->n > 0; left--) {
        size_t at = drive_random() % bytes->n, n = 1 + drive_random() % MIN(8, bytes->n - at);
        switch (drive_random() % 4) {
        case 0:
            bytes->data[at] ^= (uint8_t)(1u << (drive_random() % 8));
            break;
        case 1:
            fill_noise(bytes->data + at, n);
            break;
        case 2:
            memmove(bytes->data + at, bytes->data + at + n, bytes->n - at - n);
            break;
        default:
            memmove(bytes->data + at + n, bytes->data + at, bytes->n - at - n);
            break;
        }
    }
}

static void check_changed(const struct codec_pair *pair, const struct bytes *right, leat_filter *unpack)
{
    struct bytes in CLEANUP_BYTES = {0}, got CLEANUP_BYTES = {0};
    struct leat_error error = LEAT_INIT(struct leat_error);
    bytes_add(&in, right->data, right->n);
    change(&in);
    int r = drive(unpack, in.data, in.n, hows[drive_random() % COUNT(hows)], &got, &error);
    if (r == 0)
        assert_bytes(&got, text, N);
    else if (r != -EBADMSG && !(r == -E2BIG && strcmp(pair->unpacks, "unzstd") == 0))
        fail_msg("%s: %d: %s", pair->unpacks, r, error.text);
    assert_true(error.code == r && (r == 0 || strlen(error.text) > 20));
}

static void changed_at_random(void **state UNUSED)
{
    for (const struct codec_pair *pair = next_pair(NULL); pair; pair = next_pair(pair)) {
        struct bytes in CLEANUP_BYTES = packed(pair->packs, NULL, text, N), many CLEANUP_BYTES = several(pair);
        leat_filter *unpack = codec(pair->unpacks, NULL);
        for (int i = 0; i < (drive_quick() ? 500 : 8000); i++)
            check_changed(pair, i % 2 ? &in : &many, unpack);
        leat_filter_free(unpack);
    }
}

/* Noise behind a right beginning, so that it gets as far as there is something to decode. */
static void noise_behind_a_beginning(void **state UNUSED)
{
    for (const struct codec_pair *pair = next_pair(NULL); pair; pair = next_pair(pair)) {
        struct bytes right CLEANUP_BYTES = packed(pair->packs, NULL, text, N);
        leat_filter *unpack = codec(pair->unpacks, NULL);
        for (int i = 0; i < (drive_quick() ? 200 : 4000); i++) {
            struct bytes in CLEANUP_BYTES = {0}, got CLEANUP_BYTES = {0};
            uint8_t noise[200];
            fill_noise(noise, sizeof(noise));
            bytes_add(&in, right.data, right.n * (drive_random() % 64) / 64);
            bytes_add(&in, noise, sizeof(noise));
            int r = drive(unpack, in.data, in.n, hows[i % COUNT(hows)], &got, NULL);
            assert_true(r == -EBADMSG || r == -E2BIG);
        }
        leat_filter_free(unpack);
    }
}

int main(void)
{
    fill_text(text, sizeof(text));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_write),
        cmocka_unit_test(several_after_each_other),
        cmocka_unit_test(skippable_frames),
        cmocka_unit_test(cut_off),
        cmocka_unit_test(an_empty_input_is_no_frame),
        cmocka_unit_test(something_else_behind),
        cmocka_unit_test(something_else_in_front),
        cmocka_unit_test(zeros_behind),
        cmocka_unit_test(wrong_sums),
        cmocka_unit_test(windows_are_bounded),
        cmocka_unit_test(changed_at_random),
        cmocka_unit_test(noise_behind_a_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
