/* SPDX-License-Identifier: MIT */
/* Runs a child one instruction at a time, and kills it after a given number. */
#ifndef TESTS_STEPPING_H
#define TESTS_STEPPING_H

#include "channels.h"
#include <sched.h>
#include <sys/ptrace.h>

static atomic_bool *returned; /* the call under test has returned */

static inline void step_prepare(void)
{
    cpu_set_t one_cpu;
    CPU_ZERO(&one_cpu);
    CPU_SET(sched_getcpu(), &one_cpu);
    sched_setaffinity(0, sizeof(one_cpu), &one_cpu); /* parent and child take turns anyway */
    returned = shared_memory(sizeof(*returned));
}

/* step_begin and step_end enclose the call in the child. */
static inline int step_begin(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? -errno : raise(SIGSTOP);
}

static inline int step_end(void)
{
    atomic_store(returned, true);
    return raise(SIGSTOP);
}

/* Runs the child for so many instructions. 1: the call had returned. 0: it had not. -1: stepping is impossible here. */
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
