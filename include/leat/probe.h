/* leat/probe.h: what this machine allows, found by trying.
 *
 * A kernel feature may be missing, switched off or forbidden to this process; which of them it is shows in the errno.
 * Nothing is concluded from a version number, and nothing is left behind: what a probe creates has no name, or loses
 * it at once. (The kernel itself may load a module when a hash is asked for.) A feature that is "no" is never an
 * error: leat then takes another way to the same result.
 */
#ifndef LEAT_PROBE_H
#define LEAT_PROBE_H

#include <leat/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One thing that was tried. Its layout is fixed: the array below is made of it. */
struct leat_feature {
    const char *group; /* "splice": the heading it belongs to; static */
    const char *name;  /* "splice-file-to-pipe"; unique and static */
    int32_t code;      /* 0: yes; else the negative errno of the attempt, and -EOPNOTSUPP if the call came back well
                          without doing what it is for */
    char text[160];    /* one sentence: what was found, or what its absence means */
};

/* The group "process" and "pipe-limits" are facts, not features: their code says only whether they could be read. The
 * one exception is "cap-sys-resource", which is tried. The group "library" is about this build of leat. */
enum {
    LEAT_FEATURES_MAX = 64
};

struct leat_features {
    size_t size;
    const char *directory; /* in: where to try files and reflinks; NULL: the current directory. What is not about this
                              directory, such as splice, is tried on memory files if it takes none. */
    uint32_t count;        /* out */
    struct leat_feature feature[LEAT_FEATURES_MAX];
};

/* Tries everything; takes some milliseconds, or as long as the file system of `directory` lets a small file wait. Any
 * thread; what it finds holds for the calling one, as a seccomp filter may differ between threads. Note that a filter
 * which kills instead of refusing does so here too. -ENOTDIR and the like if `directory` is none. */
LEAT_API int leat_features_probe(struct leat_features *features);

#ifdef __cplusplus
}
#endif
#endif
