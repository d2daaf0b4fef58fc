/* SPDX-License-Identifier: MIT */
/* Reads images as docker save(1) writes them: manifest.json names configurations and layers, which are further entries.
 * The layers are plain tar files, and no manifest has their digests. So a manifest is made: that of an OCI image with
 * these layers. */
#ifndef IMAGE_ARCHIVE_DOCKER_H
#define IMAGE_ARCHIVE_DOCKER_H

#include "image/archive_tar.h"
#include "image/document.h"

/* An image of such an archive. */
struct docker_image {
    struct descriptor self; /* of the manifest that was made */
    char *manifest;
    struct docker_part {
        char digest[LEAT_IMAGE_DIGEST_MAX];
        const struct tar_entry *entry; /* an entry of the archive */
    } * part;                          /* the configuration, then the layers */
    size_t parts;
};

/* Reads manifest.json, a list. *ret is a new reference. Returns 0, -ENOENT or -EBADMSG. */
int docker_list(const struct tar *tar, json_t **ret, struct leat_error *error);

/* Normalises an image's name as docker does: "docker.io/library/app" becomes "app:latest". The caller frees *ret.
 * Returns 0, -EINVAL if `text` is not the name of an image, or -ENOMEM. */
int docker_name(const char *text, char **ret);

/* Finds the entry with this name (as docker_name returns it), or, if `name` is NULL, the only entry. *ret is borrowed.
 * Returns 0, -ENOENT if there is none, or -EINVAL if there are several. */
int docker_choose(json_t *list, const char *name, const char *path, json_t **ret, struct leat_error *error);

/* Reads the image of an entry. It borrows `tar`. Returns 0, or -EBADMSG if a part of it is missing or invalid. */
int docker_image(const struct tar *tar, json_t *entry, struct docker_image *ret, struct leat_error *error);
void docker_image_clear(struct docker_image *image);

/* Reads from a configuration the digests of the uncompressed layers: *ret is a borrowed list of `count` strings, all of
 * them digests. Returns 0 or -EBADMSG. */
int docker_diffs(json_t *config, size_t count, json_t **ret, struct leat_error *error);

#endif
