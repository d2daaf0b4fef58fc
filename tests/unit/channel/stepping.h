/* A child that goes one instruction after the other, and is killed after so many. */
#ifndef TESTS_STEPPING_H
#define TESTS_STEPPING_H

#include "channels.h"
#include <sched.h>
#include <sys/ptrace.h>

static atomic_bool *returned; /* the call that is looked at */

static inline void step_prepare(void)
{
    cpu_set_t one_cpu;
    CPU_ZERO(&one_cpu);
    CPU_SET(sched_getcpu(), &one_cpu);
    sched_setaffinity(0, sizeof(one_cpu), &one_cpu); /* whoever stops and who looks at it take turns anyway */
    returned = shared_memory(sizeof(*returned));
}

/* In the child, before the call and after it. */
static inline int step_begin(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? -errno : raise(SIGSTOP);
}

static inline int step_end(void)
{
    atomic_store(returned, true);
    return raise(SIGSTOP);
}

/* Lets it go so many instructions far. 1: the call had returned, 0: not yet, -1: this can't be done here. */
static inline int step(pid_t child, unsigned steps)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) {
        assert_int_equal(WEXITSTATUS(status), 77);
        return -1;
    }
    for (unsigned i = 0; i < steps && !atomic_load(returned); i++) {
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSTOPPED(status));
    }
    int done = atomic_load(returned);
    kill(child, SIGKILL);
    assert_int_equal(status_of(child), -SIGKILL);
    return done;
}

#endif
