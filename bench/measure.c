/* SPDX-License-Identifier: MIT */
/* measure RESULT REPEAT UNLINK COMMAND [ARGUMENT]...: runs a command and writes to the file RESULT one line,
 *
 *     seconds user_seconds system_seconds peak_kib
 *
 * the sums over REPEAT runs and the largest peak. Before each run the file UNLINK is removed ("-": none), outside the
 * time that counts, which is from just before the spawn until the command has been waited for. CPU seconds are those of
 * the command and of its children that it waited for. It exits as the command did; the first failure ends it.
 *
 * It is a small program of its own, since the peak memory of a process begins with that of the one it was spawned by.
 */
#include "tool.h"
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct sums {
    double seconds, user, system;
    long peak;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int run(char **command, struct sums *sums)
{
    pid_t pid;
    int status;
    struct rusage used;
    double began = now();
    int code = posix_spawnp(&pid, command[0], NULL, NULL, command, environ);
    if (code != 0) {
        errno = code;
        tool_fail(command[0]);
    }
    if (wait4(pid, &status, 0, &used) < 0)
        tool_fail("wait4");
    sums->seconds += now() - began;
    sums->user += seconds(used.ru_utime);
    sums->system += seconds(used.ru_stime);
    if (used.ru_maxrss > sums->peak)
        sums->peak = used.ru_maxrss;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        tool_usage("measure RESULT REPEAT UNLINK COMMAND [ARGUMENT]...");
    struct sums sums = {0};
    for (uint64_t left = tool_number(argv[2]); left > 0; left--) {
        if (strcmp(argv[3], "-") != 0 && unlink(argv[3]) < 0 && errno != ENOENT)
            tool_fail(argv[3]);
        int code = run(argv + 4, &sums);
        if (code != 0)
            return code;
    }
    FILE *result = fopen(argv[1], "we");
    if (!result)
        tool_fail(argv[1]);
    fprintf(result, "%.9f %.6f %.6f %ld\n", sums.seconds, sums.user, sums.system, sums.peak);
    if (fclose(result) != 0)
        tool_fail(argv[1]);
    return 0;
}
