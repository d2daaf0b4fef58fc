/* SPDX-License-Identifier: MIT */
/* labels: long
 * The codecs: what goes in comes out, in pieces and rooms of every size, with flushes anywhere; names and options. What
 * is no right input is in test_codec_broken.c. */
#include "codecs.h"

#define SMALL 700
#define BIG   (400 * 1024)

static uint8_t text[BIG], noise[BIG], zeros[BIG];
static const struct {
    const uint8_t *bytes;
    size_t small, big;
} inputs[] = {{text, SMALL, BIG}, {noise, SMALL, BIG}, {zeros, SMALL, BIG}, {text, 1, 131072}, {text, 0, 131073}};

/* What a compressor puts out depends on its input and not on the rooms. */
static void check_trip(leat_filter *pack, leat_filter *unpack, const uint8_t *in, size_t n, struct drive how)
{
    struct bytes there CLEANUP_BYTES = {0}, same CLEANUP_BYTES = {0}, back CLEANUP_BYTES = {0};
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct drive roomy = how;
    roomy.room = 100000;
    assert_int_equal(drive(pack, in, n, how, &there, &error), LEAT_FILTER_DONE);
    if (how.piece != DRIVE_RANDOM) {
        assert_int_equal(drive(pack, in, n, roomy, &same, &error), LEAT_FILTER_DONE);
        assert_bytes(&there, same.data, same.n);
    }
    if (drive(unpack, there.data, there.n, how, &back, &error) != LEAT_FILTER_DONE)
        fail_msg("%s %s", error.node, error.text);
    assert_bytes(&back, in, n);
}

static void all_cuts_and_rooms(void **state UNUSED)
{
    static const size_t rooms[] = {1, 2, 3, 7, 8, 64, 1000, DRIVE_RANDOM};
    size_t step = drive_quick() ? 9 : 1;
    for (const struct codec_pair *pair = next_pair(NULL); pair; pair = next_pair(pair)) {
        leat_filter *pack = codec(pair->packs, NULL), *unpack = codec(pair->unpacks, NULL);
        for (size_t i = 0; i < COUNT(inputs); i++)
            for (size_t piece = 1; piece <= 65; piece += step)
                for (size_t k = 0; k < COUNT(rooms); k += 1 + (piece % 2)) {
                    struct drive how = {.piece = piece == 65 ? DRIVE_RANDOM : piece,
                                        .room = rooms[k],
                                        .flush = piece % 5,
                                        .finish_empty = piece % 2};
                    check_trip(pack, unpack, inputs[i].bytes, inputs[i].small, how);
                }
        leat_filter_free(pack);
        leat_filter_free(unpack);
    }
}

static void large_inputs(void **state UNUSED)
{
    static const struct drive hows[] = {
        {.piece = BIG, .room = BIG},
        {.piece = 65536, .room = 65536},
        {.piece = 4097, .room = 65536, .flush = 10, .finish_empty = true},
        {.piece = BIG, .room = 5},
        {.piece = DRIVE_RANDOM, .room = DRIVE_RANDOM},
    };
    for (const struct codec_pair *pair = next_pair(NULL); pair; pair = next_pair(pair)) {
        leat_filter *pack = codec(pair->packs, "level=1"), *unpack = codec(pair->unpacks, NULL);
        for (size_t i = 0; i < COUNT(inputs); i++)
            for (size_t k = 0; k < COUNT(hows); k += drive_quick() ? 3 : 1)
                check_trip(pack, unpack, inputs[i].bytes, inputs[i].big, hows[k]);
        leat_filter_free(pack);
        leat_filter_free(unpack);
    }
}

static void all_levels(void **state UNUSED)
{
    static const char *const levels[][5] = {{"level=-131072", "level=-5", "level=0", "level=9,checksum=0", "level=12"},
                                            {"level=1", "level=2", "level=5", "level=8", "level=9"}};
    for (const struct codec_pair *pair = next_pair(NULL); pair; pair = next_pair(pair))
        for (size_t i = 0; i < 5; i++) {
            struct bytes there CLEANUP_BYTES = packed(pair->packs, levels[pair - codec_pairs][i], text, 50000);
            struct bytes back CLEANUP_BYTES = packed(pair->unpacks, NULL, there.data, there.n);
            assert_bytes(&back, text, 50000);
        }
}

/* After each byte: what the decoder gives is all that went in; and a second flush brings nothing. */
static void check_flush(const struct codec_pair *pair, size_t room)
{
    leat_filter *pack = codec(pair->packs, NULL), *unpack = codec(pair->unpacks, NULL);
    struct bytes there CLEANUP_BYTES = {0}, back CLEANUP_BYTES = {0};
    size_t fed = 0;
    assert_int_equal(pack->ops->start(pack, 0, NULL), 0);
    assert_int_equal(unpack->ops->start(unpack, 0, NULL), 0);
    for (size_t i = 0; i < 200; i++) {
        size_t n = i % 7 == 0 ? 2000 : 1;
        assert_int_equal(drive_step(pack, text + back.n, n, LEAT_FILTER_FLUSH, room, &there, NULL), 0);
        size_t before = there.n;
        for (int again = 0; again < 40; again++)
            assert_int_equal(drive_step(pack, NULL, 0, LEAT_FILTER_FLUSH, room, &there, NULL), 0);
        assert_int_equal(there.n, before);
        assert_int_equal(drive_step(unpack, there.data + fed, there.n - fed, LEAT_FILTER_FLUSH, room, &back, NULL), 0);
        for (int again = 0; again < 40; again++)
            assert_int_equal(drive_step(unpack, NULL, 0, again % 2, room, &back, NULL), 0);
        fed = there.n;
    }
    assert_bytes(&back, text, back.n);
    assert_int_equal(back.n, 29 * 2000 + 171);
    assert_int_equal(drive_step(pack, NULL, 0, LEAT_FILTER_FINISH, room, &there, NULL), 0);
    assert_int_equal(drive_step(unpack, there.data + fed, there.n - fed, LEAT_FILTER_FINISH, room, &back, NULL), 0);
    assert_int_equal(back.n, 29 * 2000 + 171);
    leat_filter_free(pack);
    leat_filter_free(unpack);
}

static void a_flush_brings_everything(void **state UNUSED)
{
    static const size_t rooms[] = {1, 2, 5, 6, 7, 4096, DRIVE_RANDOM};
    for (const struct codec_pair *pair = next_pair(NULL); pair; pair = next_pair(pair))
        for (size_t i = 0; i < COUNT(rooms); i++)
            check_flush(pair, rooms[i]);
}

/* FLUSH comes before anything else did. */
static void a_flush_of_nothing_ends(void **state UNUSED)
{
    for (const struct codec_pair *pair = next_pair(NULL); pair; pair = next_pair(pair)) {
        leat_filter *pack = codec(pair->packs, NULL);
        struct bytes there CLEANUP_BYTES = {0};
        assert_int_equal(pack->ops->start(pack, 0, NULL), 0);
        assert_int_equal(drive_step(pack, NULL, 0, LEAT_FILTER_FLUSH, 1, &there, NULL), 0);
        assert_int_equal(drive_step(pack, NULL, 0, LEAT_FILTER_FLUSH, 1, &there, NULL), 0);
        assert_int_equal(drive_step(pack, NULL, 0, LEAT_FILTER_FINISH, 1, &there, NULL), 0);
        struct bytes back CLEANUP_BYTES = packed(pair->unpacks, NULL, there.data, there.n);
        assert_int_equal(back.n, 0);
        leat_filter_free(pack);
    }
}

/* Without room nothing is taken and nothing lost. */
static void no_room_at_all(void **state UNUSED)
{
    for (const struct codec_pair *pair = next_pair(NULL); pair; pair = next_pair(pair)) {
        leat_filter *pack = codec(pair->packs, NULL);
        struct filter_buffers b = {.in = text, .in_n = 10};
        assert_int_equal(pack->ops->start(pack, 0, NULL), 0);
        for (int mode = LEAT_FILTER_MORE; mode <= LEAT_FILTER_FINISH; mode++)
            assert_int_equal(pack->ops->transform(pack, &b, mode, NULL), LEAT_FILTER_FULL);
        assert_int_equal(b.in_n, 10);
        b.in_n = 0;
        assert_int_equal(pack->ops->transform(pack, &b, LEAT_FILTER_MORE, NULL), LEAT_FILTER_DONE);
        assert_int_equal(pack->ops->transform(pack, &b, LEAT_FILTER_FINISH, NULL), LEAT_FILTER_FULL);
        leat_filter_free(pack);
    }
}

/* A run that was given up anywhere leaves nothing to the next one; bytes are counted over all of them. */
static void another_run_begins_anew(void **state UNUSED)
{
    for (const struct codec_pair *pair = next_pair(NULL); pair; pair = next_pair(pair)) {
        leat_filter *pack = codec(pair->packs, NULL), *unpack = codec(pair->unpacks, NULL);
        struct bytes first CLEANUP_BYTES = packed(pair->packs, NULL, text, SMALL), rest CLEANUP_BYTES = {0};
        uint64_t before, after;
        for (size_t n = 0; n < first.n; n += 13) {
            struct bytes there CLEANUP_BYTES = {0}, back CLEANUP_BYTES = {0};
            struct drive how = {.piece = 1000, .room = 3};
            assert_int_equal(pack->ops->start(pack, 0, NULL), 0);
            assert_int_equal(drive_step(pack, noise, n, (int)(n % 2), 50, &rest, NULL), 0);
            leat_filter_bytes(pack, &before);
            assert_int_equal(drive(pack, text, SMALL, how, &there, NULL), 0);
            leat_filter_bytes(pack, &after);
            assert_true(after - before == SMALL);
            assert_bytes(&there, first.data, first.n);
            assert_int_equal(unpack->ops->start(unpack, 0, NULL), 0);
            assert_int_equal(drive_step(unpack, first.data, n, LEAT_FILTER_MORE, 50, &rest, NULL), 0);
            assert_int_equal(drive(unpack, first.data, first.n, how, &back, NULL), 0);
            assert_bytes(&back, text, SMALL);
        }
        leat_filter_free(pack);
        leat_filter_free(unpack);
    }
}

/* The same bytes give the same file: neither a name nor a time is in it. */
static void gzip_writes_no_name_and_no_time(void **state UNUSED)
{
    if (!codec_is_there("gzip"))
        return;
    struct bytes there CLEANUP_BYTES = packed("gzip", NULL, text, SMALL);
    assert_memory_equal(there.data, "\x1f\x8b\x08\0\0\0\0\0\0", 9);
}

static void a_checksum_can_be_left_out(void **state UNUSED)
{
    if (!codec_is_there("zstd"))
        return;
    struct bytes with CLEANUP_BYTES = packed("zstd", NULL, text, SMALL);
    struct bytes without CLEANUP_BYTES = packed("zstd", "checksum=0", text, SMALL);
    assert_int_equal(with.n, without.n + 4);
}

static void memory_is_told(void **state UNUSED)
{
    static const struct {
        const char *name, *options, *more;
    } rows[] = {
        {"zstd", "level=1", "level=19"},
        {"unzstd", "windowlog=20", "windowlog=27"},
        {"gzip", "level=9", NULL},
        {"gunzip", NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!codec_is_there(rows[i].name))
            continue;
        leat_filter *filter = codec(rows[i].name, rows[i].options);
        uint64_t memory = filter->ops->memory(filter);
        assert_true(memory > 32768);
        leat_filter_free(filter);
        if (rows[i].more) {
            filter = codec(rows[i].name, rows[i].more);
            assert_true(filter->ops->memory(filter) > memory);
            leat_filter_free(filter);
        }
    }
}

static void names_and_options(void **state UNUSED)
{
    static const struct {
        const char *name, *options;
        int code;
        uint64_t offset;
        const char *text;
    } rows[] = {
        {"lz4", NULL, -ENOENT, 0, "no codec 'lz4': known are zstd, unzstd, gzip, gunzip"},
        {"", NULL, -ENOENT, 0, "no codec ''"},
        {"zstd", "levle=3", -EINVAL, 0, "zstd has no option 'levle', only level=N, checksum=N"},
        {"zstd", "level=3,fast=1", -EINVAL, 8, "no option 'fast'"},
        {"zstd", "level=3,", -EINVAL, 8, "no option ''"},
        {"zstd", ",", -EINVAL, 0, "no option ''"},
        {"zstd", "level", -EINVAL, 0, "'level' lacks its value: write level=N"},
        {"zstd", "checksum,level=3", -EINVAL, 0, "'checksum' lacks its value"},
        {"zstd", "checksum=1,level=", -EINVAL, 17, "'' is no number for level=N"},
        {"zstd", "level=3x,checksum=1", -EINVAL, 6, "'3x' is no number"},
        {"zstd", "level= 3", -EINVAL, 6, "' 3' is no number"},
        {"zstd", "level=-", -EINVAL, 6, "'-' is no number"},
        {"zstd", "level=100", -EINVAL, 6, "level=100 is out of range: it goes from -"},
        {"zstd", "level=99999999999999999999", -EINVAL, 6, "out of range"},
        {"zstd", "checksum=2", -EINVAL, 9, "it goes from 0 to 1"},
        {"unzstd", "level=3", -EINVAL, 0, "unzstd has no option 'level', only windowlog=N"},
        {"unzstd", "windowlog=9", -EINVAL, 10, "it goes from 10 to"},
        {"gzip", "level=0", -EINVAL, 6, "level=0 is out of range: it goes from 1 to 9"},
        {"gzip", "level=10", -EINVAL, 6, "it goes from 1 to 9"},
        {"gunzip", "level=1", -EINVAL, 0, "gunzip has no option 'level', nor any other"},
        {"zstd", "checksum=0,level=-7", 0, 0, NULL},
        {"zstd", "level=+3,level=4", 0, 0, NULL},
        {"unzstd", "windowlog=30", 0, 0, NULL},
        {"gzip", "level=9", 0, 0, NULL},
        {"gunzip", "", 0, 0, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        leat_filter *filter = NULL;
        struct leat_error error = LEAT_INIT(struct leat_error);
        int expected = rows[i].code;
        if (expected != -ENOENT && !codec_is_there(rows[i].name))
            continue;
        assert_int_equal(leat_filter_codec(&filter, rows[i].name, rows[i].options), expected);
        leat_filter_free(filter);
        filter = NULL;
        assert_int_equal(filter_codec(&filter, rows[i].name, rows[i].options, &error), expected);
        assert_int_equal(error.code, expected);
        assert_true(error.offset == rows[i].offset);
        if (rows[i].text && !strstr(error.text, rows[i].text))
            fail_msg("%s: %s", rows[i].text, error.text);
        if (expected == 0)
            assert_string_equal(filter->ops->name, rows[i].name);
        else
            assert_null(filter);
        leat_filter_free(filter);
    }
    assert_int_equal(leat_filter_codec(NULL, NULL, NULL), -EINVAL);
}

/* A build without a library knows what it lacks. */
static void what_is_missing_is_said(void **state UNUSED)
{
    for (size_t i = 0; registry_codecs[i]; i++) {
        leat_filter *filter = NULL;
        struct leat_error error = LEAT_INIT(struct leat_error);
        int r = filter_codec(&filter, registry_codecs[i]->name, NULL, &error);
        assert_int_equal(r, registry_codecs[i]->without ? -ENOENT : 0);
        assert_true(r == 0 || strstr(error.text, "was built without"));
        leat_filter_free(filter);
    }
}

int main(void)
{
    fill_text(text, sizeof(text));
    fill_noise(noise, sizeof(noise));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_cuts_and_rooms),
        cmocka_unit_test(large_inputs),
        cmocka_unit_test(all_levels),
        cmocka_unit_test(a_flush_brings_everything),
        cmocka_unit_test(a_flush_of_nothing_ends),
        cmocka_unit_test(no_room_at_all),
        cmocka_unit_test(another_run_begins_anew),
        cmocka_unit_test(gzip_writes_no_name_and_no_time),
        cmocka_unit_test(a_checksum_can_be_left_out),
        cmocka_unit_test(memory_is_told),
        cmocka_unit_test(names_and_options),
        cmocka_unit_test(what_is_missing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
