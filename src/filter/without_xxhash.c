/* SPDX-License-Identifier: MIT */
/* Replaces provider_xxhash.c if leat is built without libxxhash. It knows the names, and says that the library is
 * missing. */
#include "base/digest_provider.h"
#include "base/library.h"
#include <errno.h>

static int xxhash_open(void **ret UNUSED, const char *algorithm, size_t *ret_size UNUSED, const char **ret_why)
{
    if (strcmp(algorithm, "xxh3") != 0 && strcmp(algorithm, "xxh3-128") != 0)
        return -ENOENT;
    *ret_why = "this leat was built without libxxhash";
    return -ENOSYS;
}

const struct digest_provider provider_xxhash = {
    .name = "xxhash",
    .open = xxhash_open,
};

const struct library library_xxhash = {"libxxhash", "The digests xxh3 and xxh3-128", NULL, false};
