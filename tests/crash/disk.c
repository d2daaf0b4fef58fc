/* SPDX-License-Identifier: MIT */
/* A disk that records: a FUSE file system with the one file `disk`, whose bytes are those of IMAGE. Each write and each
 * flush is appended to LOG, in the order in which they are answered. A loop device over that file is the block device
 * that crash.py cuts the power of: the kernel turns the flushes of the file system into FSYNC.
 *
 *   disk IMAGE LOG FOLDER      mounts at FOLDER and serves until that is unmounted
 *
 * A record of the log is struct record and, for a write, its bytes. It speaks to the kernel itself, so no library is
 * needed. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    DISK = 2,
    MOST = 1 << 20
}; /* the number of the file; the most bytes of a write */

struct record {
    uint64_t offset;
    uint32_t length;
    uint32_t flush;
};

static int fuse, image, log_fd;
static uint64_t size;

static void need(int fine, const char *what)
{
    if (!fine) {
        perror(what);
        exit(1);
    }
}

/* iovec knows no const, also where nothing is written. */
static struct iovec piece_of(const void *bytes, size_t n)
{
    union {
        const void *from;
        void *to;
    } u = {bytes};
    return (struct iovec){u.to, n};
}

static void answer(uint64_t unique, int error, const void *data, size_t length)
{
    struct fuse_out_header out = {.len = (uint32_t)(sizeof(out) + length), .error = error, .unique = unique};
    struct iovec v[2] = {{&out, sizeof(out)}, piece_of(data, length)};
    /* ENOENT: whoever asked has been interrupted. */
    need(writev(fuse, v, 2) >= 0 || errno == ENOENT, "answer");
}

static void record(uint64_t offset, const void *data, uint32_t length, uint32_t flush)
{
    struct record r = {offset, length, flush};
    struct iovec v[2] = {{&r, sizeof(r)}, piece_of(data, length)};
    need(writev(log_fd, v, 2) == (ssize_t)(sizeof(r) + length), "log");
}

static struct fuse_attr attributes(uint64_t node)
{
    struct fuse_attr a = {
        .ino = node, .nlink = 1, .mode = S_IFREG | 0600, .blksize = 4096, .size = size, .blocks = size / 512};
    if (node == FUSE_ROOT_ID)
        a.mode = S_IFDIR | 0700;
    return a;
}

static void do_init(uint64_t unique, const struct fuse_init_in *in)
{
    struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = MOST};
    out.flags = in->flags & (FUSE_BIG_WRITES | FUSE_MAX_PAGES | FUSE_ASYNC_READ);
    out.max_pages = MOST / 4096;
    out.max_readahead = in->max_readahead;
    out.max_background = 16;
    out.congestion_threshold = 12;
    answer(unique, 0, &out, sizeof(out));
}

static void do_lookup(uint64_t unique, const char *name)
{
    struct fuse_entry_out out = {.nodeid = DISK, .attr_valid = 3600, .entry_valid = 3600, .attr = attributes(DISK)};
    if (strcmp(name, "disk") != 0)
        answer(unique, -ENOENT, NULL, 0);
    else
        answer(unique, 0, &out, sizeof(out));
}

static void do_read(uint64_t unique, const struct fuse_read_in *in)
{
    static char bytes[MOST];
    ssize_t n = pread(image, bytes, in->size < MOST ? in->size : MOST, (off_t)in->offset);
    answer(unique, n < 0 ? -errno : 0, bytes, n < 0 ? 0 : (size_t)n);
}

static void do_write(uint64_t unique, const struct fuse_write_in *in)
{
    struct fuse_write_out out = {.size = in->size};
    need(pwrite(image, in + 1, in->size, (off_t)in->offset) == (ssize_t)in->size, "image");
    record(in->offset, in + 1, in->size, 0);
    answer(unique, 0, &out, sizeof(out));
}

static void serve(const struct fuse_in_header *h)
{
    const void *in = h + 1;
    struct fuse_attr_out attr = {.attr_valid = 3600, .attr = attributes(h->nodeid)};
    struct fuse_open_out opened = {0};
    switch (h->opcode) {
    case FUSE_INIT:
        do_init(h->unique, in);
        break;
    case FUSE_LOOKUP:
        do_lookup(h->unique, in);
        break;
    case FUSE_READ:
        do_read(h->unique, in);
        break;
    case FUSE_WRITE:
        do_write(h->unique, in);
        break;
    case FUSE_GETATTR:
    case FUSE_SETATTR:
        answer(h->unique, 0, &attr, sizeof(attr));
        break;
    case FUSE_OPEN:
    case FUSE_OPENDIR:
        answer(h->unique, 0, &opened, sizeof(opened));
        break;
    case FUSE_FSYNC:
        record(0, NULL, 0, 1);
        answer(h->unique, 0, NULL, 0);
        break;
    case FUSE_FLUSH:
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
    case FUSE_DESTROY:
        answer(h->unique, 0, NULL, 0);
        break;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
        break; /* these have no answer */
    default:
        answer(h->unique, -ENOSYS, NULL, 0);
    }
}

int main(int argc, char **argv)
{
    static char request[MOST + 4096] __attribute__((aligned(8)));
    char options[100];
    struct stat s;
    if (argc != 4)
        return 2;
    need((image = open(argv[1], O_RDWR | O_CLOEXEC)) >= 0 && fstat(image, &s) == 0, argv[1]);
    size = (uint64_t)s.st_size;
    need((log_fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) >= 0, argv[2]);
    need((fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC)) >= 0, "/dev/fuse");
    snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
    need(mount("leat-disk", argv[3], "fuse", MS_NOSUID | MS_NODEV, options) == 0, argv[3]);
    for (;;) {
        ssize_t n = read(fuse, request, sizeof(request));
        if (n < 0 && errno == ENODEV) /* unmounted */
            return 0;
        if (n < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN))
            continue;
        need(n >= (ssize_t)sizeof(struct fuse_in_header), "request");
        serve((const void *)request);
    }
}
