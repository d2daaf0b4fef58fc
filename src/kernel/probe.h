/* SPDX-License-Identifier: MIT */
/* Declarations that the probes share. A probe is a row of the table in probe.c: a name, a function that tries a
 * feature, and sentences for both outcomes. The functions are in probe_splice.c, probe_file.c and probe_process.c. */
#ifndef KERNEL_PROBE_H
#define KERNEL_PROBE_H

#include "base/base.h"
#include "base/fd.h"
#include <leat/probe.h>
#include <stdbool.h>
#include <sys/types.h>

/* What the kernel reports about io_uring; asked once, because eight rows use it. */
struct probe_ring {
    int setup;     /* 0, or the -errno of the set-up */
    int inventory; /* 0, or the -errno of the list of operations */
    bool has[256]; /* by IORING_OP_* */
};

struct probe_run {
    int directory;           /* directory for test files, opened with O_PATH */
    const char *file_system; /* "ext4", or NULL */
    struct probe_ring ring;
    char *text; /* sentence of the feature that is being tried */
    size_t text_size;
};

struct probe {
    const char *group, *name;
    int (*attempt)(struct probe_run *run, const struct probe *probe); /* 0 or a negative errno; never blocks */
    int which;       /* the kind of peer, or the operation of a ring, if a function serves several rows */
    const char *yes; /* a sentence */
    const char *no;  /* the consequence if it is missing: second half of a sentence */
};

/* Sets a sentence that is used instead of the row's own one, whatever the outcome. */
void probe_say(struct probe_run *run, const char *format, ...) PRINTF(2, 3);

/* probe_put writes 64 known bytes. probe_check rewinds `fd` if that is possible, waits a moment for the bytes, because
 * ptys deliver late, and compares them. Both return 0 or -errno; probe_check returns -EOPNOTSUPP if
 * the bytes do not come or differ: the call that had to move them did not do what it is for. */
#define PROBE_BYTES 64
int probe_put(int fd);
int probe_check(int fd);
/* Waits until poll reports `events`. Returns 0, or -ETIMEDOUT after 250 ms. */
int probe_wait(int fd, short events);

/* Returns the result of a call that had to move `want` bytes and has set errno: 0, -errno, or -EOPNOTSUPP if it moved
 * fewer. */
int probe_moved(ssize_t got, size_t want);

/* Make a pair of descriptors, which are close-on-exec and non-blocking. Both give the pair, or return -errno. */
int probe_pipe(int ret[2]);
int probe_socket_pair(int ret[2]);
void probe_close_pair(int (*fd)[2]);
#define CLEANUP_PAIR CLEANUP(probe_close_pair)

/* Creates a file in the directory that has no name, or not any more. Gives it, or returns -errno. */
int probe_file(struct probe_run *run);
/* Same as probe_file, but if that fails, creates a file in memory. For calls that do not depend on the file system. */
int probe_any_file(struct probe_run *run);

/* Creates a file in memory that can be sealed. Gives it, or returns -errno. */
int probe_memory(void);

/* Returns 0, or -EFBIG if a file of this process may not grow to so many bytes. */
int probe_file_limit(size_t bytes);

/* Writes a name that no file in the directory has. */
void probe_hidden_name(char *buffer, size_t size);

/* Reads a number from a file below /proc. Returns it, or a negative errno. */
int64_t probe_number(const char *path);

void probe_ring_open(struct probe_ring *ring);

/* The other end of a pipe; the value of `which` in the probes of splice. */
enum probe_peer {
    PEER_FILE,
    PEER_PIPE,
    PEER_NULL, /* only as the target */
    PEER_UNIX,
    PEER_TCP,
    PEER_TTY,
};
int probe_splice_from(struct probe_run *run, const struct probe *probe);
int probe_splice_to(struct probe_run *run, const struct probe *probe);
int probe_tee(struct probe_run *run, const struct probe *probe);
int probe_vmsplice(struct probe_run *run, const struct probe *probe);
int probe_nowait(struct probe_run *run, const struct probe *probe);
int probe_pipe_size(struct probe_run *run, const struct probe *probe);
int probe_pipe_limits(struct probe_run *run, const struct probe *probe);

int probe_directory(struct probe_run *run, const struct probe *probe);
int probe_unnamed(struct probe_run *run, const struct probe *probe);
int probe_link(struct probe_run *run, const struct probe *probe);
int probe_reflink(struct probe_run *run, const struct probe *probe);
int probe_copy_range(struct probe_run *run, const struct probe *probe);
int probe_sendfile_to_file(struct probe_run *run, const struct probe *probe);
int probe_sendfile_to_socket(struct probe_run *run, const struct probe *probe);
int probe_direct(struct probe_run *run, const struct probe *probe);
int probe_dontcache(struct probe_run *run, const struct probe *probe);
int probe_holes(struct probe_run *run, const struct probe *probe);

int probe_io_uring(struct probe_run *run, const struct probe *probe);
int probe_ring_operation(struct probe_run *run, const struct probe *probe);
int probe_memfd(struct probe_run *run, const struct probe *probe);
int probe_pidfd(struct probe_run *run, const struct probe *probe);
int probe_alg(struct probe_run *run, const struct probe *probe);
int probe_seccomp(struct probe_run *run, const struct probe *probe);
int probe_user(struct probe_run *run, const struct probe *probe);
int probe_resource(struct probe_run *run, const struct probe *probe);

#endif
