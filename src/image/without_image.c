/* SPDX-License-Identifier: MIT */
/* For a build without libcurl: the calls exist, and fail. */
#include "image/image.h"
#include <errno.h>

static int refuse(const struct leat_image_options *options, const struct leat_image_result *result,
                  struct leat_error *ret_error)
{
    struct leat_error error = {.size = sizeof(error)};
    struct leat_image_options own;
    struct leat_endpoint_options endpoint;
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    r = image_options(&own, &endpoint, options, result, &error);
    if (r == 0)
        r = error_set(&error, -ENOSYS, "leat was built without stores (LEAT_WITH_STORES)");
    return error_return(ret_error, &error, r);
}

int leat_image_copy(const char *source UNUSED, const char *target UNUSED, const struct leat_image_options *options,
                    struct leat_image_result *ret_result, struct leat_error *ret_error)
{
    return refuse(options, ret_result, ret_error);
}

int leat_image_inspect(const char *source UNUSED, const struct leat_image_options *options, char **ret_json UNUSED,
                       struct leat_error *ret_error)
{
    return refuse(options, NULL, ret_error);
}

int leat_image_verify(const char *layout UNUSED, const struct leat_image_options *options,
                      struct leat_image_result *ret_result, struct leat_error *ret_error)
{
    return refuse(options, ret_result, ret_error);
}
