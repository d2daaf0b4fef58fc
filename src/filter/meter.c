/* SPDX-License-Identifier: MIT */
/* The filter that counts. The code that moves the bytes counts them (filter_count), so this filter does nothing. */
#include "node/filter.h"
#include <errno.h>

static void meter_free(leat_filter *filter)
{
    free(filter);
}

static const struct filter_ops meter_ops = {
    .name = "meter",
    .free = meter_free,
};

int leat_filter_meter(leat_filter **ret_filter)
{
    leat_filter *filter = malloc(sizeof(*filter));
    if (!filter)
        return -ENOMEM;
    filter_init(filter, &meter_ops);
    *ret_filter = filter;
    return 0;
}
