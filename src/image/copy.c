/* SPDX-License-Identifier: MIT */
#include "image/image.h"
#include "image/look.h"
#include "image/tree.h"
#include <errno.h>

struct copying {
    struct image_place *source, *target;
    struct leat_image_result result;
    struct leat_error *error;
    struct image_watch watch;
};

static int open_both(void *user, const struct descriptor *blob, struct image_way *way, struct leat_error *error)
{
    struct copying *c = user;
    const struct place_ops *target = c->target->ops;
    bool rest = c->source->ops->seeks && target->take_rest;
    int r = c->source->ops->open_blob(c->source, blob, &way->in, error);
    if (r == 0 && (r = (rest ? target->take_rest : target->take_blob)(c->target, blob, way, error)) < 0)
        leat_endpoint_close(way->in);
    return r;
}

/* Another copy may have written the same blob in the meantime. */
static bool came_meanwhile(struct copying *c, const struct descriptor *blob, bool is_manifest, int code)
{
    struct leat_error error = {.size = sizeof(error)};
    return (code == -EEXIST || code == -ESTALE) && c->target->ops->has(c->target, blob, is_manifest, &error) == 1;
}

/* The first failure ends the copy. */
static bool blob_done(void *user, const struct descriptor *blob, const struct leat_error *error)
{
    struct copying *c = user;
    if (came_meanwhile(c, blob, false, error->code)) {
        c->result.present++;
        c->result.present_bytes += blob->size;
        return true;
    }
    if (error->code == 0) {
        c->result.blobs++;
        c->result.bytes += blob->size;
    } else if (c->error->code == 0)
        *c->error = *error;
    return error->code == 0;
}

static int move_manifest(struct copying *c, const struct document *document)
{
    struct leat_error error = {.size = sizeof(error)};
    int r = c->target->ops->has(c->target, &document->self, true, &error);
    if (r == 0)
        r = c->target->ops->take_manifest(c->target, document, &error);
    c->result.manifests++;
    if (r == 1 || came_meanwhile(c, &document->self, true, r))
        return 0;
    if (r < 0)
        *c->error = error;
    return r;
}

/* Counts the blobs that the target has, and returns those that it lacks. */
static int find_missing(struct copying *c, const struct blobs *blobs, struct blobs *ret)
{
    enum image_look *found = calloc(blobs->count + 1, sizeof(*found));
    int r = found ? look_at(c->target, c->source, blobs, found, c->error) : -ENOMEM;
    for (size_t i = 0; i < blobs->count && r == 0; i++) {
        const struct descriptor *blob = &blobs->blob[i];
        if (found[i] == LOOK_MISSING) {
            r = blobs_add(ret, blob);
            c->watch.total += blob->size;
        } else if (found[i] == LOOK_PRESENT) {
            c->result.present++;
            c->result.present_bytes += blob->size;
        } else {
            c->result.mounted++;
            c->result.mounted_bytes += blob->size;
        }
    }
    c->watch.has_total = true;
    free(found);
    return r < 0 ? error_set(c->error, r, "out of memory") : watch_end(&c->watch, c->error);
}

static int move_all(struct copying *c, const struct tree *tree, size_t jobs)
{
    struct blobs missing = {.count = 0};
    int32_t retries = c->watch.options->retries;
    struct work work = {.blobs = &missing,
                        .most = jobs,
                        .retries = retries ? (unsigned)MAX(retries, 0) : 8,
                        .watch = &c->watch,
                        .user = c,
                        .open = open_both,
                        .done = blob_done};
    int r = find_missing(c, &tree->blobs, &missing);
    if (r == 0) {
        if (c->source->ops->prepare)
            c->source->ops->prepare(c->source, &missing);
        work_run(&work);
        r = c->error->code ? c->error->code : watch_end(&c->watch, c->error);
    }
    blobs_clear(&missing);
    for (size_t i = 0; i < tree->count && r == 0; i++)
        r = move_manifest(c, &tree->document[i]);
    return r == 0 ? c->target->ops->finish(c->target, &tree->document[tree->count - 1], c->error) : r;
}

static int copy(struct copying *c, size_t jobs)
{
    struct tree tree;
    int r = tree_read(&tree, c->source, c->error);
    if (r < 0)
        return r;
    if (c->target->ops->accepts)
        r = c->target->ops->accepts(c->target, &tree.document[tree.count - 1], c->error);
    if (r == 0)
        r = move_all(c, &tree, jobs);
    memcpy(c->result.digest, tree.document[tree.count - 1].self.digest, sizeof(c->result.digest));
    tree_clear(&tree);
    return r;
}

int image_copy_place(struct image_place *source, const char *target, const struct leat_image_options *options,
                     struct leat_error *error)
{
    struct leat_image_options own;
    struct leat_endpoint_options endpoint;
    struct copying c = {.error = error, .source = source, .result = {.size = sizeof(c.result)}};
    int r = image_options(&own, &endpoint, options, NULL, error);
    watch_begin(&c.watch, &own);
    source->options = &own;
    source->watch = &c.watch;
    if (r == 0)
        r = place_open(&c.target, target, &c.watch, true, error);
    if (r == 0)
        r = copy(&c, image_jobs(&own));
    place_free(c.target);
    return r;
}

int leat_image_copy(const char *source, const char *target, const struct leat_image_options *options,
                    struct leat_image_result *ret_result, struct leat_error *ret_error)
{
    struct leat_error error = {.size = sizeof(error)};
    struct leat_image_options own;
    struct leat_endpoint_options endpoint;
    struct copying c = {.error = &error, .result = {.size = sizeof(c.result)}};
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    r = image_options(&own, &endpoint, options, ret_result, &error);
    watch_begin(&c.watch, &own);
    if (r == 0)
        r = place_open(&c.source, source, &c.watch, false, &error);
    if (r == 0)
        r = place_open(&c.target, target, &c.watch, true, &error);
    if (r == 0)
        r = copy(&c, image_jobs(&own));
    place_free(c.source);
    place_free(c.target);
    if (r == 0 && ret_result)
        r = return_sized(ret_result, &c.result, sizeof(c.result));
    if (error.code && error.side != LEAT_SIDE_NONE)
        error_node(&error, error.side == LEAT_SIDE_SINK ? target : source);
    return error_return(ret_error, &error, r);
}
