/* SPDX-License-Identifier: MIT */
/* emscripten: it has fewer threads
 * Codecs with workers: blocks so small that there are many of them, in pieces and rooms of every size; what fails, what
 * is left half way; then the real ones in pipelines. */
#include "bridge/workers.h"
#include "unit/filter/codecs.h"
#include "unit/flow/pipelines.h"

#define BLOCK 1000
#define BIG   (300 * 1000 + 1)

static uint8_t text[BIG];
static struct codec small; /* a codec that is there, with small blocks */
static const char *unpacks;

static size_t small_block(const int *value UNUSED)
{
    return BLOCK;
}

static int setup(void **state UNUSED)
{
    const struct codec_pair *pair = next_pair(NULL);
    for (const struct codec *const *p = registry_codecs; *p; p++)
        if (strcmp((*p)->name, pair->packs) == 0)
            small = **p;
    small.block = small_block;
    unpacks = pair->unpacks;
    fill_text(text, sizeof(text));
    return 0;
}

static leat_filter *with_workers(const struct codec *codec, int workers)
{
    leat_filter *filter = NULL;
    int value[CODEC_VALUES] = {[0] = 1, [CODEC_WORKERS] = workers};
    assert_int_equal(workers_filter(&filter, codec, value), 0);
    return filter;
}

static void comes_back(const struct bytes *there, size_t n)
{
    struct bytes back CLEANUP_BYTES = packed(unpacks, NULL, there->data, there->n);
    assert_bytes(&back, text, n);
}

static void all_cuts_and_rooms(void **state UNUSED)
{
    static const size_t sizes[] = {0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 7 * BLOCK, 20 * BLOCK + 13};
    static const struct drive hows[] = {
        {.piece = BIG, .room = BIG},
        {.piece = 1, .room = 1},
        {.piece = 3 * BLOCK, .room = 1, .finish_empty = true},
        {.piece = BLOCK, .room = 7, .finish_empty = true},
        {.piece = DRIVE_RANDOM, .room = DRIVE_RANDOM},
    };
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct bytes first CLEANUP_BYTES = {0};
        for (int workers = 1; workers <= 5; workers += 2) {
            leat_filter *pack = with_workers(&small, workers);
            for (size_t k = 0; k < COUNT(hows); k++) {
                struct bytes there CLEANUP_BYTES = {0};
                assert_int_equal(drive(pack, text, sizes[i], hows[k], &there, NULL), LEAT_FILTER_DONE);
                if (first.n == 0)
                    bytes_add(&first, there.data, there.n);
                assert_bytes(&there, first.data, first.n);
            }
            leat_filter_free(pack);
        }
        comes_back(&first, sizes[i]);
    }
}

static void a_flush_brings_everything(void **state UNUSED)
{
    leat_filter *pack = with_workers(&small, 3);
    struct bytes there CLEANUP_BYTES = {0};
    size_t n = 0;
    assert_int_equal(pack->ops->start(pack, 0, NULL), 0);
    for (size_t size = 1; size < 5 * BLOCK; size += 777) {
        assert_int_equal(drive_step(pack, text + n, size, LEAT_FILTER_FLUSH, 5, &there, NULL), 0);
        n += size;
        comes_back(&there, n);
        size_t before = there.n;
        assert_int_equal(drive_step(pack, NULL, 0, LEAT_FILTER_FLUSH, 5, &there, NULL), 0);
        assert_int_equal(there.n, before);
    }
    assert_int_equal(drive_step(pack, NULL, 0, LEAT_FILTER_FINISH, 5, &there, NULL), 0);
    comes_back(&there, n);
    leat_filter_free(pack);
}

/* Nobody fetches the output: then so many blocks are taken as the workers have, and one that is emptied. */
static void what_is_taken_is_bounded(void **state UNUSED)
{
    for (int workers = 1; workers <= 4; workers++) {
        leat_filter *pack = with_workers(&small, workers);
        uint8_t room;
        struct filter_buffers b = {.in = text, .in_n = BIG, .out = &room, .out_n = 1};
        assert_int_equal(pack->ops->start(pack, 0, NULL), 0);
        assert_int_equal(pack->ops->transform(pack, &b, LEAT_FILTER_MORE, NULL), LEAT_FILTER_FULL);
        size_t blocks = (size_t)workers + 3;
        assert_true(BIG - b.in_n <= blocks * BLOCK);
        assert_true(pack->ops->memory(pack) >= blocks * 2 * BLOCK);
        b.out_n = 0;
        assert_int_equal(pack->ops->transform(pack, &b, LEAT_FILTER_MORE, NULL), LEAT_FILTER_FULL);
        assert_int_equal(pack->ops->start(pack, 0, NULL), 0); /* what was left half way is gone */
        struct bytes there CLEANUP_BYTES = {0};
        assert_int_equal(drive(pack, text, 5000, (struct drive){.piece = 100, .room = 100}, &there, NULL), 0);
        comes_back(&there, 5000);
        assert_int_equal(pack->ops->start(pack, 0, NULL), 0);
        b = (struct filter_buffers){.in = text, .in_n = 3 * BLOCK, .out = &room, .out_n = 1};
        assert_in_range(pack->ops->transform(pack, &b, LEAT_FILTER_MORE, NULL), LEAT_FILTER_DONE, LEAT_FILTER_FULL);
        leat_filter_free(pack);
    }
}

/* ---- a codec that fails ---- */

static atomic_int states, opens_until_failure, blocks_until_failure;

static int fragile_open(void **ret, const int *value UNUSED)
{
    if (atomic_fetch_sub(&opens_until_failure, 1) <= 0)
        return -ENOMEM;
    atomic_fetch_add(&states, 1);
    *ret = &states;
    return 0;
}

static void fragile_start(void *state UNUSED)
{
}

static int fragile_transform(void *state UNUSED, struct filter_buffers *b, int mode UNUSED, const char **ret_why)
{
    *ret_why = "fragile";
    if (atomic_fetch_sub(&blocks_until_failure, 1) == 0)
        return -EIO;
    b->in += b->in_n;
    b->in_n = 0;
    *b->out++ = 'x';
    b->out_n--;
    return LEAT_FILTER_DONE;
}

static uint64_t no_memory(const int *value UNUSED)
{
    return 0;
}

static void fragile_close(void *state UNUSED)
{
    atomic_fetch_sub(&states, 1);
}

static const struct codec fragile = {
    .name = "fragile",
    .operation = "break",
    .open = fragile_open,
    .start = fragile_start,
    .transform = fragile_transform,
    .memory = no_memory,
    .close = fragile_close,
    .block = small_block,
};

static void a_failure_of_any_block_is_the_filters(void **state UNUSED)
{
    leat_filter *filter = with_workers(&fragile, 4);
    struct drive how = {.piece = 3000, .room = 100};
    int threads = unit_threads();
    for (int bad = 0; bad < 30; bad++) {
        struct leat_error error = LEAT_INIT(struct leat_error);
        struct bytes there CLEANUP_BYTES = {0};
        opens_until_failure = 1000;
        blocks_until_failure = bad;
        assert_int_equal(drive(filter, text, 30 * BLOCK, how, &there, &error), -EIO);
        assert_string_equal(error.node, "fragile");
        assert_string_equal(error.operation, "break");
        assert_true(there.n <=
                    (size_t)bad + 3); /* a worker may fail before three others have begun blocks before its */
        assert_int_equal(filter->ops->finish(filter, -EIO, &error), 0);
        assert_int_equal(states, 0);
    }
    for (int bad = 0; bad < 4; bad++) {
        struct leat_error error = LEAT_INIT(struct leat_error);
        struct bytes there CLEANUP_BYTES = {0};
        blocks_until_failure = -1;
        opens_until_failure = bad;
        int r = drive(filter, text, 30 * BLOCK, how, &there, &error);
        if (bad == 0 || r != LEAT_FILTER_DONE) /* one worker may do it all before the next one opens */
            assert_int_equal(r, -ENOMEM);
        else
            assert_int_equal(there.n, 30);
        assert_int_equal(filter->ops->finish(filter, -ENOMEM, &error), 0);
        assert_int_equal(states, 0);
    }
    leat_filter_free(filter);
    for (int i = 0; i < 100 && unit_threads() > threads; i++)
        usleep(10000);
    assert_true(unit_threads() <= threads);
}

/* ---- in pipelines ---- */

static leat_pipeline *packing(uint64_t limit, leat_endpoint *source, leat_endpoint *sink)
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    options.memory_limit = limit;
    leat_pipeline *p = pipeline_of(&options, source, sink);
    assert_int_equal(leat_pipeline_filter(p, codec(small.name, "level=1,workers=2")), 0);
    return p;
}

static void in_the_least_memory(void **state UNUSED)
{
    size_t n = 3 * 1024 * 1024 + 5, size = 0; /* blocks of 1 MiB */
    uint8_t *in = malloc(n), *out = malloc(n + 10000), *back = malloc(n + 1);
    assert_true(in && out && back);
    fill_noise(in, n);
    struct gate sink = {.go = true, .result = 0, .at_most = 1};
    assert_int_equal(run_and_free(packing(64 * 1024, from_bytes(in, n), to_bytes(out, n + 10000, &size))), 0);
    leat_pipeline *p = pipeline_of(NULL, from_bytes(out, size), to_bytes(back, n + 1, &size));
    assert_int_equal(leat_pipeline_filter(p, codec(unpacks, NULL)), 0);
    assert_int_equal(run_and_free(p), 0);
    assert_int_equal(size, n);
    assert_memory_equal(in, back, n);
    assert_int_equal(run_and_free(packing(0, from_bytes(in, 20000), gate(&sink))), 0); /* takes one byte at a time */
    assert_true(sink.done > 10000);
    free(in);
    free(out);
    free(back);
}

static void a_sink_that_fails_and_a_cancel(void **state UNUSED)
{
    int threads = unit_threads();
    struct gate full = {.go = true, .result = -ENOSPC};
    assert_int_equal(run_and_free(packing(0, from_bytes(text, sizeof(text)), gate(&full))), -ENOSPC);

    struct gate stuck = {.go = false};
    leat_pipeline *p = packing(0, spec("zero:", LEAT_READ), gate(&stuck));
    assert_int_equal(leat_pipeline_start(p), 0);
    wait_until_asked(&stuck);
    assert_int_equal(leat_pipeline_cancel(p), 0);
    assert_int_equal(leat_pipeline_wait(p, -1, NULL), -ECANCELED);
    leat_pipeline_free(p);

    struct gate broken = {.go = true, .n = 10 << 20, .result = -EIO}; /* a source */
    assert_int_equal(run_and_free(packing(0, gate(&broken), spec("null:", LEAT_WRITE))), -EIO);
    for (int i = 0; i < 100 && unit_threads() > threads; i++)
        usleep(10000);
    assert_true(unit_threads() <= threads);
}

static void names_and_options(void **state UNUSED)
{
    static const char *const wrong[] = {"workers=-1", "workers=65", "workers", "workers=", "worker=1", "workers=2x"};
    leat_filter *filter = NULL;
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(leat_filter_codec(&filter, small.name, wrong[i]), -EINVAL);
    assert_int_equal(leat_filter_codec(&filter, unpacks, "workers=2"), -EINVAL);
    assert_null(filter);
    leat_filter_free(codec(small.name, "workers=0"));
    leat_filter_free(codec(small.name, "workers=64,level=2"));
}

int main(void)
{
    if (!next_pair(NULL)) {
        puts("this build has no codec");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_cuts_and_rooms),       cmocka_unit_test(a_flush_brings_everything),
        cmocka_unit_test(what_is_taken_is_bounded), cmocka_unit_test(a_failure_of_any_block_is_the_filters),
        cmocka_unit_test(in_the_least_memory),      cmocka_unit_test(a_sink_that_fails_and_a_cancel),
        cmocka_unit_test(names_and_options),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
