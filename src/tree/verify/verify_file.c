/* SPDX-License-Identifier: MIT */
/* Compares two files: bytes, and what is kept of a file besides. */
#include "base/fd.h"
#include "base/op.h"
#include "base/platform.h"
#include "tree/verify/verify.h"
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

static enum leat_side side_of(int side)
{
    return side == SOURCE ? LEAT_SIDE_SOURCE : LEAT_SIDE_SINK;
}

/* ---- bytes ---- */

/* Opens one of the files, and nothing that has become something else. Returns the descriptor, or a code after it has
 * recorded the problem. */
static int open_one(const struct verify_name *n, int side)
{
    struct stat st;
    int fd = openat(n->dir->fd[side], n->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    if (fd < 0)
        return tree_problem(n->tree, n->dir, n->name, side_of(side), fd, "open", NULL);
    int r = fstat(fd, &st) < 0 ? -errno : 0;
    if (r == 0 && S_ISREG(st.st_mode))
        return fd;
    fd_close(fd);
    return tree_problem(n->tree, n->dir, n->name, side_of(side), r < 0 ? r : -ESTALE, "stat",
                        r < 0 ? NULL : "It became something else meanwhile");
}

/* Reads until the buffer is full or the file ends. Returns the bytes, or a code after it has recorded the problem. */
static ssize_t fill(const struct verify_name *n, int side, int fd, char *buffer)
{
    size_t length = 0;
    while (length < VERIFY_BYTES) {
        struct op op = {.kind = OP_READ,
                        .fd = {fd, -1},
                        .offset = {-1, -1},
                        .bytes = buffer + length,
                        .length = VERIFY_BYTES - length};
        ssize_t r = op_execute(&op);
        if (r < 0)
            return tree_problem(n->tree, n->dir, n->name, side_of(side), (int)r, op_name(OP_READ), NULL);
        if (r == 0)
            break;
        length += (size_t)r;
    }
    return (ssize_t)length;
}

static size_t first_difference(const char *a, const char *b, size_t n)
{
    size_t i = 0;
    if (memcmp(a, b, n) == 0)
        return n;
    while (a[i] == b[i])
        i++;
    return i;
}

static void tell(const struct verify_name *n, uint64_t offset, bool is_end)
{
    if (is_end)
        verify_difference(n->tree, n->dir, n->name, LEAT_TREE_CONTENTS, offset,
                          "one of the files ends at byte %" PRIu64 ", the other one goes on", offset);
    else
        verify_difference(n->tree, n->dir, n->name, LEAT_TREE_CONTENTS, offset,
                          "the contents differ from byte %" PRIu64 " on", offset);
}

static void compare(const struct verify_name *n, const int fd[SIDES], struct verify_worker *worker)
{
    uint64_t offset = 0;
    for (;;) {
        ssize_t a = fill(n, SOURCE, fd[SOURCE], worker->buffer[SOURCE]);
        ssize_t b = a < 0 ? a : fill(n, TARGET, fd[TARGET], worker->buffer[TARGET]);
        if (b < 0 || tree_is_canceled(n->tree))
            return;
        atomic_fetch_add(&n->tree->counts.bytes, (uint64_t)a);
        size_t both = (size_t)MIN(a, b);
        size_t same = first_difference(worker->buffer[SOURCE], worker->buffer[TARGET], both);
        if (same < both || a != b) {
            tell(n, offset + same, same == both);
            return;
        }
        if (a < VERIFY_BYTES)
            return;
        offset += VERIFY_BYTES;
    }
}

void verify_contents(const struct verify_name *n, struct verify_worker *worker)
{
    int source CLEANUP_FD = open_one(n, SOURCE);
    if (source < 0)
        return;
    int target CLEANUP_FD = open_one(n, TARGET);
    if (target >= 0)
        compare(n, (const int[SIDES]){source, target}, worker);
}

/* ---- the rest ---- */

static void verify_extended(const struct verify_name *n)
{
    char what[128];
    int r =
        platform.differing_attributes(n->dir->fd, n->name ? n->name : ".", n->st[SOURCE].st_mode, what, sizeof(what));
    if (r > 0)
        verify_difference(n->tree, n->dir, n->name, LEAT_TREE_ATTRIBUTES, 0, "%s: not the same", what);
    else if (r < 0)
        tree_problem(n->tree, n->dir, n->name, LEAT_SIDE_NONE, r, "getxattr", NULL);
}

void verify_attributes(const struct verify_name *n)
{
    const struct stat *a = &n->st[SOURCE], *b = &n->st[TARGET];
    if (a->st_uid != b->st_uid || a->st_gid != b->st_gid)
        verify_difference(n->tree, n->dir, n->name, LEAT_TREE_OWNER, 0, "the owner is %ju:%ju, in the target %ju:%ju",
                          (uintmax_t)a->st_uid, (uintmax_t)a->st_gid, (uintmax_t)b->st_uid, (uintmax_t)b->st_gid);
    if (((a->st_mode ^ b->st_mode) & 07777) && !S_ISLNK(a->st_mode))
        verify_difference(n->tree, n->dir, n->name, LEAT_TREE_MODE, 0, "the mode is %04o, in the target %04o",
                          (unsigned)a->st_mode & 07777, (unsigned)b->st_mode & 07777);
    if (a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec)
        verify_difference(n->tree, n->dir, n->name, LEAT_TREE_TIME, 0, "the time is %jd.%09ld, in the target %jd.%09ld",
                          (intmax_t)a->st_mtim.tv_sec, a->st_mtim.tv_nsec, (intmax_t)b->st_mtim.tv_sec,
                          b->st_mtim.tv_nsec);
    verify_extended(n);
}
