/* SPDX-License-Identifier: MIT */
/* The filter that skips the first bytes. */
#include "node/filter.h"
#include <errno.h>

struct skip {
    leat_filter filter;
    uint64_t bytes;
    uint64_t left; /* bytes to skip in this run */
};

static int skip_start(leat_filter *filter, uint64_t expected UNUSED, struct leat_error *error UNUSED)
{
    struct skip *skip = (struct skip *)filter;
    skip->left = skip->bytes;
    return 0;
}

static void take(struct filter_buffers *b, size_t n)
{
    b->in += n;
    b->in_n -= n;
}

static int skip_transform(leat_filter *filter, struct filter_buffers *b, int mode UNUSED,
                          struct leat_error *error UNUSED)
{
    struct skip *skip = (struct skip *)filter;
    size_t dropped = (size_t)MIN(skip->left, b->in_n);
    take(b, dropped);
    skip->left -= dropped;
    size_t n = MIN(b->in_n, b->out_n);
    if (n > 0) {
        memcpy(b->out, b->in, n);
        b->out += n;
        b->out_n -= n;
        take(b, n);
    }
    return b->in_n > 0 ? LEAT_FILTER_FULL : LEAT_FILTER_DONE;
}

static void skip_free(leat_filter *filter)
{
    free(filter);
}

static const struct filter_ops skip_ops = {
    .name = "skip",
    .caps = FILTER_TRANSFORMS,
    .start = skip_start,
    .transform = skip_transform,
    .free = skip_free,
};

int leat_filter_skip(leat_filter **ret_filter, uint64_t bytes)
{
    struct skip *skip = calloc(1, sizeof(*skip));
    if (!skip)
        return -ENOMEM;
    filter_init(&skip->filter, &skip_ops);
    skip->bytes = skip->left = bytes;
    *ret_filter = &skip->filter;
    return 0;
}
