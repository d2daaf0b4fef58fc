/* SPDX-License-Identifier: MIT */
/* The probe where there are few descriptors.
 * labels: limits */
#include "unit/kernel/probe.h"
#include <sys/resource.h>

/* Whatever step of a probe it is that finds no descriptor, what it had opened is closed. */
static bool few_descriptors_are_survived(const struct leat_features *baseline)
{
    static struct leat_features features = {.size = sizeof(features), .directory = directory};
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(next);
    for (int room = 0; room < 8; room++) {
        struct rlimit limit = {(rlim_t)(next + room), (rlim_t)next + 8};
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
            return false;
        int code = leat_features_probe(&features);
        if (code != (room == 0 ? -EMFILE : 0))
            return false;
        int again = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (room > 0 && again != next)
            return false;
        close(again);
    }
    for (uint32_t i = 0; i < features.count; i++)
        if (features.feature[i].code != baseline->feature[i].code)
            return false; /* eight are enough for all of them */
    return true;
}

static void running_out_of_descriptors_leaks_none(void **state UNUSED)
{
    in_child(few_descriptors_are_survived);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_out_of_descriptors_leaks_none),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
