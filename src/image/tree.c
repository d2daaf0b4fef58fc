/* SPDX-License-Identifier: MIT */
#include "image/tree.h"
#include <errno.h>

#define DEPTH_MAX     4
#define DOCUMENTS_MAX 4096
#define BYTES_MAX     (64u * 1024 * 1024) /* of all of them */

/* Takes the document, also after a failure. */
static int keep(struct tree *tree, struct document *document, struct leat_error *error)
{
    if (tree->count == tree->capacity) {
        size_t capacity = tree->capacity ? tree->capacity * 2 : 8;
        struct document *grown = realloc(tree->document, capacity * sizeof(*grown));
        if (!grown) {
            document_clear(document);
            return error_set(error, -ENOMEM, "out of memory");
        }
        tree->document = grown;
        tree->capacity = capacity;
    }
    tree->bytes += document->length;
    tree->document[tree->count++] = *document;
    return 0;
}

static bool is_known(const struct tree *tree, const char *digest)
{
    for (size_t i = 0; i < tree->count; i++)
        if (strcmp(tree->document[i].self.digest, digest) == 0)
            return true;
    return false;
}

static int check_bounds(const struct tree *tree, size_t level, struct leat_error *error)
{
    if (level >= DEPTH_MAX)
        return error_set(error, -EBADMSG, "The index leads to others through more than %d levels", DEPTH_MAX);
    if (tree->count >= DOCUMENTS_MAX || tree->bytes >= BYTES_MAX)
        return error_set(error, -EBADMSG, "The index leads to more than %d manifests, or 64 MiB of them",
                         DOCUMENTS_MAX);
    return 0;
}

static int add(struct tree *tree, struct image_place *place, const struct descriptor *wanted, size_t level,
               struct leat_error *error);

/* Adds the configuration and the layers of a manifest, or the manifests of an index. Takes the document, also after a
 * failure. */
static int add_document(struct tree *tree, struct image_place *place, struct document *document, size_t level,
                        struct leat_error *error)
{
    struct descriptor part = {.size = 0};
    int r = 0, found;
    for (size_t i = 0; r == 0 && (found = document_part(document, i, &part)) != -ENOENT; i++) {
        if (found < 0)
            r = error_set(error, found, "%.80s: part %zu has no digest and size that can be taken",
                          document->self.digest, i);
        else if (document->is_index)
            r = add(tree, place, &part, level + 1, error);
        else if (blobs_add(&tree->blobs, &part) < 0)
            r = error_set(error, -ENOMEM, "out of memory");
    }
    if (r == 0)
        return keep(tree, document, error);
    document_clear(document);
    return r;
}

static int add(struct tree *tree, struct image_place *place, const struct descriptor *wanted, size_t level,
               struct leat_error *error)
{
    struct document document = {.bytes = NULL};
    if (is_known(tree, wanted->digest))
        return 0;
    int r = check_bounds(tree, level, error);
    if (r == 0)
        r = place_read(place, wanted, &document, error);
    return r == 0 ? add_document(tree, place, &document, level, error) : r;
}

int tree_add(struct tree *tree, struct image_place *place, const struct descriptor *top, struct leat_error *error)
{
    return add(tree, place, top, 0, error);
}

int tree_unite(struct tree *tree, struct leat_error *error)
{
    int r = blobs_unite(&tree->blobs);
    return r < 0 ? error_set(error, r, "The manifests name a blob with two sizes") : 0;
}

int tree_top(struct image_place *place, struct document *ret, struct leat_error *error)
{
    struct platform_name platform;
    struct descriptor chosen;
    int r = platform_parse(&platform, place->options->platform);
    if (r < 0)
        return error_set(error, r, "'%.60s' is no platform: write OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT",
                         place->options->platform);
    r = place_read(place, NULL, ret, error);
    for (size_t level = 0; r == 0 && ret->is_index && !place->options->all; level++) {
        r = document_choose(ret, &platform, &chosen);
        document_clear(ret);
        if (r == -ENOENT)
            return error_set(error, r, "The index has no image for %s/%s%s%s", platform.os, platform.architecture,
                             platform.variant[0] ? "/" : "", platform.variant);
        if (r < 0 || level >= DEPTH_MAX)
            return error_set(error, -EBADMSG, "The index can't be followed");
        r = place_read(place, &chosen, ret, error);
    }
    return r;
}

int tree_read(struct tree *ret, struct image_place *place, struct leat_error *error)
{
    struct document top = {.bytes = NULL};
    *ret = (struct tree){.count = 0};
    int r = tree_top(place, &top, error);
    if (r == 0)
        r = add_document(ret, place, &top, 0, error);
    if (r == 0)
        r = tree_unite(ret, error);
    if (r < 0)
        tree_clear(ret);
    return r;
}

void tree_clear(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        document_clear(&tree->document[i]);
    free(tree->document);
    blobs_clear(&tree->blobs);
    *tree = (struct tree){.count = 0};
}
