/* SPDX-License-Identifier: MIT */
/* Trees in tar archives: `tar:NAME`, where NAME is any source of bytes: a path, "-", s3://BUCKET/KEY. */
#include "tree/archive/unpack.h"
#include "tree/ends.h"

static int copy(struct tree_copy *tree, const char *spec, const char *rest, const char *path, struct leat_error *error)
{
    leat_endpoint *in;
    int r = leat_endpoint_open(&in, rest, LEAT_READ, NULL, error);
    return r < 0 ? r : unpack_tar(tree, in, spec, path, error);
}

const struct tree_source source_tar = {.scheme = "tar", .copy = copy};
