/* SPDX-License-Identifier: MIT */
/* For a build without stores: trees in s3: are refused. */
#include "tree/ends.h"
#include <errno.h>

static int refuse(struct tree_copy *tree UNUSED, const char *spec, const char *rest UNUSED, struct leat_error *error)
{
    return error_at(error, -ENOSYS, LEAT_SIDE_NONE, spec, "open", "leat was built without stores (LEAT_WITH_STORES)");
}

const struct tree_source source_s3 = {.scheme = "s3", .is_flat = true, .open = refuse};
const struct tree_sink sink_s3 = {.scheme = "s3", .open = refuse};
