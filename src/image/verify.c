/* SPDX-License-Identifier: MIT */
/* Compares each blob of a layout with its name. First come the blobs that the images refer to, with the sizes that the
 * images give, then the other blobs in the folders. */
#include "base/quote.h"
#include "image/image.h"
#include "image/tree.h"
#include <errno.h>
#include <stdio.h>

struct verifying {
    struct image_place *place;
    struct leat_image_options options;
    struct image_watch watch;
    struct leat_image_result result;
    struct leat_error *error;
};

static void tell(struct verifying *v, const char *digest, const struct leat_error *problem)
{
    struct leat_error told = *problem;
    error_node(&told, digest);
    v->result.problems++;
    if (v->error->code == 0)
        *v->error = *problem;
    if (v->options.problem)
        v->options.problem(v->options.user, &told);
}

/* A missing or wrong manifest is recorded as a problem, and the search goes on. */
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
    int r = v->place->ops->index(v->place, &index, v->error);
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

struct adding {
    const struct blobs *known;
    struct blobs *blobs;
};

/* Adds the blobs that no image refers to. */
static int add_other(void *user, const char *digest, uint64_t size)
{
    struct adding *a = user;
    struct descriptor found = {.size = size};
    if (blobs_find(a->known, digest))
        return 0;
    snprintf(found.digest, sizeof(found.digest), "%s", digest);
    return blobs_add(a->blobs, &found);
}

static int open_blob(void *user, const struct descriptor *blob, struct image_way *way, struct leat_error *error)
{
    struct verifying *v = user;
    int r = v->place->ops->open_blob(v->place, blob, &way->in, error);
    if (r == 0 && (r = leat_endpoint_open(&way->out, "null:", LEAT_WRITE, NULL, NULL)) < 0) {
        leat_endpoint_close(way->in);
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

static void set_total(struct verifying *v, const struct blobs *named, const struct blobs *others)
{
    for (size_t i = 0; i < named->count; i++)
        v->watch.total += named->blob[i].size;
    for (size_t i = 0; i < others->count; i++)
        v->watch.total += others->blob[i].size;
    v->watch.has_total = true;
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
    struct adding adding = {.known = &tree.blobs, .blobs = &others};
    if (r == 0 && v->place->ops->prepare)
        v->place->ops->prepare(v->place, &tree.blobs);
    if (r == 0 && v->place->ops->each)
        r = v->place->ops->each(v->place, add_other, &adding, v->error);
    struct work work = {.blobs = &tree.blobs,
                        .most = image_jobs(&v->options),
                        .user = v,
                        .watch = &v->watch,
                        .open = open_blob,
                        .done = blob_done};
    if (r == 0) {
        set_total(v, &tree.blobs, &others);
        work_run(&work);
    }
    work.blobs = &others;
    if (r == 0 && (r = watch_end(&v->watch, v->error)) == 0)
        work_run(&work);
    if (r == 0)
        r = watch_end(&v->watch, v->error);
    tree_clear(&tree);
    blobs_clear(&others);
    return r < 0 ? error_set(v->error, r, "out of memory") : v->error->code;
}

/* Verifies a whole layout or archive: a name without a tag. A name without a scheme is a folder. */
static int open_whole(struct verifying *v, const char *spec)
{
    const char *colon = strchr(spec, ':'), *name = colon ? colon + 1 : spec;
    if (!*name || strchr(name, ':') || strncmp(name, "//", 2) == 0)
        return error_set(v->error, -EINVAL,
                         "'%.80s' is no layout: write oci:DIRECTORY, oci-archive:FILE or "
                         "docker-archive:FILE, without a tag",
                         quote_without_login(spec));
    if (colon)
        return place_open(&v->place, spec, &v->watch, false, v->error);
    int r = place_layout(&v->place, spec, false, v->error);
    if (r == 0) {
        v->place->options = &v->options;
        v->place->watch = &v->watch;
    }
    return r;
}

int leat_image_verify(const char *layout, const struct leat_image_options *options,
                      struct leat_image_result *ret_result, struct leat_error *ret_error)
{
    struct leat_error error = {.size = sizeof(error)};
    struct leat_endpoint_options endpoint;
    struct verifying v = {.error = &error, .result = {.size = sizeof(v.result)}};
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    r = image_options(&v.options, &endpoint, options, ret_result, &error);
    watch_begin(&v.watch, &v.options);
    if (r == 0)
        r = open_whole(&v, layout);
    if (r == 0) {
        r = verify_all(&v);
        int told =
            ret_result && (r == 0 || v.result.problems) ? return_sized(ret_result, &v.result, sizeof(v.result)) : 0;
        r = r < 0 ? r : told;
    }
    place_free(v.place);
    if (error.code && error.side != LEAT_SIDE_NONE)
        error_node(&error, layout);
    return error_return(ret_error, &error, r);
}
