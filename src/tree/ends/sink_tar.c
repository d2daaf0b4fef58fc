/* SPDX-License-Identifier: MIT */
/* Trees in tar archives as targets: `tar:NAME`, where NAME is any sink of bytes: a path, "-", s3://BUCKET/KEY. */
#include "tree/archive/pack.h"
#include "tree/ends.h"
#include "tree/tree.h"
#include <unistd.h>

/* How the name says that the archive is compressed. Returns 0, or -EINVAL with *error filled in. */
static int read_suffix(const char *spec, const char **ret_codec, struct leat_error *error)
{
    static const struct {
        const char *suffix, *codec;
    } known[] = {{".gz", "gzip"}, {".tgz", "gzip"}, {".zst", "zstd"}, {".tzst", "zstd"},
                 {".xz", NULL},   {".txz", NULL},   {".bz2", NULL},   {".tbz2", NULL},
                 {".tbz", NULL},  {".lz4", NULL},   {".lzma", NULL},  {".lz", NULL}};
    size_t n = strlen(spec);
    *ret_codec = NULL;
    for (size_t i = 0; i < COUNT(known); i++) {
        size_t length = strlen(known[i].suffix);
        if (n <= length || strcmp(spec + n - length, known[i].suffix) != 0)
            continue;
        *ret_codec = known[i].codec;
        if (!*ret_codec)
            return error_at(error, -EINVAL, LEAT_SIDE_SINK, spec, "open",
                            "leat compresses archives to .gz and .zst; for %s, give tar:- to another program",
                            known[i].suffix);
    }
    return 0;
}

/* Finds the folder in which the archive is made. */
static void find_folder(const char *path, struct pack_target *ret)
{
    const char *slash = strrchr(path, '/');
    char *folder = strdup(slash ? path : ".");
    ret->base = slash ? slash + 1 : path;
    if (!folder)
        return;
    if (slash)
        folder[slash == path ? 1 : slash - path] = '\0';
    if (identity_of_path(&ret->folder, folder) < 0)
        ret->folder.kind = IDENTITY_NONE;
    free(folder);
}

/* Finds the file that the archive replaces, or goes to. */
static void find_target(const char *rest, struct pack_target *ret)
{
    const char *path = strncmp(rest, "file:", 5) == 0 ? rest + 5 : rest;
    if (strcmp(rest, "-") == 0) {
        identity_of_fd(&ret->identity, STDOUT_FILENO);
        return;
    }
    find_folder(path, ret);
    if (identity_of_path(&ret->identity, path) < 0)
        ret->identity.kind = IDENTITY_NONE;
}

static int copy(struct tree_copy *tree, const char *spec, const char *rest, const char *path, struct leat_error *error)
{
    struct pack_target target = {.name = spec};
    leat_endpoint *out;
    int r = read_suffix(spec, &target.codec, error);
    if (r == 0)
        r = pack_begin(tree, path, error);
    if (r < 0)
        return r;
    find_target(rest, &target);
    r = leat_endpoint_open(&out, rest, LEAT_WRITE, NULL, error);
    return r < 0 ? r : pack_tar(tree, out, &target, error);
}

const struct tree_sink sink_tar = {.scheme = "tar", .copy = copy};
