/* SPDX-License-Identifier: MIT */
#include "engine/uring_ring.h"
#include "base/fd.h"
#include "base/library.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* The sizes of the two queues. A full submission queue is submitted, so any number of tasks can use it. The kernel
 * keeps completions for which the completion queue has no room (IORING_FEAT_NODROP). The queues take 16 KiB
 * together. */
#define ENTRIES     128
#define COMPLETIONS 512

static unsigned disabled_by_sysctl(void)
{
    char text[2] = "";
    int fd CLEANUP_FD = fd_open("/proc/sys/kernel/io_uring_disabled", O_RDONLY, 0);
    return fd >= 0 && read(fd, text, 1) == 1 && text[0] > '0' ? (unsigned)(text[0] - '0') : 0;
}

int ring_refused(char why[ENGINE_WHY_MAX], const char *call, int code)
{
    unsigned disabled = code == -EPERM ? disabled_by_sysctl() : 0;
    int n = snprintf(why, ENGINE_WHY_MAX, "%s says %s", call, leat_errno_name(code));
    if (disabled)
        snprintf(why + n, ENGINE_WHY_MAX - (size_t)n, " (kernel.io_uring_disabled is %u)", disabled);
    return code;
}

static int unfit(char why[ENGINE_WHY_MAX], const char *what)
{
    snprintf(why, ENGINE_WHY_MAX, "io_uring of this kernel has no %s", what);
    return -ENOSYS;
}

/* Makes a disabled ring. The first try asks for what newer kernels offer to a ring that only one thread uses; each
 * further try asks for less. */
static int set_up(struct io_uring *ring, struct io_uring_params *params)
{
    static const unsigned wishes[] = {
#if defined(IORING_SETUP_SINGLE_ISSUER) && defined(IORING_SETUP_DEFER_TASKRUN)
        IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
#endif
#if defined(IORING_SETUP_COOP_TASKRUN)
        IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
#endif
        0,
    };
    int r = -EINVAL;
    for (size_t i = 0; i < COUNT(wishes) && r == -EINVAL; i++) {
        *params = (struct io_uring_params){.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE | wishes[i],
                                           .cq_entries = COMPLETIONS};
        r = io_uring_queue_init_params(ENTRIES, ring, params);
    }
    return r;
}

/* Moves the ring's descriptor above the standard ones. On failure the ring has none. */
static int move_above_standard(struct io_uring *ring)
{
    int fd = fd_above_standard(ring->ring_fd);
    uring_set_descriptor(ring, MAX(fd, -1));
    return MIN(fd, 0);
}

static const char *missing(struct io_uring *ring, const struct io_uring_params *params)
{
    static const struct {
        int code;
        const char *name;
    } needed[] = {{IORING_OP_POLL_ADD, "POLL_ADD"}, {IORING_OP_ASYNC_CANCEL, "ASYNC_CANCEL"},
                  {IORING_OP_READ, "READ"},         {IORING_OP_RECV, "RECV"},
                  {IORING_OP_SPLICE, "SPLICE"},     {IORING_OP_TEE, "TEE"}};
    if (!(params->features & IORING_FEAT_NODROP))
        return "NODROP";
    if (!(params->features & IORING_FEAT_EXT_ARG))
        return "EXT_ARG";
    struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
    const char *what = probe ? NULL : "PROBE";
    for (size_t i = 0; i < COUNT(needed) && !what; i++)
        if (!io_uring_opcode_supported(probe, needed[i].code))
            what = needed[i].name;
    io_uring_free_probe(probe);
    return what;
}

int ring_open(struct io_uring *ring, char why[ENGINE_WHY_MAX])
{
    struct io_uring_params params;
    int r = set_up(ring, &params);
    if (r < 0)
        return ring_refused(why, "io_uring_setup", r);
    r = move_above_standard(ring);
    if (r < 0) {
        io_uring_queue_exit(ring);
        return ring_refused(why, "fcntl", r);
    }
    /* A seccomp filter may allow io_uring_setup alone, so io_uring_enter is tried. On a ring that is still disabled it
     * fails with EBADFD. */
    r = uring_enter(ring);
    const char *what = r == -EBADFD ? missing(ring, &params) : NULL;
    if (r == -EBADFD && !what) {
        io_uring_ring_dontfork(ring);
        return 0;
    }
    io_uring_queue_exit(ring);
    return what ? unfit(why, what) : ring_refused(why, "io_uring_enter", r < 0 ? r : -EINVAL);
}

/* liburing itself says it only since 2.4; this is the version that was built with. */
static const char *uring_version(void)
{
    return LEAT_URING_VERSION;
}

const struct library library_uring = {"liburing", "The engines uring and uring:all", uring_version, false};
