/* SPDX-License-Identifier: MIT */
#include "base/library.h"
#include <errno.h>
#include <stdio.h>

uint32_t library_features(struct leat_feature *ret, size_t room)
{
    uint32_t n = 0;
    for (; n < room && registry_libraries[n]; n++) {
        const struct library *library = registry_libraries[n];
        const char *later = library->is_loaded_later ? " or another that is found when it is needed" : "";
        ret[n] = (struct leat_feature){.group = "library", .name = library->name};
        ret[n].code = library->version ? 0 : -ENOSYS;
        if (library->version)
            snprintf(ret[n].text, sizeof(ret[n].text), "%s, by version %s%s.", library->serves, library->version(),
                     later);
        else
            snprintf(ret[n].text, sizeof(ret[n].text), "%s are missing: leat was built without it.", library->serves);
    }
    return n;
}
