/* SPDX-License-Identifier: MIT */
#include "store/status.h"
#include <errno.h>
#include <stdio.h>

int status_code(int status)
{
    switch (status) {
    case 401:
    case 403:
    case 407:
        return -EACCES;
    case 404:
    case 410:
        return -ENOENT;
    case 412:
        return -ESTALE;
    case 408:
    case 504:
        return -ETIMEDOUT;
    case 413:
        return -EFBIG;
    case 429:
    case 503:
        return -EBUSY;
    case 507:
        return -ENOSPC;
    default:
        return -EPROTO;
    }
}

void status_sentence(int status, const char *why, char ret[STATUS_MAX])
{
    if (status == 407)
        snprintf(ret, STATUS_MAX, "the proxy wants a login (407): its variable may be http://USER:PASSWORD@HOST");
    else
        snprintf(ret, STATUS_MAX, "the server answers %d%s%.160s", status, *why ? ": " : "", why);
}

void status_explain(const struct object *object, int status, const char *body, size_t n, char ret[STATUS_MAX])
{
    char why[STATUS_MAX];
    object->store->explain(object, body, n, why, sizeof(why));
    status_sentence(status, why, ret);
}
