/* SPDX-License-Identifier: MIT */
/* Images of containers as trees: oci:DIRECTORY:TAG, docker://HOST/NAME:TAG and archives of both, as leat/image.h names
 * them. */
#include "image/layers.h"
#include "tree/archive/unpack_layers.h"
#include "tree/ends.h"
#include "tree/tree.h"

static bool is_wanted(void *user)
{
    return tree_is_wanted(user);
}

static int copy(struct tree_copy *tree, const char *spec, const char *rest UNUSED, const char *path,
                struct leat_error *error)
{
    struct image_layers *layers;
    int r = image_layers_open(&layers, spec, is_wanted, tree, error);
    if (r < 0) {
        error_complete(error, spec, "open");
        return r;
    }
    r = unpack_layers(tree, layers, spec, path, error);
    image_layers_close(layers);
    return r;
}

const struct tree_source source_oci = {.scheme = "oci", .copy = copy};
const struct tree_source source_docker = {.scheme = "docker", .copy = copy};
const struct tree_source source_oci_archive = {.scheme = "oci-archive", .copy = copy};
const struct tree_source source_docker_archive = {.scheme = "docker-archive", .copy = copy};
