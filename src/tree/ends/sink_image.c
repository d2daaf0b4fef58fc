/* SPDX-License-Identifier: MIT */
/* Images of containers as targets: the tree becomes an image with one layer. */
#include "base/fd.h"
#include "image/made.h"
#include "tree/archive/pack.h"
#include "tree/ends.h"
#include "tree/tree.h"
#include <unistd.h>

static bool is_wanted(void *user)
{
    return tree_is_wanted(user);
}

/* Packs the tree into the file. */
static int pack(struct tree_copy *tree, const char *spec, int fd, struct image_layer *ret, struct leat_error *error)
{
    struct pack_target target = {.name = spec, .codec = "gzip", .is_layer = true};
    struct stat st;
    leat_endpoint *out;
    int r = leat_endpoint_from_fd(&out, fd, LEAT_BORROW);
    if (r < 0)
        return error_set(error, r, "out of memory");
    r = pack_tar(tree, out, &target, error);
    if (r < 0)
        return r;
    if (fstat(fd, &st) < 0)
        return error_set(error, -errno, "The layer can't be read");
    *ret = (struct image_layer){.fd = fd, .size = (uint64_t)st.st_size};
    strcpy(ret->digest, target.packed);
    strcpy(ret->plain, target.plain);
    return 0;
}

static int copy(struct tree_copy *tree, const char *spec, const char *rest UNUSED, const char *path,
                struct leat_error *error)
{
    struct leat_error own = {.size = sizeof(own)};
    struct image_layer layer;
    char text[128];
    int r = pack_begin(tree, path, error);
    if (r < 0)
        return r;
    int fd CLEANUP_FD = fd_unnamed();
    if (fd < 0)
        return error_at(error, fd, LEAT_SIDE_SINK, spec, "open", "A file for the time of the copy: %s",
                        error_text(fd, text, sizeof(text)));
    r = pack(tree, spec, fd, &layer, error);
    if (r == 0 && (r = image_made_copy(&layer, spec, is_wanted, tree, &own)) < 0) {
        error_complete(&own, spec, "copy");
        own.side = own.side == LEAT_SIDE_NONE ? LEAT_SIDE_SINK : own.side;
        if (tree_is_canceled(tree))
            *error = own;
        else
            tree_tell(tree, &own);
    }
    return r;
}

const struct tree_sink sink_oci = {.scheme = "oci", .copy = copy};
const struct tree_sink sink_docker = {.scheme = "docker", .copy = copy};
const struct tree_sink sink_oci_archive = {.scheme = "oci-archive", .copy = copy};
const struct tree_sink sink_docker_archive = {.scheme = "docker-archive", .copy = copy};
