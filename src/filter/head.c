/* SPDX-License-Identifier: MIT */
/* The filter that ends the stream after a number of bytes. Like a filter that paces, it says how many bytes may pass,
 * and the engine counts how many did. So it need not see the bytes. */
#include "node/filter.h"
#include <errno.h>

struct head_filter {
    leat_filter filter;
    uint64_t bytes;
    uint64_t before; /* the filter's count at the start of this run */
};

static int head_start(leat_filter *filter, uint64_t expected UNUSED, struct leat_error *error UNUSED)
{
    struct head_filter *head = (struct head_filter *)filter;
    head->before = atomic_load(&filter->bytes);
    return 0;
}

static uint64_t head_allowance(leat_filter *filter, uint64_t want, int64_t *ret_deadline_ns)
{
    struct head_filter *head = (struct head_filter *)filter;
    uint64_t passed = atomic_load(&filter->bytes) - head->before;
    uint64_t left = passed < head->bytes ? head->bytes - passed : 0;
    if (left == 0)
        *ret_deadline_ns = 0; /* 0: the end; waiting does not help */
    return MIN(want, left);
}

static void head_free(leat_filter *filter)
{
    free(filter);
}

static const struct filter_ops head_ops = {
    .name = "head",
    .caps = FILTER_PACES,
    .start = head_start,
    .allowance = head_allowance,
    .free = head_free,
};

int leat_filter_head(leat_filter **ret_filter, uint64_t bytes)
{
    struct head_filter *head = calloc(1, sizeof(*head));
    if (!head)
        return -ENOMEM;
    filter_init(&head->filter, &head_ops);
    head->bytes = bytes;
    *ret_filter = &head->filter;
    return 0;
}
