/* SPDX-License-Identifier: MIT */
/* The CRCs of stores, except crc32c, which has its own provider. */
#include "base/crc.h"
#include "base/digest_provider.h"
#include <errno.h>

struct running {
    const struct crc_kind *kind;
    uint64_t crc;
};

static int crc_open(void **ret, const char *algorithm, size_t *ret_size, const char **ret_why)
{
    const struct crc_kind *kind = strcmp(algorithm, "crc32c") != 0 ? crc_find(algorithm) : NULL;
    struct running *running = kind ? malloc(sizeof(*running)) : NULL;
    if (!running) {
        *ret_why = "no memory for the digest";
        return kind ? -ENOMEM : -ENOENT;
    }
    *running = (struct running){kind, 0};
    *ret = running;
    *ret_size = kind->bytes;
    return 0;
}

static int crc_update(void *state, const void *bytes, size_t n)
{
    struct running *running = state;
    running->crc = crc_add(running->kind, running->crc, bytes, n);
    return 0;
}

static int crc_value(void *state, uint8_t *ret)
{
    const struct running *running = state;
    crc_bytes(running->kind, running->crc, ret);
    return 0;
}

const struct digest_provider provider_crc = {
    .name = "crc",
    .open = crc_open,
    .update = crc_update,
    .value = crc_value,
    .close = free,
};
