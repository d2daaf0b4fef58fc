/* SPDX-License-Identifier: MIT */
/* A place that is an archive of docker save. As a target it gets layers that are not compressed: each is decompressed
 * while it is copied, and is compared with its digest in the configuration, before the archive is written.
 *
 * This file is longer than 400 lines: a source and a target are one place, with one way to read the names in it. */
#include "image/archive_docker.h"
#include "base/json.h"
#include "image/archive_target.h"
#include "image/index.h"
#include "image/place.h"
#include <errno.h>
#include <stdio.h>

#define CONFIG_MAX      (4u * 1024 * 1024)
#define NAME_MAX_LENGTH (LEAT_IMAGE_DIGEST_MAX + 8)

struct docker_archive {
    struct image_place place;
    char *path;
    char *name; /* as docker_name returns it; NULL: none */
    struct tar tar;
    struct docker_image *image; /* for a source: the images that were read */
    size_t images;
    struct archive_target target;
};

/* ---- as a source ---- */

/* Reads one more image, and returns its manifest. */
static int add_image(struct docker_archive *d, json_t *entry, struct descriptor *ret, struct leat_error *error)
{
    struct docker_image *grown = realloc(d->image, (d->images + 1) * sizeof(*grown));
    if (!grown)
        return error_set(error, -ENOMEM, "out of memory");
    d->image = grown;
    int r = docker_image(&d->tar, entry, &grown[d->images], error);
    if (r == 0)
        *ret = grown[d->images++].self;
    return r;
}

static int docker_find(struct image_place *place, char *ret, size_t capacity, struct descriptor *ret_self,
                       struct leat_error *error)
{
    struct docker_archive *d = (struct docker_archive *)place;
    json_t *list = NULL, *entry;
    int r = docker_list(&d->tar, &list, error);
    if (r == 0)
        r = docker_choose(list, d->name, d->path, &entry, error);
    if (r == 0)
        r = add_image(d, entry, ret_self, error);
    json_decref(list);
    if (r == 0)
        snprintf(ret, capacity, "%s", ret_self->digest);
    return r;
}

static int docker_index(struct image_place *place, json_t **ret, struct leat_error *error)
{
    struct docker_archive *d = (struct docker_archive *)place;
    json_t *list = NULL, *entry, *index = NULL;
    struct descriptor self;
    size_t i;
    int r = docker_list(&d->tar, &list, error);
    json_array_foreach(list, i, entry)
    {
        if ((r = add_image(d, entry, &self, error)) < 0)
            break;
        json_t *longer = index_with(index, &self, NULL);
        json_decref(index);
        index = longer;
        if (!index) {
            r = error_set(error, -ENOMEM, "out of memory");
            break;
        }
    }
    json_decref(list);
    if (r == 0 && !index)
        r = error_set(error, -ENOENT, "%.100s has no image", d->path);
    if (r < 0)
        json_decref(index);
    else
        *ret = index;
    return r;
}

/* Returns the entry with this digest, or NULL. */
static const struct tar_entry *entry_of(const void *user, const char *digest)
{
    const struct docker_archive *d = user;
    for (size_t i = 0; i < d->images; i++)
        for (size_t k = 0; k < d->image[i].parts; k++)
            if (strcmp(d->image[i].part[k].digest, digest) == 0)
                return d->image[i].part[k].entry;
    return NULL;
}

static void docker_prepare(struct image_place *place, const struct blobs *blobs)
{
    tar_keep(&((struct docker_archive *)place)->tar, blobs, entry_of, place);
}

static int open_part(struct docker_archive *d, const char *digest, leat_endpoint **ret, struct leat_error *error)
{
    const struct tar_entry *entry = entry_of(d, digest);
    for (size_t i = 0; i < d->images; i++)
        if (strcmp(digest, d->image[i].self.digest) == 0) {
            int r = leat_endpoint_from_memory(ret, d->image[i].manifest, (size_t)d->image[i].self.size);
            return r < 0 ? error_set(error, r, "out of memory") : 0;
        }
    return entry ? tar_source(ret, &d->tar, entry, error)
                 : error_set(error, -ENOENT, "%.100s has no %.80s", d->path, digest);
}

static int docker_open_manifest(struct image_place *place, const char *reference, leat_endpoint **ret,
                                struct leat_error *error)
{
    return open_part((struct docker_archive *)place, reference, ret, error);
}

static int docker_open_blob(struct image_place *place, const struct descriptor *blob, leat_endpoint **ret,
                            struct leat_error *error)
{
    return open_part((struct docker_archive *)place, blob->digest, ret, error);
}

static int by_digest(const void *a, const void *b)
{
    const struct docker_part *x = *(const struct docker_part *const *)a, *y = *(const struct docker_part *const *)b;
    int order = strcmp(x->digest, y->digest);
    return order ? order : (x->entry > y->entry) - (x->entry < y->entry);
}

static int compare_part(const struct docker_archive *d, const struct docker_part *part, struct leat_error *error)
{
    leat_endpoint *in = NULL, *out = NULL;
    int r = tar_source(&in, &d->tar, part->entry, error);
    if (r == 0 && (r = leat_endpoint_open(&out, "null:", LEAT_WRITE, NULL, NULL)) < 0) {
        leat_endpoint_close(in);
        error_set(error, r, "/dev/null can't be opened");
    }
    return r < 0 ? r : place_move(d->place.watch, in, out, part->digest, NULL, part->entry->name, error);
}

/* If the configurations give several files the same digest, only the first of them is opened later. So all of them are
 * compared here. */
static int docker_each(struct image_place *place, int (*add)(void *user, const char *digest, uint64_t size) UNUSED,
                       void *user UNUSED, struct leat_error *error)
{
    const struct docker_archive *d = (const struct docker_archive *)place;
    size_t n = 0;
    for (size_t i = 0; i < d->images; i++)
        n += d->image[i].parts;
    const struct docker_part **part = calloc(n + 1, sizeof(void *));
    if (!part)
        return error_set(error, -ENOMEM, "out of memory");
    n = 0;
    for (size_t i = 0; i < d->images; i++)
        for (size_t k = 0; k < d->image[i].parts; k++)
            part[n++] = &d->image[i].part[k];
    qsort(part, n, sizeof(void *), by_digest);
    int r = 0;
    for (size_t i = 1, first = 0, compared = n; i < n && r == 0; i++) {
        if (strcmp(part[first]->digest, part[i]->digest) != 0)
            first = i;
        else if (part[i - 1]->entry != part[i]->entry) {
            r = compared == first ? 0 : compare_part(d, part[first], error);
            compared = first;
            r = r == 0 ? compare_part(d, part[i], error) : r;
        }
    }
    free(part);
    return r;
}

/* ---- as a target ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static const char *codec_of(const char *type)
{
    if (ends_with(type, ".tar+gzip") || ends_with(type, ".tar.gzip"))
        return "gunzip";
    return ends_with(type, ".tar+zstd") ? "unzstd" : NULL;
}

static int docker_accepts(struct image_place *place UNUSED, const struct document *top, struct leat_error *error)
{
    struct descriptor part;
    if (top->is_index)
        return error_set(error, -EINVAL, "An archive of docker takes one image, and this is an index");
    for (size_t i = 1; document_part(top, i, &part) == 0; i++)
        if (!codec_of(part.type) && !ends_with(part.type, ".tar"))
            return error_set(error, -EINVAL, "Layer %zu is '%.80s', which an archive of docker can't have", i,
                             part.type);
    return 0;
}

static int docker_has(struct image_place *place UNUSED, const struct descriptor *blob UNUSED, bool is_manifest UNUSED,
                      struct leat_error *error UNUSED)
{
    return 0;
}

static int docker_take_blob(struct image_place *place, const struct descriptor *blob, struct image_way *way,
                            struct leat_error *error)
{
    struct taken *taken;
    int r = archive_target_blob(&((struct docker_archive *)place)->target, blob, &way->out, &taken, error);
    if (r < 0)
        return r;
    way->codec = codec_of(blob->type);
    way->digest = taken->digest;
    return 0;
}

static int docker_take_manifest(struct image_place *place, const struct document *document, struct leat_error *error)
{
    return archive_target_manifest(&((struct docker_archive *)place)->target, document, error);
}

static int read_config(const struct taken *taken, json_t **ret, struct leat_error *error)
{
    json_error_t problem;
    size_t size = (size_t)MIN(taken->bytes.size, (uint64_t)CONFIG_MAX + 1), n = 0;
    char *bytes = size <= CONFIG_MAX ? malloc(size + 1) : NULL;
    ssize_t got = bytes ? 1 : 0;
    while (got > 0 && n < size) {
        got = spool_read(&taken->bytes, n, bytes + n, size - n);
        n += got > 0 ? (size_t)got : 0;
    }
    *ret = n && n == size ? json_loadb(bytes, n, 0, &problem) : NULL;
    free(bytes);
    if (got < 0)
        return error_set(error, (int)got, "The configuration can't be read again");
    return *ret ? 0
                : error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "read", "The configuration %.80s is no JSON",
                           taken->blob.digest);
}

/* Checks that each layer is the one that the configuration names. */
static int compare_layers(const struct docker_archive *d, const struct document *top, json_t *config,
                          struct leat_error *error)
{
    struct descriptor part;
    size_t count = json_array_size(json_object_get(top->json, "layers"));
    json_t *diffs;
    int r = docker_diffs(config, count, &diffs, error);
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = document_part(top, i + 1, &part);
        const struct taken *layer = r == 0 ? archive_target_find(&d->target, part.digest) : NULL;
        const char *expected = json_string_value(json_array_get(diffs, i));
        if (!layer || strcmp(layer->digest, expected) != 0)
            r = error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "verify",
                         "Layer %zu is %.20s..., and not %.20s..., as the configuration says", i + 1,
                         layer ? layer->digest : "missing", expected);
    }
    return r;
}

/* Writes "HEX.tar" for the digest "sha256:HEX". */
static void item_name(char ret[NAME_MAX_LENGTH], const struct taken *taken, bool is_config)
{
    snprintf(ret, NAME_MAX_LENGTH, "%s%s", taken->digest + strcspn(taken->digest, ":") + 1,
             is_config ? ".json" : ".tar");
}

static char *tell_list(const struct docker_archive *d, const struct document *top)
{
    json_t *list = json_array(), *entry = json_object(), *tags = json_array(), *layers = json_array();
    struct descriptor part;
    char name[NAME_MAX_LENGTH];
    for (size_t i = 0; document_part(top, i, &part) == 0; i++) {
        item_name(name, archive_target_find(&d->target, part.digest), i == 0);
        if (i == 0)
            json_set(&entry, "Config", json_string(name));
        else
            json_append(&layers, json_string(name));
    }
    if (d->name)
        json_append(&tags, json_string(d->name));
    json_set(&entry, "RepoTags", tags);
    json_set(&entry, "Layers", layers);
    json_append(&list, entry);
    return json_line(list, JSON_COMPACT);
}

/* Several layers may be equal, perhaps compressed in different ways: such a layer is written once. */
static bool is_written(const struct pack_item *item, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(item[i].name, name) == 0)
            return true;
    return false;
}

/* Writes the configuration and the layers in the order of the manifest, whatever the names of the blobs were. */
static int write_all(struct docker_archive *d, const struct document *top, const char *list, struct leat_error *error)
{
    struct archive_target *target = &d->target;
    size_t most = json_array_size(json_object_get(top->json, "layers")) + 2, count = 1;
    struct pack_item *item = calloc(most, sizeof(*item));
    char(*name)[NAME_MAX_LENGTH] = calloc(most, sizeof(*name));
    struct descriptor part;
    int r = -ENOMEM;
    if (!item || !name)
        error_set(error, r, "out of memory");
    else {
        leat_endpoint *sink = target->sink;
        item[0] = (struct pack_item){.name = "manifest.json", .bytes = list, .length = strlen(list)};
        for (size_t i = 0; i + 1 < most && document_part(top, i, &part) == 0; i++) {
            const struct taken *taken = archive_target_find(target, part.digest);
            item_name(name[count], taken, i == 0);
            if (!is_written(item, count, name[count])) {
                item[count] = (struct pack_item){.name = name[count], .blob = &taken->bytes};
                count++;
            }
        }
        target->sink = NULL;
        r = pack_write(d->place.watch, sink, d->path, item, count, error);
    }
    free(item);
    free(name);
    return r;
}

static int docker_finish(struct image_place *place, const struct document *top, struct leat_error *error)
{
    struct docker_archive *d = (struct docker_archive *)place;
    struct descriptor part;
    json_t *config = NULL;
    char *list = NULL;
    int r = document_part(top, 0, &part);
    const struct taken *taken = r == 0 ? archive_target_find(&d->target, part.digest) : NULL;
    if (!taken)
        return error_set(error, -EBADMSG, "The image has no configuration");
    r = read_config(taken, &config, error);
    if (r == 0)
        r = compare_layers(d, top, config, error);
    if (r == 0)
        r = (list = tell_list(d, top)) ? write_all(d, top, list, error) : error_set(error, -ENOMEM, "out of memory");
    json_decref(config);
    free(list);
    return r;
}

/* ---- making one ---- */

static void docker_free(struct image_place *place)
{
    struct docker_archive *d = (struct docker_archive *)place;
    for (size_t i = 0; i < d->images; i++)
        docker_image_clear(&d->image[i]);
    free(d->image);
    tar_close(&d->tar);
    archive_target_close(&d->target);
    free(d->path);
    free(d->name);
    free(d);
}

static const struct place_ops docker_ops = {
    .name = "docker-archive",
    .find = docker_find,
    .open_manifest = docker_open_manifest,
    .open_blob = docker_open_blob,
    .prepare = docker_prepare,
    .index = docker_index,
    .each = docker_each,
    .accepts = docker_accepts,
    .has = docker_has,
    .take_blob = docker_take_blob,
    .take_manifest = docker_take_manifest,
    .finish = docker_finish,
    .free = docker_free,
};

static int read_names(struct docker_archive *d, const char *rest)
{
    char *name = NULL;
    int r = index_split(rest, &d->path, &name);
    if (r == 0 && name)
        r = docker_name(name, &d->name);
    free(name);
    return r;
}

int place_docker_archive(struct image_place **ret, const char *rest, struct image_watch *watch, bool is_target,
                         struct leat_error *error)
{
    struct docker_archive *d = calloc(1, sizeof(*d));
    if (!d)
        return error_set(error, -ENOMEM, "out of memory");
    d->place.ops = &docker_ops;
    d->tar = TAR_NONE;
    d->target = ARCHIVE_TARGET_NONE;
    int r = read_names(d, rest);
    if (r == -EINVAL)
        error_set(error, r,
                  "'docker-archive:%.80s' names no image: write docker-archive:FILE or "
                  "docker-archive:FILE:NAME:TAG",
                  rest);
    if (r == 0)
        r = is_target ? archive_target_open(&d->target, d->path, error) : tar_open(&d->tar, d->path, watch, error);
    if (r < 0) {
        docker_free(&d->place);
        return error_set(error, r, "out of memory");
    }
    *ret = &d->place;
    return 0;
}
