/* Images as docker save(1) writes them: manifest.json, which names configurations and layers, and these. Layers are
 * plain tar files there, and no manifest says their digests, so one is made: that of an OCI image with these layers. */
#ifndef IMAGE_ARCHIVE_DOCKER_H
#define IMAGE_ARCHIVE_DOCKER_H

#include "image/archive_tar.h"
#include "image/document.h"

/* An image of such an archive, as others see it. */
struct docker_image {
    struct descriptor self; /* of the manifest that was made */
    char *manifest;
    struct docker_part {
        char digest[LEAT_IMAGE_DIGEST_MAX];
        const struct tar_entry *entry; /* of the archive */
    } * part;                          /* the configuration, then the layers */
    size_t parts;
};

/* manifest.json, a list. -ENOENT, -EBADMSG. Gives a reference. */
int docker_list(const struct tar *tar, json_t **ret, struct leat_error *error);

/* "docker.io/library/app" is "app:latest", as docker reads it. To be freed. -EINVAL: it is no name of an image;
 * -ENOMEM.
 */
int docker_name(const char *text, char **ret);

/* The entry that has this name (as docker_name gives it), or the only one if that is NULL; borrowed. -ENOENT: there is
 * none; -EINVAL: there are several. */
int docker_choose(json_t *list, const char *name, const char *path, json_t **ret, struct leat_error *error);

/* The image of an entry. It borrows `tar`. -EBADMSG: something of it is missing, or makes no sense. */
int docker_image(const struct tar *tar, json_t *entry, struct docker_image *ret, struct leat_error *error);
void docker_image_clear(struct docker_image *image);

/* The digests of the layers when they are not compressed, as a configuration has them: a borrowed list of `count`
 * strings, which are digests. -EBADMSG. */
int docker_diffs(json_t *config, size_t count, json_t **ret, struct leat_error *error);

#endif
