/* SPDX-License-Identifier: MIT */
#include "base/loader.h"
#include <dlfcn.h>
#include <errno.h>

/* POSIX lets a void pointer hold the address of a function, and C does not. So the bytes of the address are copied. */
static bool find_symbols(const struct loader *loader, void *library)
{
    for (size_t i = 0; i < loader->count; i++) {
        void *address = dlsym(library, loader->symbols[i].name);
        if (!address)
            return false;
        memcpy(loader->symbols[i].function, &address, sizeof(address));
    }
    return true;
}

/* dlopen reports a failure only as text, but leaves the errno of its last attempt. That errno tells a lack of memory or
 * descriptors from a missing library. */
static int load(struct loader *loader, const char **ret_why)
{
    *ret_why = loader->missing;
    for (const char *const *name = loader->names; *name && !loader->loaded; name++) {
        errno = 0;
        void *library = dlopen(*name, RTLD_NOW | RTLD_LOCAL);
        if (!library && (errno == ENOMEM || errno == EMFILE || errno == ENFILE)) {
            *ret_why = loader->poor;
            return -errno;
        }
        if (!library)
            continue;
        loader->loaded = find_symbols(loader, library);
        if (!loader->loaded) {
            *ret_why = loader->other;
            dlclose(library);
        }
    }
    return loader->loaded ? 0 : -ELIBACC;
}

int loader_need(struct loader *loader, const char **ret_why)
{
    pthread_mutex_lock(&loader->lock);
    int r = loader->loaded ? 0 : load(loader, ret_why);
    pthread_mutex_unlock(&loader->lock);
    return r;
}
