/* SPDX-License-Identifier: MIT */
#include "store/sweep.h"
#include <errno.h>

int sweep_options(struct leat_store_sweep_options *ret, struct leat_endpoint_options *endpoint,
                  const struct leat_store_sweep_options *options, const struct leat_store_sweep_result *result,
                  struct leat_error *error)
{
    if (result && options_size(result) < sizeof(size_t)) {
        *ret = (struct leat_store_sweep_options){.size = sizeof(*ret)};
        return error_set(error, -EINVAL, "The result has no size");
    }
    int r = options_copy(ret, sizeof(*ret), options);
    if (r == 0)
        r = options_copy(endpoint, sizeof(*endpoint), ret->endpoint);
    ret->endpoint = endpoint;
    if (r < 0)
        return error_set(error, r, "The options are not those of this version");
    if (ret->retries < -1)
        return error_set(error, -EINVAL, "%d is no number of retries", (int)ret->retries);
    if (ret->older_ms < -1)
        return error_set(error, -EINVAL, "%lld is no age", (long long)ret->older_ms);
    return 0;
}
