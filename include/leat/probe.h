/* leat/probe.h: what this machine allows, found by trying.
 *
 * A kernel feature may be missing, switched off or forbidden to this process; which of them it is shows in the errno.
 * Nothing is left behind: what a probe creates it removes.
 */
#ifndef LEAT_PROBE_H
#define LEAT_PROBE_H

#include <leat/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct leat_feature {
    const char *name;   /* "splice-file-to-pipe"; static */
    int32_t code;       /* 0: yes; else the negative errno of the attempt */
    char text[160];     /* one sentence: what was found, or what its absence means */
};

#define LEAT_FEATURES_MAX 64

struct leat_features {
    size_t size;
    const char *directory; /* in: where to try files and reflinks; NULL: the current directory */
    uint32_t count;        /* out */
    struct leat_feature feature[LEAT_FEATURES_MAX];
};

/* Tries everything; takes some milliseconds. Any thread. -ENOTDIR and the like if `directory` is none. */
LEAT_API int leat_probe_run(struct leat_features *features);

#ifdef __cplusplus
}
#endif
#endif
