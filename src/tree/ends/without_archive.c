/* SPDX-License-Identifier: MIT */
/* For a build without libarchive: trees in archives are refused. */
#include "tree/ends.h"
#include <errno.h>

static int refuse(struct tree_copy *tree UNUSED, const char *spec, const char *rest UNUSED, const char *path UNUSED,
                  struct leat_error *error)
{
    return error_at(error, -ENOSYS, LEAT_SIDE_NONE, spec, "open",
                    "leat was built without archives of trees (LEAT_WITH_ARCHIVE)");
}

const struct tree_source source_tar = {.scheme = "tar", .copy = refuse};
const struct tree_sink sink_tar = {.scheme = "tar", .copy = refuse};
