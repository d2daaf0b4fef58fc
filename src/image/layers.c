/* SPDX-License-Identifier: MIT */
#include "image/layers.h"
#include "base/fd.h"
#include "image/image.h"
#include "image/tree.h"
#include <errno.h>
#include <sys/stat.h>

struct image_layers {
    struct leat_image_options options;
    struct leat_endpoint_options endpoint;
    struct image_watch watch;
    struct image_place *place;
    struct document document;
    bool has_document;
    size_t count;
    bool (*is_wanted)(void *user);
    void *user;
};

static int on_progress(void *user, const struct leat_progress *now UNUSED)
{
    const struct image_layers *layers = user;
    return !layers->is_wanted(layers->user);
}

/* The configuration is part 0. */
static int count_layers(struct image_layers *layers, struct leat_error *error)
{
    struct descriptor part;
    int r;
    if (layers->document.is_index)
        return error_set(error, -EBADMSG, "It is an index, and no image");
    while ((r = document_part(&layers->document, layers->count + 1, &part)) == 0)
        layers->count++;
    return r == -ENOENT ? 0 : error_set(error, r, "A layer has no digest and size that can be taken");
}

static int prepare(struct image_layers *layers, struct leat_error *error)
{
    struct descriptor part;
    struct blobs blobs = {.count = 0};
    int r = 0;
    if (!layers->place->ops->prepare)
        return 0;
    for (size_t i = 1; i <= layers->count && r == 0; i++)
        if ((r = document_part(&layers->document, i, &part)) == 0)
            r = blobs_add(&blobs, &part);
    if (r == 0)
        r = blobs_unite(&blobs);
    if (r == 0)
        layers->place->ops->prepare(layers->place, &blobs);
    blobs_clear(&blobs);
    return r < 0 ? error_set(error, r, "The layers can't be listed") : 0;
}

static int find(struct image_layers *layers, const char *spec, struct leat_error *error)
{
    struct leat_image_options asked = LEAT_INIT(struct leat_image_options);
    asked.progress = on_progress;
    asked.user = layers;
    int r = image_options(&layers->options, &layers->endpoint, &asked, NULL, error);
    watch_begin(&layers->watch, &layers->options);
    if (r == 0)
        r = place_open(&layers->place, spec, &layers->watch, false, error);
    if (r == 0)
        r = tree_top(layers->place, &layers->document, error);
    if (r < 0)
        return r;
    layers->has_document = true;
    r = count_layers(layers, error);
    return r < 0 ? r : prepare(layers, error);
}

int image_layers_open(struct image_layers **ret, const char *spec, bool (*is_wanted)(void *user), void *user,
                      struct leat_error *error)
{
    struct image_layers *layers = calloc(1, sizeof(*layers));
    if (!layers)
        return error_set(error, -ENOMEM, "out of memory");
    layers->is_wanted = is_wanted;
    layers->user = user;
    int r = find(layers, spec, error);
    if (r < 0) {
        image_layers_close(layers);
        return r;
    }
    *ret = layers;
    return 0;
}

size_t image_layers_count(const struct image_layers *layers)
{
    return layers->count;
}

/* Moves the blob to the open file. */
static int move(struct image_layers *layers, const struct descriptor *part, int fd, struct leat_error *error)
{
    leat_endpoint *in, *out;
    struct stat st;
    int r = layers->place->ops->open_blob(layers->place, part, &in, error);
    if (r < 0)
        return r;
    if ((r = leat_endpoint_from_fd(&out, fd, LEAT_BORROW)) < 0) {
        leat_endpoint_close(in);
        return error_set(error, r, "out of memory");
    }
    r = place_move(&layers->watch, in, out, part->digest, NULL, part->digest, error);
    if (r == 0 && (fstat(fd, &st) < 0 || (uint64_t)st.st_size != part->size))
        r = error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "verify",
                     "%.80s does not have the size that the manifest says", part->digest);
    return r;
}

int image_layers_take(struct image_layers *layers, size_t i, struct leat_error *error)
{
    struct descriptor part;
    char text[128];
    int r = document_part(&layers->document, i + 1, &part);
    if (r < 0)
        return error_set(error, r, "There is no layer %zu", i);
    int fd = fd_unnamed();
    if (fd < 0)
        return error_set(error, fd, "A file for the time of the copy: %s", error_text(fd, text, sizeof(text)));
    r = move(layers, &part, fd, error);
    if (r == 0)
        return fd;
    fd_close(fd);
    return r;
}

void image_layers_close(struct image_layers *layers)
{
    if (!layers)
        return;
    if (layers->has_document)
        document_clear(&layers->document);
    place_free(layers->place);
    free(layers);
}
