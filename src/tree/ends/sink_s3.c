/* SPDX-License-Identifier: MIT */
/* A bucket, or what is below a prefix in it, as the target of a tree: each path is a key. An object has bytes and, as
 * metadata, the time and the mode of the file. A folder is nothing but a part of keys; one that has no names is an
 * empty object whose key ends in a slash. */
#include "base/platform.h"
#include "store/metadata.h"
#include "tree/ends/listing.h"
#include "tree/ends/s3.h"
#include "tree/tree.h"
#include <stdio.h>

static bool has_start(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* The list of the source would have what is copied, and never end. */
static int check_source(const struct tree_copy *tree, const struct s3_bucket *to, struct leat_error *error)
{
    const struct s3_bucket *from = source_s3_bucket(tree);
    if (!from || strcmp(s3_bucket_name(from), s3_bucket_name(to)) != 0 ||
        !has_start(s3_bucket_prefix(to), s3_bucket_prefix(from)))
        return 0;
    return error_set(error, -EINVAL, "The target is the source, or is inside of it");
}

static int open_root(struct tree_copy *tree, const char *spec, const char *rest, struct leat_error *error)
{
    struct s3_bucket *bucket = NULL;
    int r = s3_bucket_open(&bucket, spec, rest, tree->options.endpoint, s3_is_wanted, tree, error);
    tree->sink_state = bucket;
    if (r == 0)
        r = check_source(tree, bucket, error);
    if (r == 0)
        r = s3_bucket_look(bucket, error);
    return r < 0 ? s3_fail_open(error, LEAT_SIDE_SINK, spec) : 0;
}

static void close_root(struct tree_copy *tree)
{
    s3_bucket_free(tree->sink_state);
}

static int fail(struct tree_copy *tree, const struct tree_dir *dir, const char *name, int code,
                const struct leat_error *error)
{
    return tree_problem(tree, dir, name, LEAT_SIDE_SINK, code, error->operation[0] ? error->operation : "open",
                        error->text[0] ? "%s" : NULL, error->text);
}

/* ---- what an object can't have ---- */

struct s3_losing {
    struct tree_copy *tree;
    const struct tree_dir *dir;
    const char *name;
    int code;
};

static int lose(struct s3_losing *l, const char *what)
{
    int r = ends_lose(l->tree, l->dir, l->name, -EOPNOTSUPP, "PUT", what);
    l->code = r < 0 ? r : l->code;
    return 0;
}

static int lose_attribute(void *user, const char *name, const void *value UNUSED, size_t n UNUSED)
{
    char what[300];
    snprintf(what, sizeof(what), "its attribute '%s'", name);
    return lose(user, what);
}

/* Returns 0, or the code of the first loss that is a problem. */
static int lose_attributes(struct tree_copy *tree, const struct tree_dir *dir, const char *name, int fd)
{
    struct s3_losing losing = {.tree = tree, .dir = dir, .name = name};
    const struct platform_file file = {.fd = fd};
    unsigned flags = 0;
    if (fd < 0 || tree->options.keep != LEAT_TREE_ALL)
        return 0;
    platform.attributes_each(&file, lose_attribute, &losing);
    if (platform.flags_get(fd, &flags) == 0 && flags)
        lose(&losing, "its flags");
    return losing.code;
}

/* ---- folders ---- */

/* The object of a folder, whose key ends in a slash: of one that has nothing in it, and with all attributes of each
 * folder whose attributes are known. The root has one if the prefix is its name. */
static int dir_end(struct tree_copy *tree, struct tree_dir *dir)
{
    struct leat_error error = {.size = sizeof(error)};
    struct metadata metadata;
    bool has_attributes = tree->options.keep == LEAT_TREE_ALL && dir->st.st_mode;
    bool has_object = dir->parent ? has_attributes || !dir->has_names
                                  : has_attributes && s3_bucket_prefix(tree->sink_state)[0] != '\0';
    if (!has_object)
        return 0;
    lose_attributes(tree, dir, NULL, dir->fd[SOURCE]); /* it has recorded what was not kept */
    metadata_of_stat(&metadata, &dir->st, true);
    char *key CLEANUP_FREE = dir_path(dir, "");
    int r = key ? s3_bucket_touch(tree->sink_state, key, has_attributes ? &metadata : NULL, &error) : -ENOMEM;
    return r < 0 ? fail(tree, dir, NULL, r, &error) : 0;
}

/* ---- files ---- */

/* An object of the source tells its metadata late, with its bytes: so it is asked. */
static int describe(const struct tree_copy *tree, const struct tree_input *input, struct metadata *ret,
                    struct leat_error *error)
{
    struct s3_bucket *from = source_s3_bucket(tree);
    const struct tree_object *object = input->mark;
    if (from)
        return s3_bucket_describe(from, object->key, ret, error);
    metadata_of_stat(ret, &input->st, tree->options.keep == LEAT_TREE_ALL);
    return 0;
}

static int file_open(struct tree_copy *tree, struct tree_dir *dir, const char *name, const struct tree_input *input,
                     struct tree_output *ret)
{
    struct leat_error error = {.size = sizeof(error)};
    struct metadata metadata;
    char *key CLEANUP_FREE = dir_path(dir, name);
    int r = describe(tree, input, &metadata, &error);
    if (r < 0)
        return fail(tree, dir, name, r, &error);
    r = key ? s3_bucket_endpoint(tree->sink_state, key, LEAT_WRITE, &metadata, &ret->endpoint, &error) : -ENOMEM;
    return r < 0 ? fail(tree, dir, name, r, &error) : 0;
}

/* The pipeline has made the object, or has left nothing of it. */
static int file_end(struct tree_copy *tree, struct tree_dir *dir, const char *name, const struct tree_input *input,
                    struct tree_output *output, int code)
{
    leat_endpoint_close(output->endpoint);
    if (code == 0)
        lose_attributes(tree, dir, name, input->fd); /* it has recorded what was not kept */
    return code;
}

static int file_take(struct tree_copy *tree, struct tree_dir *dir, const char *name, struct tree_input *input)
{
    struct s3_bucket *from = source_s3_bucket(tree);
    struct leat_error error = {.size = sizeof(error)};
    if (!from)
        return 1;
    const struct tree_object *object = input->mark;
    char *key CLEANUP_FREE = dir_path(dir, name);
    int r =
        key ? s3_bucket_copy(from, object->key, object->etag[0] ? object->etag : NULL, tree->sink_state, key, &error)
            : -ENOMEM;
    return r < 0 ? fail(tree, dir, name, r, &error) : r;
}

const struct tree_sink sink_s3 = {
    .scheme = "s3",
    .jobs = S3_JOBS,
    .has_keys = true,
    .open = open_root,
    .close = close_root,
    .dir_end = dir_end,
    .file_open = file_open,
    .file_end = file_end,
    .file_take = file_take,
};
