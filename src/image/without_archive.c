/* SPDX-License-Identifier: MIT */
/* For a build without libarchive: archives of images are refused. */
#include "image/place.h"
#include <errno.h>

static int refuse(struct leat_error *error)
{
    return error_set(error, -ENOSYS, "leat was built without archives of images (LEAT_WITH_ARCHIVE)");
}

int place_docker_archive(struct image_place **ret UNUSED, const char *rest UNUSED, struct image_watch *watch UNUSED,
                         bool is_target UNUSED, struct leat_error *error)
{
    return refuse(error);
}

int place_oci_archive(struct image_place **ret UNUSED, const char *rest UNUSED, struct image_watch *watch UNUSED,
                      bool is_target UNUSED, struct leat_error *error)
{
    return refuse(error);
}
