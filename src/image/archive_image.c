/* SPDX-License-Identifier: MIT */
/* Reads an archive of docker save as an image with digests. */
#include "base/json.h"
#include "image/archive_docker.h"
#include "image/place.h"
#include "store/oci/reference.h"
#include <errno.h>
#include <stdio.h>

#define IMAGES_MAX    4096u
#define CONFIG_TYPE   "application/vnd.oci.image.config.v1+json"
#define LAYER_TYPE    "application/vnd.oci.image.layer.v1.tar"
#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"

static int bad(const struct tar *tar, struct leat_error *error, const char *why)
{
    return error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "read", "%.100s: %s", tar->path, why);
}

static int read_json(const struct tar *tar, const char *name, char **ret_bytes, size_t *ret_n, json_t **ret,
                     struct leat_error *error)
{
    const struct tar_entry *entry;
    int r = tar_find(tar, name, &entry, error);
    if (r == 0)
        r = tar_read(tar, entry, DOCUMENT_MAX, ret_bytes, ret_n, error);
    if (r < 0)
        return r;
    r = json_read(ret, *ret_bytes, *ret_n);
    if (r == -ENOMEM)
        return error_set(error, r, "out of memory");
    return r < 0 ? error_at(error, r, LEAT_SIDE_SOURCE, "", "read", "%.100s: %.100s is no JSON", tar->path, name) : 0;
}

int docker_list(const struct tar *tar, json_t **ret, struct leat_error *error)
{
    char *bytes = NULL;
    size_t n;
    json_t *list = NULL;
    int r = read_json(tar, "manifest.json", &bytes, &n, &list, error);
    free(bytes);
    if (r == 0 && !json_is_array(list))
        r = bad(tar, error, "manifest.json is no list of images");
    if (r == 0 && json_array_size(list) > IMAGES_MAX)
        r = bad(tar, error, "manifest.json has more than 4096 images");
    if (r < 0) {
        json_decref(list);
        return r;
    }
    *ret = list;
    return 0;
}

/* ---- names ---- */

int docker_name(const char *text, char **ret)
{
    static const char *const understood[] = {"docker.io/library/", "docker.io/"};
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:";
    for (size_t i = 0; i < COUNT(understood); i++)
        if (strncmp(text, understood[i], strlen(understood[i])) == 0) {
            text += strlen(understood[i]);
            break;
        }
    const char *slash = strrchr(text, '/'), *tag = strchr(slash ? slash : text, ':');
    if (!*text || strspn(text, letters) != strlen(text) || (tag && (tag == text || !oci_tag_is_valid(tag + 1))))
        return -EINVAL;
    size_t n = strlen(text) + sizeof(":latest");
    char *name = malloc(n);
    if (!name)
        return -ENOMEM;
    snprintf(name, n, "%s%s", text, tag ? "" : ":latest");
    *ret = name;
    return 0;
}

/* Returns 1 if the entry has this name, 0 if not, or -ENOMEM. */
static int has_name(json_t *entry, const char *name)
{
    json_t *tag;
    size_t i;
    json_array_foreach(json_object_get(entry, "RepoTags"), i, tag)
    {
        char *had = NULL;
        int r = json_is_string(tag) ? docker_name(json_string_value(tag), &had) : -EINVAL;
        bool same = r == 0 && strcmp(had, name) == 0;
        free(had);
        if (same || r == -ENOMEM)
            return same ? 1 : r;
    }
    return 0;
}

int docker_choose(json_t *list, const char *name, const char *path, json_t **ret, struct leat_error *error)
{
    json_t *entry, *found = NULL;
    size_t i, matches = 0;
    json_array_foreach(list, i, entry)
    {
        int has = name ? has_name(entry, name) : 1;
        if (has < 0)
            return error_set(error, has, "out of memory");
        matches += has ? 1 : 0;
        found = has ? entry : found;
    }
    if (matches == 0)
        return error_set(error, -ENOENT, "%.60s has no image%s%.80s", path, name ? " named " : "", name ? name : "");
    if (matches > 1)
        return error_set(error, -EINVAL, "%.60s has %zu images%s: say which, docker-archive:FILE:NAME:TAG", path,
                         matches, name ? " of this name" : "");
    *ret = found;
    return 0;
}

/* ---- the manifest that is made ---- */

static int make_manifest(struct docker_image *image, struct leat_error *error)
{
    json_t *json = json_object(), *layers = json_array();
    json_set(&json, "schemaVersion", json_integer(2));
    json_set(&json, "mediaType", json_string(MANIFEST_TYPE));
    json_set(&json, "config", descriptor_json(CONFIG_TYPE, image->part[0].digest, image->part[0].entry->size));
    for (size_t i = 1; i < image->parts; i++)
        json_append(&layers, descriptor_json(LAYER_TYPE, image->part[i].digest, image->part[i].entry->size));
    json_set(&json, "layers", layers);
    image->manifest = json_line(json, JSON_COMPACT);
    if (!image->manifest)
        return error_set(error, -ENOMEM, "out of memory");
    image->self = (struct descriptor){.size = strlen(image->manifest), .type = MANIFEST_TYPE};
    return place_digest(image->manifest, (size_t)image->self.size, image->self.digest, error);
}

int docker_diffs(json_t *config, size_t count, json_t **ret, struct leat_error *error)
{
    json_t *list = json_object_get(json_object_get(config, "rootfs"), "diff_ids"), *digest;
    size_t i;
    if (!json_is_array(list) || json_array_size(list) != count)
        return error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "read",
                        "The configuration does not name as many layers as there are (%zu)", count);
    json_array_foreach(
        list, i,
        digest) if (!json_is_string(digest) ||
                    !oci_digest_is_valid(json_string_value(
                        digest))) return error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "read",
                                                  "The configuration has no digest of layer %zu that can be taken",
                                                  i + 1);
    *ret = list;
    return 0;
}

/* Finds the layers. Their digests are those of the configuration. */
static int add_layers(const struct tar *tar, json_t *config, json_t *layers, struct docker_image *image,
                      struct leat_error *error)
{
    json_t *diffs, *layer;
    size_t i;
    int r = docker_diffs(config, json_array_size(layers), &diffs, error);
    if (r < 0)
        return r;
    json_array_foreach(layers, i, layer)
    {
        const char *name = json_string_value(layer);
        struct docker_part *part = &image->part[image->parts];
        r = name ? tar_find(tar, name, &part->entry, error)
                 : bad(tar, error, "manifest.json names a layer without a name");
        if (r < 0)
            return r;
        snprintf(part->digest, sizeof(part->digest), "%s", json_string_value(json_array_get(diffs, i)));
        image->parts++;
    }
    return 0;
}

/* If the name of a configuration contains a digest (HEX.json, blobs/sha256/HEX), it must be the digest of its bytes. */
static int compare_name(const char *name, const char *digest, struct leat_error *error)
{
    const char *slash = strrchr(name, '/'), *hex = slash ? slash + 1 : name;
    if (strncmp(hex, "sha256:", 7) == 0)
        hex += 7;
    size_t n = strspn(hex, "0123456789abcdef");
    if (n != 64 || (hex[n] && strcmp(hex + n, ".json") != 0) || strncmp(hex, digest + 7, n) == 0)
        return 0;
    return error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "verify", "The configuration %.80s has the digest %.80s",
                    name, digest);
}

int docker_image(const struct tar *tar, json_t *entry, struct docker_image *ret, struct leat_error *error)
{
    const char *name = json_string_value(json_object_get(entry, "Config"));
    json_t *layers = json_object_get(entry, "Layers"), *config = NULL;
    struct docker_image image = {.parts = 0};
    char *bytes = NULL;
    size_t n = 0;
    if (!name || !json_is_array(layers))
        return bad(tar, error, "manifest.json names an image without a configuration or layers");
    image.part = calloc(json_array_size(layers) + 1, sizeof(*image.part));
    int r = image.part ? read_json(tar, name, &bytes, &n, &config, error) : error_set(error, -ENOMEM, "out of memory");
    if (r == 0)
        r = tar_find(tar, name, &image.part[image.parts++].entry, error);
    if (r == 0)
        r = place_digest(bytes, n, image.part[0].digest, error);
    if (r == 0)
        r = compare_name(name, image.part[0].digest, error);
    if (r == 0)
        r = add_layers(tar, config, layers, &image, error);
    if (r == 0)
        r = make_manifest(&image, error);
    json_decref(config);
    free(bytes);
    if (r < 0)
        docker_image_clear(&image);
    else
        *ret = image;
    return r;
}

void docker_image_clear(struct docker_image *image)
{
    free(image->manifest);
    free(image->part);
    *image = (struct docker_image){.parts = 0};
}
