/* SPDX-License-Identifier: MIT */
#include "brief.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum {
    BRIEF = 1024 * 1024 /* bytes, which are copied within a few milliseconds */
};

bool brief_size(Py_ssize_t n)
{
    return n <= BRIEF;
}

/* A colon may belong to a scheme. Files of /proc have a size of 0, and may have anything to read. */
bool brief_spec(const char *spec, enum leat_direction direction)
{
    struct stat status;

    if (strncmp(spec, "file:", 5) == 0)
        spec += 5;
    else if (strchr(spec, ':') || strcmp(spec, "-") == 0)
        return false;
    if (stat(spec, &status) < 0)
        return direction == LEAT_WRITE && errno == ENOENT;
    return S_ISREG(status.st_mode) && (direction == LEAT_WRITE || (status.st_size > 0 && status.st_size <= BRIEF));
}
