/* SPDX-License-Identifier: MIT */
/* For a build without libcurl: specs of stores are recognised and refused. */
#include "base/error.h"
#include "base/library.h"
#include "store/http/http.h"
#include "store/names.h"
#include "store/oci/oci.h"
#include "store/s3/claim.h"
#include "store/s3/s3.h"
#include "store/sweep.h"
#include <errno.h>

static int refuse(struct leat_error *error)
{
    return error_set(error, -ENOSYS, "leat was built without stores (LEAT_WITH_STORES)");
}

int http_endpoint(leat_endpoint **ret UNUSED, const char *spec UNUSED, enum leat_direction direction UNUSED,
                  const struct leat_endpoint_options *options UNUSED, struct leat_error *error)
{
    return refuse(error);
}

int s3_endpoint(leat_endpoint **ret UNUSED, const char *spec UNUSED, const char *rest UNUSED,
                enum leat_direction direction UNUSED, const struct leat_endpoint_options *options UNUSED,
                struct leat_error *error)
{
    return refuse(error);
}

int oci_endpoint(leat_endpoint **ret UNUSED, const char *spec UNUSED, const char *rest UNUSED,
                 enum leat_direction direction UNUSED, const struct leat_endpoint_options *options UNUSED,
                 struct leat_error *error)
{
    return refuse(error);
}

int leat_store_sweep(const char *spec, const struct leat_store_sweep_options *options,
                     struct leat_store_sweep_result *ret_result, struct leat_error *ret_error)
{
    struct leat_error error = {.size = sizeof(error)};
    const struct leat_store_sweep_result none = {.size = sizeof(none)};
    struct leat_store_sweep_options own;
    struct leat_endpoint_options endpoint;
    int r = error_begin(ret_error);
    if (r < 0)
        return r;
    r = sweep_options(&own, &endpoint, options, ret_result, &error);
    if (r == 0 && ret_result)
        return_sized(ret_result, &none, sizeof(none));
    r = r < 0 ? r : refuse(&error);
    error_spec(&error, spec);
    error_complete(&error, "", "open");
    return error_return(ret_error, &error, r);
}

static int refuse_call(const struct names_call *call UNUSED, struct leat_error *error)
{
    return refuse(error);
}

static int refuse_calls(const struct names_call *calls UNUSED, size_t n UNUSED, struct removal *removal UNUSED,
                        struct leat_error *error)
{
    return refuse(error);
}

#define REFUSING                                                                                                       \
    {                                                                                                                  \
        .list = refuse_call, .stat = refuse_call, .check = refuse_call, .remove = refuse_calls                         \
    }
const struct names s3_names = REFUSING, oci_names = REFUSING, http_names = REFUSING, folder_names = REFUSING;

static int refuse_place(const char *spec UNUSED, void **ret UNUSED, struct leat_error *error)
{
    return refuse(error);
}

const struct claim_place claim_s3 = {.scheme = "s3", .open = refuse_place};

const struct library library_curl = {"libcurl", "Stores, by http:, s3: and oci:", NULL, false};
const struct library library_expat = {"libexpat", "Answers of S3 servers", NULL, false};
