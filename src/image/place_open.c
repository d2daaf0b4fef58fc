/* SPDX-License-Identifier: MIT */
/* The only list of places of images. */
#include "base/quote.h"
#include "image/place.h"
#include <errno.h>

int place_open(struct image_place **ret, const char *spec, struct image_watch *watch, bool is_target,
               struct leat_error *error)
{
    const struct leat_image_options *options = watch->options;
    int r;
    if (strncmp(spec, "docker://", 9) == 0)
        r = place_remote(ret, spec, options, is_target, error);
    else if (strncmp(spec, "oci:", 4) == 0 && strncmp(spec, "oci://", 6) != 0)
        r = place_layout(ret, spec + 4, is_target, error);
    else if (strncmp(spec, "oci-archive:", 12) == 0)
        r = place_oci_archive(ret, spec + 12, watch, is_target, error);
    else if (strncmp(spec, "docker-archive:", 15) == 0)
        r = place_docker_archive(ret, spec + 15, watch, is_target, error);
    else
        r = error_set(error, -EINVAL,
                      "'%.80s' names no image: write docker://HOST/NAME:TAG, oci:DIRECTORY:TAG, oci-archive:FILE:TAG "
                      "or docker-archive:FILE:NAME:TAG",
                      quote_without_login(spec));
    if (r < 0)
        return r;
    (*ret)->spec = spec;
    (*ret)->options = options;
    (*ret)->watch = watch;
    return 0;
}
