/* SPDX-License-Identifier: MIT */
/* Helpers for the tests of the probe: a folder, looking up features, and a child to which something is forbidden. */
#ifndef TESTS_KERNEL_PROBE_H
#define TESTS_KERNEL_PROBE_H

#include "unit/unit.h"
#include <leat/probe.h>
#include <stdbool.h>
#include <sys/wait.h>

static char directory[] = "/tmp/leat-test-probe-XXXXXX";

static inline int make_directory(void **state UNUSED)
{
    return mkdtemp(directory) ? 0 : -1;
}

static inline int remove_directory(void **state UNUSED)
{
    return rmdir(directory);
}

static inline unsigned entries(const char *path)
{
    unsigned n = 0;
    DIR *d = opendir(path);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static inline const struct leat_feature *find(const struct leat_features *features, const char *name)
{
    for (uint32_t i = 0; i < features->count; i++)
        if (strcmp(features->feature[i].name, name) == 0)
            return &features->feature[i];
    return NULL;
}

static inline struct leat_features run_in(const char *path)
{
    struct leat_features features = LEAT_INIT(struct leat_features);
    features.directory = path;
    assert_int_equal(leat_features_probe(&features), 0);
    return features;
}

/* Runs a child to which something is forbidden. The child reports through its exit status and stderr, since a failed
 * assertion of cmocka must not leave a forked process. */

typedef bool (*child_check)(const struct leat_features *baseline);

static inline void in_child(child_check check)
{
    static struct leat_features baseline;
    baseline = run_in(directory);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(check(&baseline) ? 0 : 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(entries(directory), 0);
}

#endif
