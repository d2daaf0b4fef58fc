/* What the probes share. A probe is a row of the table in probe.c: a name, a function that tries it, and what is to be
 * said if it works or does not. The functions stand by subject in probe_splice.c, probe_file.c and probe_process.c. */
#ifndef KERNEL_PROBE_H
#define KERNEL_PROBE_H

#include "base/base.h"
#include "base/fd.h"
#include <leat/probe.h>
#include <stdbool.h>
#include <sys/types.h>

/* What the kernel said of io_uring; learnt once, since eight rows ask for it. */
struct probe_ring {
    int setup;     /* 0, or why there is no ring */
    int inventory; /* 0, or why the ring does not tell its operations */
    bool has[256]; /* by IORING_OP_* */
};

struct probe_run {
    int directory;           /* where files are tried, open as a path only */
    const char *file_system; /* "ext4", or NULL */
    struct probe_ring ring;
    char *text; /* of the feature that is being tried */
    size_t text_size;
};

struct probe {
    const char *group, *name;
    int (*attempt)(struct probe_run *run, const struct probe *probe); /* 0 or a negative errno; never blocks */
    int which;       /* the kind of peer, or the operation of a ring, where a function serves several rows */
    const char *yes; /* a sentence */
    const char *no;  /* what follows from its absence: the second half of one */
};

/* Says something better than the row's own sentence, whatever the outcome. */
void probe_say(struct probe_run *run, const char *format, ...) PRINTF(2, 3);

/* 64 known bytes. put writes them. check rewinds if that is possible, waits a moment for them (ptys deliver late) and
 * compares: -ETIMEDOUT, -EBADMSG. */
#define PROBE_BYTES 64
int probe_put(int fd);
int probe_check(int fd);
/* Until poll reports `events`, or -ETIMEDOUT after a moment. */
int probe_wait(int fd, short events);

/* The result of a call that was to move `want` bytes and has set errno. */
int probe_moved(ssize_t got, size_t want);

/* Both ends close-on-exec and non-blocking. */
int probe_pipe(int ret[2]);
int probe_socket_pair(int ret[2]);
void probe_close_pair(int (*fd)[2]);
#define CLEANUP_PAIR CLEANUP(probe_close_pair)

/* A file in the directory that has no name (any more). Gives it, or -errno. */
int probe_file(struct probe_run *run);
/* The same, or where none can be made one in memory, for calls that are asked about in general. */
int probe_any_file(struct probe_run *run);

/* A file in memory that can be sealed. Gives it, or -errno. */
int probe_memory(void);

/* -EFBIG if a file of this process may not grow to so many bytes. */
int probe_file_limit(size_t bytes);

/* A name in the directory that nobody has. */
void probe_hidden_name(char *buffer, size_t size);

/* A number from a file below /proc, or a negative errno. */
int64_t probe_number(const char *path);

void probe_ring_open(struct probe_ring *ring);

/* enum probe_peer: what stands at the other end of a pipe. */
enum probe_peer {
    PEER_FILE,
    PEER_PIPE,
    PEER_NULL, /* only to it */
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
