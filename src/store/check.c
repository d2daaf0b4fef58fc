/* SPDX-License-Identifier: MIT */
#include "store/check.h"
#include "base/text.h"
#include <errno.h>

static int compare(struct check *check, const char *sha256)
{
    unsigned char value[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    unsigned n;
    if (crypto.final(check->ctx, value, &n) != 1)
        return -ENOMEM;
    text_hex(value, n, hex);
    return strcmp(hex, sha256) == 0 ? 0 : -ESTALE;
}

int check_take(struct check *check, const struct http_body *body, uint64_t at, const void *bytes, size_t n)
{
    if (at == 0) {
        check->at = 0;
        check->ctx = check->ctx ? check->ctx : crypto.ctx_new();
        if (!check->ctx || crypto.init(check->ctx, crypto.sha256(), NULL) != 1)
            return -ENOMEM;
    }
    if (at != check->at || !check->ctx)
        return -ESTALE;
    if (crypto.update(check->ctx, bytes, n) != 1)
        return -ENOMEM;
    check->at += n;
    return check->at == body->length ? compare(check, body->sha256) : 0;
}

void check_clear(struct check *check)
{
    if (check->ctx)
        crypto.ctx_free(check->ctx);
    *check = (struct check){NULL, 0};
}
