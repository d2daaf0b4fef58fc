/* SPDX-License-Identifier: MIT */
#include "wait.h"
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

/* Calls of leat go on after a signal, and Python runs its handlers on the main thread alone. So that thread waits in
 * slices of this length, and looks for signals in between. */
enum {
    SLICE_MS = 50
};

bool wait_has_signals(void)
{
#ifdef __linux__
    return getpid() == (pid_t)syscall(SYS_gettid);
#else
    return true;
#endif
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int wait_for(wait_call call, void *context, int timeout_ms, unsigned flags)
{
    int64_t end, left;
    bool sliced;
    int r;

    if (flags & WAIT_QUICK) {
        r = call(context, 0);
        if (r != -EAGAIN || timeout_ms == 0)
            return r;
    }
    sliced = (flags & WAIT_SLICED) || wait_has_signals();
    end = timeout_ms > 0 ? now_ms() + timeout_ms : 0;
    for (;;) {
        left = timeout_ms > 0 ? end - now_ms() : timeout_ms;
        if (timeout_ms > 0 && left < 0)
            left = 0;
        if (sliced && (left < 0 || left > SLICE_MS))
            left = SLICE_MS;
        Py_BEGIN_ALLOW_THREADS r = call(context, (int)left);
        Py_END_ALLOW_THREADS if (r != -EAGAIN && r != -ETIMEDOUT) return r;
        if (PyErr_CheckSignals() < 0)
            return WAIT_RAISED;
        if (timeout_ms == 0)
            return -EAGAIN;
        if (timeout_ms > 0 && now_ms() >= end)
            return -ETIMEDOUT;
    }
}
