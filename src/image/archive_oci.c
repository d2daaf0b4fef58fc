/* SPDX-License-Identifier: MIT */
/* A place that is an image layout in a tar file. */
#include "base/json.h"
#include "image/archive_tar.h"
#include "image/archive_target.h"
#include "image/index.h"
#include "image/place.h"
#include "store/oci/reference.h"
#include <errno.h>
#include <stdio.h>

#define NAME_MAX_LENGTH (LEAT_IMAGE_DIGEST_MAX + 8)

struct oci_archive {
    struct image_place place;
    char *path;
    char *tag; /* NULL: none */
    struct tar tar;
    struct archive_target target;
};

static void blob_name(char ret[NAME_MAX_LENGTH], const char *digest)
{
    snprintf(ret, NAME_MAX_LENGTH, "blobs/%s", digest);
    ret[strcspn(ret, ":")] = '/';
}

/* ---- as a source ---- */

static int oci_index(const struct oci_archive *o, json_t **ret, struct leat_error *error)
{
    const struct tar_entry *entry;
    char *bytes = NULL;
    size_t n = 0;
    int r = tar_find(&o->tar, "index.json", &entry, error);
    if (r == 0)
        r = tar_read(&o->tar, entry, INDEX_MAX, &bytes, &n, error);
    if (r == 0)
        r = index_read(bytes, n, o->path, ret, error);
    free(bytes);
    return r;
}

static int oci_find(struct image_place *place, char *ret, size_t capacity, struct descriptor *ret_self,
                    struct leat_error *error)
{
    const struct oci_archive *o = (const struct oci_archive *)place;
    json_t *index;
    int r = oci_index(o, &index, error);
    if (r < 0)
        return r;
    r = index_find(index, o->tag, o->path, "oci-archive:FILE:TAG", ret_self, error);
    json_decref(index);
    if (r == 0)
        snprintf(ret, capacity, "%s", ret_self->digest);
    return r;
}

static int oci_open_manifest(struct image_place *place, const char *reference, leat_endpoint **ret,
                             struct leat_error *error)
{
    const struct oci_archive *o = (const struct oci_archive *)place;
    const struct tar_entry *entry;
    char name[NAME_MAX_LENGTH];
    blob_name(name, reference);
    int r = tar_find(&o->tar, name, &entry, error);
    return r == 0 ? tar_source(ret, &o->tar, entry, error) : r;
}

static int oci_open_blob(struct image_place *place, const struct descriptor *blob, leat_endpoint **ret,
                         struct leat_error *error)
{
    const struct oci_archive *o = (const struct oci_archive *)place;
    const struct tar_entry *entry;
    char name[NAME_MAX_LENGTH];
    blob_name(name, blob->digest);
    int r = tar_find(&o->tar, name, &entry, error);
    if (r == 0 && entry->size != blob->size)
        r = error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "verify", "%.80s has %llu bytes, not %llu", blob->digest,
                     (unsigned long long)entry->size, (unsigned long long)blob->size);
    return r == 0 ? tar_source(ret, &o->tar, entry, error) : r;
}

static const struct tar_entry *entry_of(const void *user, const char *digest)
{
    const struct oci_archive *o = user;
    const struct tar_entry *entry;
    char name[NAME_MAX_LENGTH];
    blob_name(name, digest);
    return tar_find(&o->tar, name, &entry, NULL) == 0 ? entry : NULL;
}

static void oci_prepare(struct image_place *place, const struct blobs *blobs)
{
    tar_keep(&((struct oci_archive *)place)->tar, blobs, entry_of, place);
}

static int oci_list(struct image_place *place, json_t **ret, struct leat_error *error)
{
    return oci_index((const struct oci_archive *)place, ret, error);
}

static int oci_each(struct image_place *place, int (*add)(void *user, const char *digest, uint64_t size), void *user,
                    struct leat_error *error)
{
    const struct oci_archive *o = (const struct oci_archive *)place;
    int r = 0;
    for (size_t i = 0; i < o->tar.count && r == 0; i++) {
        char digest[NAME_MAX_LENGTH];
        const struct tar_entry *entry = &o->tar.entry[i];
        if (strncmp(entry->name, "blobs/", 6) != 0 || strlen(entry->name + 6) >= sizeof(digest))
            continue;
        strcpy(digest, entry->name + 6);
        digest[strcspn(digest, "/")] = ':';
        const struct tar_entry *file = entry;
        if (!oci_digest_is_valid(digest))
            continue;
        if (entry->link && tar_find(&o->tar, entry->name, &file, NULL) < 0)
            file = entry; /* the error comes from opening it */
        r = add(user, digest, file->size);
    }
    return r < 0 ? error_set(error, r, "out of memory") : 0;
}

/* ---- as a target ---- */

static int oci_has(struct image_place *place UNUSED, const struct descriptor *blob UNUSED, bool is_manifest UNUSED,
                   struct leat_error *error UNUSED)
{
    return 0;
}

static int oci_take_blob(struct image_place *place, const struct descriptor *blob, struct image_way *way,
                         struct leat_error *error)
{
    return archive_target_blob(&((struct oci_archive *)place)->target, blob, &way->out, NULL, error);
}

static int oci_take_manifest(struct image_place *place, const struct document *document, struct leat_error *error)
{
    return archive_target_manifest(&((struct oci_archive *)place)->target, document, error);
}

static bool is_manifest(const struct archive_target *target, const char *digest)
{
    for (size_t i = 0; i < target->manifest_count; i++)
        if (strcmp(target->manifest[i]->self.digest, digest) == 0)
            return true;
    return false;
}

/* Writes the mark of a layout, its index, the manifests, then the blobs. A blob that is also a manifest is written
 * once. */
static int write_all(struct oci_archive *o, const char *index, struct leat_error *error)
{
    static const char mark[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
    struct archive_target *target = &o->target;
    size_t count = 2, most = 2 + target->manifest_count + target->blob_count;
    struct pack_item *item = calloc(most, sizeof(*item));
    char(*name)[NAME_MAX_LENGTH] = calloc(most, sizeof(*name));
    leat_endpoint *sink = target->sink;
    int r = -ENOMEM;
    if (!item || !name)
        error_set(error, r, "out of memory");
    else {
        item[0] = (struct pack_item){.name = "oci-layout", .bytes = mark, .length = sizeof(mark) - 1};
        item[1] = (struct pack_item){.name = "index.json", .bytes = index, .length = strlen(index)};
        for (size_t i = 0; i < target->manifest_count; i++, count++) {
            const struct document *document = target->manifest[i];
            blob_name(name[count], document->self.digest);
            item[count] = (struct pack_item){.name = name[count], .bytes = document->bytes, .length = document->length};
        }
        for (const struct taken *taken = target->blobs; taken; taken = taken->next) {
            if (is_manifest(target, taken->blob.digest))
                continue;
            blob_name(name[count], taken->blob.digest);
            item[count] = (struct pack_item){.name = name[count], .blob = &taken->bytes};
            count++;
        }
        target->sink = NULL;
        r = pack_write(o->place.watch, sink, o->path, item, count, error);
    }
    free(item);
    free(name);
    return r;
}

static int oci_finish(struct image_place *place, const struct document *top, struct leat_error *error)
{
    struct oci_archive *o = (struct oci_archive *)place;
    char *index = json_line(index_with(NULL, &top->self, o->tag), JSON_COMPACT);
    int r = index ? write_all(o, index, error) : error_set(error, -ENOMEM, "out of memory");
    free(index);
    return r;
}

/* ---- making one ---- */

static void oci_free(struct image_place *place)
{
    struct oci_archive *o = (struct oci_archive *)place;
    tar_close(&o->tar);
    archive_target_close(&o->target);
    free(o->path);
    free(o->tag);
    free(o);
}

static const struct place_ops oci_ops = {
    .name = "oci-archive",
    .find = oci_find,
    .open_manifest = oci_open_manifest,
    .open_blob = oci_open_blob,
    .prepare = oci_prepare,
    .index = oci_list,
    .each = oci_each,
    .has = oci_has,
    .take_blob = oci_take_blob,
    .take_manifest = oci_take_manifest,
    .finish = oci_finish,
    .free = oci_free,
};

int place_oci_archive(struct image_place **ret, const char *rest, struct image_watch *watch, bool is_target,
                      struct leat_error *error)
{
    struct oci_archive *o = calloc(1, sizeof(*o));
    if (!o)
        return error_set(error, -ENOMEM, "out of memory");
    o->place.ops = &oci_ops;
    o->tar = TAR_NONE;
    o->target = ARCHIVE_TARGET_NONE;
    int r = index_split(rest, &o->path, &o->tag);
    if (r == 0)
        r = is_target ? archive_target_open(&o->target, o->path, error) : tar_open(&o->tar, o->path, watch, error);
    if (r < 0) {
        oci_free(&o->place);
        return r == -EINVAL ? error_set(error, r,
                                        "'oci-archive:%.80s' names no image: write oci-archive:FILE or "
                                        "oci-archive:FILE:TAG",
                                        rest)
                            : error_set(error, r, "out of memory");
    }
    *ret = &o->place;
    return 0;
}
