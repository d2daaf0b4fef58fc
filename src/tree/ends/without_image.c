/* SPDX-License-Identifier: MIT */
/* For a build without libarchive or without stores: images are refused as trees. */
#include "tree/ends.h"
#include <errno.h>

static int refuse(struct tree_copy *tree UNUSED, const char *spec, const char *rest UNUSED, const char *path UNUSED,
                  struct leat_error *error)
{
    return error_at(error, -ENOSYS, LEAT_SIDE_NONE, spec, "open",
                    "leat was built without archives (LEAT_WITH_ARCHIVE) or without stores (LEAT_WITH_STORES)");
}

const struct tree_source source_oci = {.scheme = "oci", .copy = refuse};
const struct tree_source source_docker = {.scheme = "docker", .copy = refuse};
const struct tree_source source_oci_archive = {.scheme = "oci-archive", .copy = refuse};
const struct tree_source source_docker_archive = {.scheme = "docker-archive", .copy = refuse};
const struct tree_sink sink_oci = {.scheme = "oci", .copy = refuse};
const struct tree_sink sink_docker = {.scheme = "docker", .copy = refuse};
const struct tree_sink sink_oci_archive = {.scheme = "oci-archive", .copy = refuse};
const struct tree_sink sink_docker_archive = {.scheme = "docker-archive", .copy = refuse};
