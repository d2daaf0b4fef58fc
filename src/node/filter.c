/* SPDX-License-Identifier: MIT */
#include "node/filter.h"
#include "base/origin.h"

void filter_init(leat_filter *filter, const struct filter_ops *ops)
{
    filter->ops = ops;
    filter->origin = origin_here();
    atomic_init(&filter->refs, 1);
    atomic_init(&filter->busy, false);
    atomic_init(&filter->bytes, 0);
}

leat_filter *leat_filter_ref(leat_filter *filter)
{
    atomic_fetch_add(&filter->refs, 1);
    return filter;
}

void leat_filter_free(leat_filter *filter)
{
    if (filter && origin_is_here(filter->origin) && atomic_fetch_sub(&filter->refs, 1) == 1)
        filter->ops->free(filter);
}

int leat_filter_bytes(const leat_filter *filter, uint64_t *ret_bytes)
{
    *ret_bytes = atomic_load(&filter->bytes);
    return 0;
}
