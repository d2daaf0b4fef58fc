/* SPDX-License-Identifier: MIT */
#include "image/image.h"
#include <errno.h>

int image_options(struct leat_image_options *ret, struct leat_endpoint_options *endpoint,
                  const struct leat_image_options *options, const struct leat_image_result *result,
                  struct leat_error *error)
{
    if (result && options_size(result) < sizeof(size_t)) {
        *ret = (struct leat_image_options){.size = sizeof(*ret)};
        return error_set(error, -EINVAL, "The result has no size");
    }
    int r = options_copy(ret, sizeof(*ret), options);
    if (r == 0)
        r = options_copy(endpoint, sizeof(*endpoint), ret->endpoint);
    ret->endpoint = endpoint;
    if (r < 0)
        return error_set(error, r, "The options are not those of this version");
    if (ret->jobs < 0 || ret->jobs > LEAT_IMAGE_JOBS_MAX)
        return error_set(error, -EINVAL, "%d is no number of jobs: up to %d are possible", (int)ret->jobs,
                         LEAT_IMAGE_JOBS_MAX);
    if (ret->retries < -1)
        return error_set(error, -EINVAL, "%d is no number of retries", (int)ret->retries);
    if (ret->progress_ms < 0)
        return error_set(error, -EINVAL, "%d is no number of milliseconds", (int)ret->progress_ms);
    return 0;
}

size_t image_jobs(const struct leat_image_options *options)
{
    return options->jobs ? (size_t)options->jobs : 4;
}
