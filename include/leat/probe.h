/* SPDX-License-Identifier: MIT */
/** @file leat/probe.h
 * What this machine allows, found by trying.
 *
 * A kernel feature may be missing, switched off, or forbidden to this process. The errno of the attempt shows which of
 * the three it is. leat concludes nothing from a version number.
 *
 * A probe leaves nothing behind: what it creates has no name, or loses its name at once. (The kernel itself may load a
 * module when it is asked for a hash.)
 *
 * A feature whose answer is "no" is never an error. leat then takes another way to the same result.
 */
#ifndef LEAT_PROBE_H
#define LEAT_PROBE_H

#include <leat/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One thing that was tried. The layout is fixed, because struct leat_features has an array of it.
 *
 * The group "process" and the feature "pipe-limits" are facts, not features: their code says only whether they could be
 * read. The exception is "cap-sys-resource", which is tried. The group "library" has the libraries of
 * this build of leat. A library that leat loads when it is needed is not loaded for it, and its version is that of the
 * headers that leat was built with.
 */
struct leat_feature {
    const char *group; /**< The heading that it belongs to, such as "splice"; static. */
    const char *name;  /**< Its name, such as "splice-file-to-pipe"; unique and static. */
    int32_t code;      /**< 0: yes. Otherwise the negative errno of the attempt. -EOPNOTSUPP also if the call returned
                          success and did not do what it is for. */
    char text[160];    /**< One sentence: what was found, or what follows if the feature is absent. */
};

enum {
    LEAT_FEATURES_MAX = 64 /**< The most features there are. */
};

/** All features. */
struct leat_features {
    size_t size;           /**< sizeof(struct leat_features); the caller sets it. */
    const char *directory; /**< Set by the caller: where files and reflinks are tried; NULL: the current directory. If
                              the directory takes no files, the features that are not about it, such as splice, are
                              tried on files in memory. */
    uint32_t count;        /**< Set by the call: how many elements of `feature` are filled. */
    struct leat_feature feature[LEAT_FEATURES_MAX]; /**< Set by the call: the features. */
};

/**
 * Tries every kernel feature that leat can use.
 *
 * A seccomp filter may differ between threads, so the result holds for the calling thread. If a filter kills instead of
 * refusing, it also kills here.
 *
 * @param inout_features  The features. The caller sets `size` and `directory`.
 *
 * Blocking: takes some milliseconds, or as long as the file system of `directory` takes for a small file.
 *
 * @return 0, whatever was found; -EINVAL: `size` is not right; -ENOTDIR, -ENOENT and similar: `directory` is no
 *         directory.
 *
 * Threads: any.
 */
LEAT_API int leat_features_probe(struct leat_features *inout_features);

#ifdef __cplusplus
}
#endif
#endif
