/* SPDX-License-Identifier: MIT */
/* The list of probes, which find out what this machine allows, and the function that runs them. */
#include "kernel/probe.h"
#include "base/library.h"
#include "base/platform.h"
#include "base/sigpipe.h"
#include "kernel/libc.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>

#define READ_INSTEAD "bytes pass through user memory on this way"
#define NO_RING      "plain system calls do this work"
#define NO_ALG       "digests are computed in user memory"

static const struct probe probes[] = {
    {"splice", "splice-file-to-pipe", probe_splice_from, PEER_FILE,
     "The pages of a file go into a pipe without a copy.", READ_INSTEAD},
    {"splice", "splice-pipe-to-file", probe_splice_to, PEER_FILE, "A file takes its bytes straight from a pipe.",
     READ_INSTEAD},
    {"splice", "splice-pipe-to-pipe", probe_splice_from, PEER_PIPE, "Bytes change pipes without a copy.", READ_INSTEAD},
    {"splice", "splice-pipe-to-null", probe_splice_to, PEER_NULL, "/dev/null swallows a pipe without looking at it.",
     READ_INSTEAD},
    {"splice", "splice-unix-to-pipe", probe_splice_from, PEER_UNIX,
     "A unix socket hands its bytes to a pipe inside the kernel.", READ_INSTEAD},
    {"splice", "splice-pipe-to-unix", probe_splice_to, PEER_UNIX,
     "A unix socket takes the pages of a pipe without a copy.", READ_INSTEAD},
    {"splice", "splice-tcp-to-pipe", probe_splice_from, PEER_TCP,
     "A TCP socket hands its bytes to a pipe inside the kernel.", READ_INSTEAD},
    {"splice", "splice-pipe-to-tcp", probe_splice_to, PEER_TCP, "A TCP socket takes the pages of a pipe.",
     READ_INSTEAD},
    {"splice", "splice-tty-to-pipe", probe_splice_from, PEER_TTY,
     "A terminal hands its bytes to a pipe inside the kernel.", READ_INSTEAD},
    {"splice", "splice-pipe-to-tty", probe_splice_to, PEER_TTY, "A terminal takes its bytes straight from a pipe.",
     READ_INSTEAD},
    {"splice", "tee", probe_tee, 0, "One pipe feeds several without a copy.",
     "several sinks share the chunks of one reader"},
    {"splice", "vmsplice", probe_vmsplice, 0, "User memory enters a pipe.", "memory is written to pipes instead"},

    {"pipe", "pipe-nowait", probe_nowait, 0,
     "RWF_NOWAIT reads and writes pipes without waiting and without changing their flags.",
     "pipes of others are polled before each call"},
    {"pipe", "pipe-1m", probe_pipe_size, 0, "A pipe grows to 1 MiB.",
     "private pipes stay smaller, which is slower and nothing else"},
    {"pipe", "pipe-limits", probe_pipe_limits, 0, "The limits of pipes can be read.",
     "the limits of pipes are found by asking for less and less"},

    {"file", "directory", probe_directory, 0, "Files can be made here.", "nothing can be published in this directory"},
    {"file", "o_tmpfile", probe_unnamed, 0, "Files are written without a name until they are complete.",
     "files are written under a hidden name, which a crash leaves behind"},
    {"file", "linkat-fd", probe_link, 0, "A file without a name gets one through /proc/self/fd.",
     "files are written under a hidden name, which a crash leaves behind"},
    {"file", "reflink", probe_reflink, 0, "A copy shares the blocks of its source (FICLONE).",
     "copies in this directory take their own blocks"},
    {"file", "copy_file_range", probe_copy_range, 0, "The kernel copies from file to file.",
     "files are copied by read and write, which is about as fast"},
    {"file", "sendfile-to-file", probe_sendfile_to_file, 0, "sendfile copies from file to file.",
     "files are copied by read and write, which is about as fast"},
    {"file", "sendfile-to-socket", probe_sendfile_to_socket, 0, "sendfile hands a file's pages to a socket.",
     READ_INSTEAD},
    {"file", "o_direct", probe_direct, 0, "Files can be read past the page cache.",
     "every read here goes through the page cache"},
    {"file", "rwf_dontcache", probe_dontcache, 0, "Pages leave the cache once they are written or read.",
     "what is copied here stays in the page cache until it is dropped by fadvise"},
    {"file", "seek_hole", probe_holes, 0, "Holes of sparse files are found.", "sparse files are read in full"},

    {"io_uring", "io_uring", probe_io_uring, 0, "A ring can be set up and entered.", NO_RING},
    {"io_uring", "io_uring-read", probe_ring_operation, IORING_OP_READ, "Reads may be queued.", NO_RING},
    {"io_uring", "io_uring-write", probe_ring_operation, IORING_OP_WRITE, "Writes may be queued.", NO_RING},
    {"io_uring", "io_uring-send", probe_ring_operation, IORING_OP_SEND, "Sends to sockets may be queued.", NO_RING},
    {"io_uring", "io_uring-poll", probe_ring_operation, IORING_OP_POLL_ADD, "A ring can wait for readiness.", NO_RING},
    {"io_uring", "io_uring-splice", probe_ring_operation, IORING_OP_SPLICE,
     "Splices may be queued; they run on kernel threads.", NO_RING},
    {"io_uring", "io_uring-tee", probe_ring_operation, IORING_OP_TEE, "Tees may be queued; they run on kernel threads.",
     NO_RING},
    {"io_uring", "io_uring-cancel", probe_ring_operation, IORING_OP_ASYNC_CANCEL,
     "What is in flight in a ring can be cancelled.", NO_RING},

    {"hash", "af_alg", probe_alg, 0, "The kernel offers its hashes to processes (used only on request).", NO_ALG},
    {"hash", "af_alg-sha1", probe_alg, 0, "The kernel computes SHA-1.", NO_ALG},
    {"hash", "af_alg-sha256", probe_alg, 0, "The kernel computes SHA-256.", NO_ALG},
    {"hash", "af_alg-sha512", probe_alg, 0, "The kernel computes SHA-512.", NO_ALG},
    {"hash", "af_alg-blake2b-512", probe_alg, 0, "The kernel computes BLAKE2b-512.", NO_ALG},
    {"hash", "af_alg-crc32c", probe_alg, 0, "The kernel computes CRC-32C.", NO_ALG},

    {"memory", "memfd-seals", probe_memfd, 0, "Shared memory can be sealed against shrinking.",
     "channels between processes are not available"},
    {"memory", "pidfd", probe_pidfd, 0, "The end of a process can be polled for.",
     "the death of a peer or child is noticed later"},

    {"process", "seccomp", probe_seccomp, 0, "The seccomp mode can be read.",
     "whether a filter stands in the way is unknown"},
    {"process", "user", probe_user, 0, "The user is known.", "the user is unknown"},
    {"process", "cap-sys-resource", probe_resource, 0, "The limits of pipes do not bind this process.",
     "the limits of pipes bind this process"},
};

static_assert(COUNT(probes) + 8 <= LEAT_FEATURES_MAX, "the public array has room for every probe and library");

/* Returns the usual meaning of an errno when a feature is tried, or else the sentence of the C library. */
static const char *cause(int code)
{
    static const struct {
        int code;
        const char *text;
    } causes[] = {
        {ENOSYS, "This kernel does not have it"},
        {EPERM, "Forbidden to this process, by a filter or for want of a privilege"},
        {EACCES, "Forbidden to this process, by permissions or a security module"},
        {EOPNOTSUPP, "Not offered here"},
        {EINVAL, "Not possible here"},
        {EAFNOSUPPORT, "Not in this kernel, or a filter hides it"},
        {EROFS, "The file system is read-only"},
    };
    for (size_t i = 0; i < COUNT(causes); i++)
        if (causes[i].code == -code)
            return causes[i].text;
    const char *text = libc_errno_text(-code);
    return text ? text : "Refused";
}

static void try_one(struct probe_run *run, const struct probe *probe, struct leat_feature *feature)
{
    *feature = (struct leat_feature){.group = probe->group, .name = probe->name};
    run->text = feature->text;
    run->text_size = sizeof(feature->text);
    feature->code = probe->attempt(run, probe);
    if (feature->text[0] != 0)
        return;
    if (feature->code == 0)
        probe_say(run, "%s", probe->yes);
    else
        probe_say(run, "%s; %s.", cause(feature->code), probe->no);
}

int leat_features_probe(struct leat_features *inout_features)
{
    const size_t head = offsetof(struct leat_features, feature);
    if (inout_features->size < head)
        return -EINVAL;
    const char *path = inout_features->directory ? inout_features->directory : ".";
    CLEANUP_FD int directory = fd_open(path, O_PATH | O_DIRECTORY, 0);
    if (directory < 0)
        return directory;

    /* A caller that was built with an older header has less room. */
    size_t room = (inout_features->size - head) / sizeof(struct leat_feature);
    struct platform_file_system system;
    platform.file_system(path, &system);
    struct probe_run run = {.directory = directory, .file_system = system.name};
    struct sigpipe_guard guard;
    sigpipe_enter(&guard);
    probe_ring_open(&run.ring);
    inout_features->count = (uint32_t)MIN(room, COUNT(probes));
    for (uint32_t i = 0; i < inout_features->count; i++)
        try_one(&run, &probes[i], &inout_features->feature[i]);
    sigpipe_leave(&guard);
    inout_features->count +=
        library_features(&inout_features->feature[inout_features->count], room - inout_features->count);
    return 0;
}
