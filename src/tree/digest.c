/* SPDX-License-Identifier: MIT */
#include "tree/digest.h"
#include "base/digest_name.h"

int digest_find(struct tree_digest *ret, const char *spelling, struct leat_error *error)
{
    const char *why = NULL, *said = NULL;
    int r = digest_name(ret->name, spelling, strlen(spelling)) < 0 ? -EINVAL : -ENOENT;
    for (size_t i = 0; r != -EINVAL && registry_digest_providers[i]; i++) {
        const struct digest_provider *provider = registry_digest_providers[i];
        void *state;
        int one = provider->kernel ? -ENOENT : provider->open(&state, ret->name, &ret->size, &why);
        if (one == 0) {
            provider->close(state);
            ret->provider = provider;
            return 0;
        }
        if (one != -ENOENT) {
            r = one;
            said = why;
        }
    }
    r = r == -EINVAL ? -ENOENT : r;
    return said ? error_set(error, r, "%s", said)
                : error_set(error, r, "There is no digest '%s', or it is a list: a tree has one", spelling);
}
