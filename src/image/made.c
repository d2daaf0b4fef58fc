/* SPDX-License-Identifier: MIT */
/* The image is a place like others, with one manifest, and is copied from there. */
#include "image/made.h"
#include "base/json.h"
#include "image/image.h"
#include "image/place.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define CONFIG_TYPE   "application/vnd.oci.image.config.v1+json"
#define LAYER_TYPE    "application/vnd.oci.image.layer.v1.tar+gzip"
#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"

struct made {
    struct image_place place;
    const struct image_layer *layer;
    char *config, *manifest;
    char config_digest[LEAT_IMAGE_DIGEST_MAX];
    struct descriptor self; /* of the manifest */
    bool (*is_wanted)(void *user);
    void *user;
};

/* ---- the place ---- */

static int find(struct image_place *place, char *ret, size_t capacity, struct descriptor *ret_self,
                struct leat_error *error UNUSED)
{
    const struct made *made = (const struct made *)place;
    snprintf(ret, capacity, "%s", made->self.digest);
    *ret_self = made->self;
    return 0;
}

static int open_manifest(struct image_place *place, const char *reference UNUSED, leat_endpoint **ret,
                         struct leat_error *error)
{
    const struct made *made = (const struct made *)place;
    int r = leat_endpoint_from_memory(ret, made->manifest, strlen(made->manifest));
    return r < 0 ? error_set(error, r, "out of memory") : 0;
}

static int open_blob(struct image_place *place, const struct descriptor *blob, leat_endpoint **ret,
                     struct leat_error *error)
{
    const struct made *made = (const struct made *)place;
    int r;
    if (strcmp(blob->digest, made->config_digest) == 0)
        r = leat_endpoint_from_memory(ret, made->config, strlen(made->config));
    else
        r = lseek(made->layer->fd, 0, SEEK_SET) < 0 ? -errno : leat_endpoint_from_fd(ret, made->layer->fd, LEAT_BORROW);
    return r < 0 ? error_set(error, r, "The layer can't be read") : 0;
}

static void free_place(struct image_place *place)
{
    struct made *made = (struct made *)place;
    free(made->config);
    free(made->manifest);
}

static const struct place_ops ops = {
    .name = "made", .find = find, .open_manifest = open_manifest, .open_blob = open_blob, .free = free_place};

/* ---- its documents ---- */

static int make_config(struct made *made, struct leat_error *error)
{
    struct platform_name platform;
    json_t *json = json_object(), *root = json_object(), *diffs = json_array();
    int r = platform_parse(&platform, NULL);
    json_append(&diffs, json_string(made->layer->plain));
    json_set(&root, "type", json_string("layers"));
    json_set(&root, "diff_ids", diffs);
    json_set(&json, "architecture", json_string(r < 0 ? "unknown" : platform.architecture));
    json_set(&json, "os", json_string(r < 0 ? "linux" : platform.os));
    json_set(&json, "config", json_object());
    json_set(&json, "rootfs", root);
    made->config = json_line(json, JSON_COMPACT);
    return made->config ? place_digest(made->config, strlen(made->config), made->config_digest, error)
                        : error_set(error, -ENOMEM, "out of memory");
}

static int make_manifest(struct made *made, struct leat_error *error)
{
    json_t *json = json_object(), *layers = json_array();
    json_append(&layers, descriptor_json(LAYER_TYPE, made->layer->digest, made->layer->size));
    json_set(&json, "schemaVersion", json_integer(2));
    json_set(&json, "mediaType", json_string(MANIFEST_TYPE));
    json_set(&json, "config", descriptor_json(CONFIG_TYPE, made->config_digest, strlen(made->config)));
    json_set(&json, "layers", layers);
    made->manifest = json_line(json, JSON_COMPACT);
    if (!made->manifest)
        return error_set(error, -ENOMEM, "out of memory");
    made->self = (struct descriptor){.size = strlen(made->manifest), .type = MANIFEST_TYPE};
    return place_digest(made->manifest, strlen(made->manifest), made->self.digest, error);
}

/* ---- the copy ---- */

static int on_progress(void *user, const struct leat_progress *now UNUSED)
{
    const struct made *made = user;
    return !made->is_wanted(made->user);
}

int image_made_copy(const struct image_layer *layer, const char *target, bool (*is_wanted)(void *user), void *user,
                    struct leat_error *error)
{
    struct made made = {.place.ops = &ops, .layer = layer, .is_wanted = is_wanted, .user = user};
    struct leat_image_options options = LEAT_INIT(struct leat_image_options);
    options.progress = on_progress;
    options.user = &made;
    int r = make_config(&made, error);
    if (r == 0)
        r = make_manifest(&made, error);
    if (r == 0)
        r = image_copy_place(&made.place, target, &options, error);
    free_place(&made.place);
    return r;
}
