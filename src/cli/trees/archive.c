/* SPDX-License-Identifier: MIT */
#include "trees/archive.h"
#include "cli.h"
#include <string.h>

bool tree_archive_is_named(const char *name)
{
    static const char *const schemes[] = {"tar:", "oci:", "docker:", "oci-archive:", "docker-archive:"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
        if (strncmp(name, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

int tree_archive_check(const struct tree_request *q, int sources, const char *target)
{
    if (!tree_archive_is_named(target))
        return 0;
    if (sources > 1)
        return cli_usage("copy", "an archive takes one FOLDER, not %d", sources);
    if (strcmp(target, "tar:-") == 0 && q->options.digest && !q->digest_file)
        return cli_usage("copy", "the digests and tar:- can't both go to standard output: write --digest-file FILE");
    return 0;
}
