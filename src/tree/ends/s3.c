/* SPDX-License-Identifier: MIT */
#include "tree/ends/s3.h"
#include "tree/tree.h"

bool s3_is_wanted(void *user)
{
    return !tree_is_canceled(user);
}

int s3_fail_open(struct leat_error *error, enum leat_side side, const char *spec)
{
    error->side = side;
    error_spec(error, spec);
    error_complete(error, "", "open");
    return error->code;
}
