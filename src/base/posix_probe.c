/* SPDX-License-Identifier: MIT */
/* leat_features_probe for builds without src/kernel. The only fact about the system is that this build uses no feature
 * of Linux. */
#include "base/library.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

static int check_directory(const char *path)
{
    struct stat s;
    if (stat(path, &s) < 0)
        return -errno;
    return S_ISDIR(s.st_mode) ? 0 : -ENOTDIR;
}

int leat_features_probe(struct leat_features *inout_features)
{
    if (inout_features->size < offsetof(struct leat_features, feature[1]))
        return -EINVAL;
    int code = check_directory(inout_features->directory ? inout_features->directory : ".");
    if (code < 0)
        return code;
    inout_features->feature[0] = (struct leat_feature){.group = "process", .name = "linux", .code = -ENOSYS};
    snprintf(inout_features->feature[0].text, sizeof(inout_features->feature[0].text),
             "This build has no src/kernel; everything passes through user memory.");
    size_t room = (inout_features->size - offsetof(struct leat_features, feature)) / sizeof(struct leat_feature);
    inout_features->count = 1 + library_features(&inout_features->feature[1], room - 1);
    return 0;
}
