/* Each blob of a layout is compared with its name. First come those that the images name, with the sizes that are said
 * of them, then what else lies in the folders. */
#include "image/image.h"
#include "image/layout.h"
#include "image/tree.h"
#include "store/oci/reference.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

struct verifying {
    const char *directory;
    struct place *place;
    struct leat_image_options options;
    struct leat_image_result result;
    struct leat_error *error;
};

static void tell(struct verifying *v, const char *digest, const struct leat_error *problem)
{
    struct leat_error told = *problem;
    told.node = digest;
    v->result.problems++;
    if (v->error->code == 0)
        *v->error = *problem;
    if (v->options.problem)
        v->options.problem(v->options.user, &told);
}

/* A manifest that is missing or wrong is a problem like any other, and the search goes on. */
static void add_manifest(struct verifying *v, struct tree *tree, const struct descriptor *top)
{
    struct leat_error error = {.size = sizeof(error)};
    if (tree_add(tree, v->place, top, &error) < 0)
        tell(v, top->digest, &error);
}

static int read_index(struct verifying *v, struct tree *tree)
{
    json_t *index, *entry;
    size_t i;
    struct descriptor top;
    int r = layout_index(v->directory, &index, v->error);
    if (r < 0)
        return r;
    json_array_foreach(json_object_get(index, "manifests"), i, entry)
    {
        struct leat_error error = {.size = sizeof(error)};
        if (descriptor_read(&top, entry) == 0)
            add_manifest(v, tree, &top);
        else {
            error_set(&error, -EBADMSG, "Entry %zu of index.json has no digest and size that can be taken", i);
            tell(v, "", &error);
        }
    }
    json_decref(index);
    return 0;
}

/* A file in a folder of blobs that no manifest names has the size that it has. `digest` is valid. */
static int add_file(struct verifying *v, struct blobs *blobs, const char *digest)
{
    struct descriptor found = {.size = 0};
    struct stat st;
    char *path = layout_blob_path(v->directory, digest);
    if (!path)
        return -ENOMEM;
    found.size = lstat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    memcpy(found.digest, digest, strlen(digest) + 1);
    free(path);
    return blobs_add(blobs, &found);
}

static int add_folder(struct verifying *v, const struct blobs *known, struct blobs *blobs, const char *algorithm)
{
    char *path = malloc(strlen(v->directory) + 32);
    if (!path)
        return -ENOMEM;
    sprintf(path, "%s/blobs/%.6s", v->directory, algorithm);
    DIR *folder = opendir(path);
    free(path);
    int r = 0;
    for (struct dirent *entry; folder && r == 0 && (entry = readdir(folder));) {
        char digest[512];
        snprintf(digest, sizeof(digest), "%.6s:%s", algorithm, entry->d_name);
        if (oci_digest_is_valid(digest) && !blobs_find(known, digest))
            r = add_file(v, blobs, digest);
    }
    if (folder)
        closedir(folder);
    return r;
}

static int open_blob(void *user, const struct descriptor *blob, leat_endpoint **ret_in, leat_endpoint **ret_out,
                     struct leat_error *error)
{
    struct verifying *v = user;
    int r = v->place->ops->open_blob(v->place, blob, ret_in, error);
    if (r == 0 && (r = leat_endpoint_open(ret_out, "null:", LEAT_WRITE, NULL, NULL)) < 0) {
        leat_endpoint_close(*ret_in);
        error_set(error, r, "/dev/null can't be opened");
    }
    return r;
}

static bool blob_done(void *user, const struct descriptor *blob, const struct leat_error *error)
{
    struct verifying *v = user;
    if (error->code)
        tell(v, blob->digest, error);
    else {
        v->result.blobs++;
        v->result.bytes += blob->size;
    }
    return true;
}

static int verify_all(struct verifying *v)
{
    struct tree tree = {.count = 0};
    struct blobs others = {.count = 0};
    int r = read_index(v, &tree);
    for (size_t i = 0; i < tree.count && r == 0; i++)
        r = blobs_add(&tree.blobs, &tree.document[i].self);
    v->result.manifests = tree.count;
    if (r == 0)
        r = tree_unite(&tree, v->error);
    if (r == 0)
        r = add_folder(v, &tree.blobs, &others, "sha256");
    if (r == 0)
        r = add_folder(v, &tree.blobs, &others, "sha512");
    struct work work = {
        .blobs = &tree.blobs, .most = image_jobs(&v->options), .user = v, .open = open_blob, .done = blob_done};
    if (r == 0)
        work_run(&work);
    work.blobs = &others;
    if (r == 0)
        work_run(&work);
    tree_clear(&tree);
    blobs_clear(&others);
    return r < 0 ? error_set(v->error, r, "out of memory") : v->error->code;
}

int leat_image_verify(const char *layout, const struct leat_image_options *options, struct leat_image_result *ret,
                      struct leat_error *ret_error)
{
    struct leat_error error = {.size = sizeof(error)};
    struct verifying v = {.error = &error, .result = {.size = sizeof(v.result)}};
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    v.directory = strncmp(layout, "oci:", 4) == 0 ? layout + 4 : layout;
    r = image_options(&v.options, options, ret, &error);
    if (r == 0 && (!v.directory[0] || strchr(v.directory, ':')))
        r = error_set(&error, -EINVAL, "'%.80s' is no layout: write oci:DIRECTORY, without a tag", layout);
    if (r == 0)
        r = place_layout(&v.place, v.directory, false, &error);
    if (r == 0) {
        v.place->options = &v.options;
        r = verify_all(&v);
        int told = ret ? return_sized(ret, &v.result, sizeof(v.result)) : 0;
        r = r < 0 ? r : told;
    }
    place_free(v.place);
    if (error.code && error.side != LEAT_SIDE_NONE)
        error.node = layout;
    return error_return(ret_error, &error, r);
}
