/* SPDX-License-Identifier: MIT */
/* A bucket, or what is below a prefix in it, as the source of a tree: each key is a path. */
#include "store/metadata.h"
#include "tree/ends/listing.h"
#include "tree/ends/s3.h"
#include "tree/tree.h"
#include <fcntl.h>

struct source_s3 {
    struct s3_bucket *bucket;
    struct tree_listing *listing; /* the walker's */
    struct tree_object *now;      /* the walker's: the name that was given last, if its mark is not its owner */
};

static int open_root(struct tree_copy *tree, const char *spec, const char *rest, struct leat_error *error)
{
    struct source_s3 *s = tree->source_state = calloc(1, sizeof(*s));
    if (!s)
        return error_set(error, -ENOMEM, "out of memory");
    int r = s3_bucket_open(&s->bucket, spec, rest, tree->options.endpoint, s3_is_wanted, tree, error);
    return r < 0 ? s3_fail_open(error, LEAT_SIDE_SOURCE, spec) : 0;
}

static void close_root(struct tree_copy *tree)
{
    struct source_s3 *s = tree->source_state;
    if (s)
        s3_bucket_free(s->bucket);
    free(s);
}

struct s3_bucket *source_s3_bucket(const struct tree_copy *tree)
{
    return tree->source == &source_s3 ? ((const struct source_s3 *)tree->source_state)->bucket : NULL;
}

/* ---- names ---- */

static int begin(struct tree_copy *tree, struct tree_dir *dir)
{
    struct source_s3 *s = tree->source_state;
    int r = listing_begin(&s->listing, tree, s->bucket);
    return r < 0 ? tree_problem(tree, dir, NULL, LEAT_SIDE_SOURCE, r, "list", NULL) : 0;
}

static void end(struct tree_copy *tree)
{
    struct source_s3 *s = tree->source_state;
    listing_end(s->listing);
    free(s->now);
}

/* Programs that show keys as folders make an empty object for one that has nothing in it: its key ends in a slash.
 * Returns where that slash is; 0: it is the object of a file. */
static size_t find_folder_end(const struct tree_object *object)
{
    size_t n = strlen(object->key);
    return object->bytes == 0 && n > 0 && object->key[n - 1] == '/' ? n - 1 : 0;
}

/* With all attributes, the object of a folder says what the folder has. Of an object of another program nothing may be
 * known; then `ret` stays as it is. */
static int describe_folder(struct tree_copy *tree, struct tree_dir *dir, const char *key, struct stat *ret)
{
    const struct source_s3 *s = tree->source_state;
    struct leat_error error = {.size = sizeof(error)};
    struct metadata metadata;
    struct stat st = {.st_uid = (uid_t)-1, .st_gid = (gid_t)-1};
    if (tree->options.keep != LEAT_TREE_ALL)
        return 0;
    int r = s3_bucket_describe(s->bucket, key, &metadata, &error);
    if (r < 0)
        return tree_problem(tree, dir, key[0] ? key : NULL, LEAT_SIDE_SOURCE, r, "HEAD", "%s", error.text);
    st.st_atim.tv_nsec = UTIME_NOW;
    metadata_to_stat(&metadata, &st);
    if (S_ISDIR(st.st_mode) && metadata.value[METADATA_MTIME][0])
        *ret = st;
    return 0;
}

/* Takes the next object of the list; the one of the prefix itself stands for the folder that is copied. Returns 1; 0:
 * there is none; or a code after it has recorded the problem. */
static int take_object(struct tree_copy *tree, struct tree_dir *dir)
{
    struct source_s3 *s = tree->source_state;
    struct leat_error error = {.size = sizeof(error)};
    for (;;) {
        int r = listing_next(s->listing, &s->now, &error);
        if (r < 0)
            return tree_problem(tree, dir, NULL, LEAT_SIDE_SOURCE, r, error.operation, "%s", error.text);
        if (r == 0 || s->now->key[0])
            return r;
        if (s->now->bytes == 0)
            describe_folder(tree, dir, "", &dir->st); /* it has recorded the problem */
        free(s->now);
        s->now = NULL;
    }
}

static int next(struct tree_copy *tree, struct tree_dir *dir, struct tree_found *ret)
{
    struct source_s3 *s = tree->source_state;
    free(s->now);
    s->now = NULL;
    int r = take_object(tree, dir);
    if (r <= 0 || !s->now)
        return r;
    size_t folder_end = find_folder_end(s->now);
    *ret = (struct tree_found){.name = s->now->key, .kind = folder_end ? S_IFDIR : S_IFREG};
    if (folder_end) {
        describe_folder(tree, dir, s->now->key, &ret->st); /* it has recorded the problem */
        s->now->key[folder_end] = '\0';
    } else {
        ret->mark = s->now;
        s->now = NULL;
    }
    return 1;
}

static void drop(struct tree_copy *tree UNUSED, void *mark)
{
    free(mark);
}

/* ---- objects ---- */

/* The owner is not known, nor the mode, before the metadata is. */
static void stat_of(const struct tree_object *object, struct stat *ret)
{
    bool has_time = object->modified_s != LEAT_STORE_TIME_UNKNOWN;
    const struct timespec now = {.tv_nsec = UTIME_NOW};
    *ret = (struct stat){.st_nlink = 1, .st_uid = (uid_t)-1, .st_gid = (gid_t)-1, .st_size = (off_t)object->bytes};
    ret->st_atim = now;
    ret->st_mtim = has_time ? (struct timespec){.tv_sec = (time_t)object->modified_s} : now;
}

static int look(struct tree_copy *tree UNUSED, const struct tree_dir *dir UNUSED, const char *name UNUSED, void *mark,
                struct stat *ret)
{
    stat_of(mark, ret);
    ret->st_mode = S_IFREG;
    return 0;
}

static int file_open(struct tree_copy *tree, const struct tree_dir *dir, const char *name, struct tree_input *ret)
{
    struct source_s3 *s = tree->source_state;
    struct tree_object *object = ret->mark;
    struct leat_error error = {.size = sizeof(error)};
    stat_of(object, &ret->st);
    int r = s3_bucket_endpoint(s->bucket, object->key, LEAT_READ, NULL, &ret->endpoint, &error);
    return r < 0 ? tree_problem(tree, dir, name, LEAT_SIDE_SOURCE, r, "open", "%s", error.text) : 0;
}

static int file_read(struct tree_copy *tree UNUSED, const struct tree_dir *dir UNUSED, const char *name UNUSED,
                     struct tree_input *input)
{
    struct metadata metadata;
    store_source_metadata(input->endpoint, &metadata);
    metadata_to_stat(&metadata, &input->st);
    return 0;
}

static void file_close(struct tree_copy *tree UNUSED, struct tree_input *input)
{
    leat_endpoint_close(input->endpoint);
    input->endpoint = NULL;
}

const struct tree_source source_s3 = {
    .scheme = "s3",
    .is_flat = true,
    .jobs = S3_JOBS,
    .open = open_root,
    .close = close_root,
    .begin = begin,
    .next = next,
    .end = end,
    .drop = drop,
    .look = look,
    .file_open = file_open,
    .file_read = file_read,
    .file_close = file_close,
};
