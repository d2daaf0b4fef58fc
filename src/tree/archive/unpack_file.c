/* SPDX-License-Identifier: MIT */
/* A regular file of an archive: it is written without a name and gets one when it is whole. */
#include "base/fd.h"
#include "base/text.h"
#include "endpoint/publish.h"
#include "tree/archive/unpack.h"
#include "tree/tree.h"
#include <unistd.h>

struct unpacking {
    struct unpack *u;
    int fd;
    int64_t end;  /* of the bytes so far */
    void *digest; /* its state; NULL: none */
    size_t digest_size;
    char hex[2 * DIGEST_BYTES_MAX + 1];
};

static int fail(const struct unpacking *f, int code, const char *operation)
{
    return unpack_problem(f->u, LEAT_SIDE_SINK, code, operation, NULL);
}

static int write_at(const struct unpacking *f, const char *bytes, size_t n, int64_t at)
{
    while (n) {
        ssize_t done = pwrite(f->fd, bytes, n, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return fail(f, done < 0 ? -errno : -EIO, "write");
        bytes += done;
        n -= (size_t)done;
        at += done;
    }
    return 0;
}

static int digest(const struct unpacking *f, const void *bytes, size_t n)
{
    int r = f->digest ? f->u->tree->provider->update(f->digest, bytes, n) : 0;
    return r < 0 ? unpack_problem(f->u, LEAT_SIDE_FILTER, r, "digest", NULL) : 0;
}

/* The digest has the zeros of a hole, too. */
static int digest_hole(const struct unpacking *f, int64_t n)
{
    static const char zeros[65536];
    int r = 0;
    while (f->digest && n > 0 && r == 0) {
        size_t piece = (size_t)MIN(n, (int64_t)sizeof(zeros));
        r = tree_is_wanted(f->u->tree) ? digest(f, zeros, piece) : -ECANCELED;
        n -= (int64_t)piece;
    }
    return r;
}

/* Takes a piece of the file. Returns 0, or a code after it has recorded the problem. */
static int take(struct unpacking *f, const void *bytes, size_t n, int64_t at)
{
    if (at < f->end)
        return unpack_problem(f->u, LEAT_SIDE_SOURCE, -EBADMSG, "read", "Its pieces are not in their order");
    int r = digest_hole(f, at - f->end);
    if (r == 0)
        r = digest(f, bytes, n);
    if (r == 0)
        r = write_at(f, bytes, n, at);
    f->end = at + (int64_t)n;
    return r;
}

/* Returns 0; 1 after a problem that was recorded; or a negative errno: the archive can't be read on. */
static int take_all(struct unpacking *f, struct archive_entry *entry, struct leat_error *error)
{
    const void *bytes;
    int64_t at, size = archive.entry_size(entry);
    size_t n;
    int r;
    while ((r = unpack_reader_bytes(&f->u->reader, &bytes, &n, &at, error)) > 0)
        if (n > 0 && take(f, bytes, n, at) < 0)
            return 1;
    if (r < 0 || f->end >= size)
        return r;
    /* It ends with a hole. The length comes first: it may be more than the file system has. */
    if (ftruncate(f->fd, (off_t)size) < 0)
        return fail(f, -errno, "ftruncate"), 1;
    return digest_hole(f, size - f->end) < 0;
}

/* Looks at what has the name in the target. Returns 0, or a code after it has recorded the problem. */
static int look_at_old(struct unpack *u, struct publish *publish)
{
    struct stat st;
    int r = place_stat(&publish->place, &st);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return unpack_problem(u, LEAT_SIDE_SINK, r, "stat", NULL);
    if (S_ISDIR(st.st_mode))
        return unpack_problem(u, LEAT_SIDE_SINK, -EISDIR, "stat", "A file can't replace a folder");
    publish->replaces = true;
    identity_of_stat(&publish->old, &st);
    return 0;
}

static int begin_digest(struct unpacking *f)
{
    const struct tree_copy *tree = f->u->tree;
    const char *why;
    int r = tree->provider ? tree->provider->open(&f->digest, tree->options.digest, &f->digest_size, &why) : 0;
    return r < 0 ? unpack_problem(f->u, LEAT_SIDE_FILTER, r, "digest", NULL) : 0;
}

static void tell(struct unpacking *f)
{
    struct tree_copy *tree = f->u->tree;
    uint8_t value[DIGEST_BYTES_MAX];
    atomic_fetch_add(&tree->counts.files, 1);
    atomic_fetch_add(&tree->counts.bytes, (uint64_t)f->end);
    if (!f->digest || tree->provider->value(f->digest, value) < 0 || !tree->options.listed)
        return;
    text_hex(value, f->digest_size, f->hex);
    if (f->u->layers) {
        if (unpack_keep_digest(f->u, f->hex) < 0)
            unpack_problem(f->u, LEAT_SIDE_NONE, -ENOMEM, "digest", NULL);
        return;
    }
    pthread_mutex_lock(&tree->lock);
    tree->options.listed(tree->options.user, f->u->path, f->hex);
    pthread_mutex_unlock(&tree->lock);
}

/* Returns as take_all. */
static int fill(struct unpacking *f, struct archive_entry *entry, struct publish *publish, struct leat_error *error)
{
    struct unpack *u = f->u;
    const char *operation;
    int r = begin_digest(f) < 0 ? 1 : take_all(f, entry, error);
    if (r != 0)
        return r;
    f->end = MAX(f->end, archive.entry_size(entry));
    given_to_file(u->tree, u->path, &u->given, f->fd); /* it has recorded what was not kept */
    r = u->tree->root->closes_late ? op_close_duplicate(f->fd) : 0;
    if (r < 0)
        return fail(f, r, op_name(OP_CLOSE)), 1;
    r = publish_commit(publish, false, &operation);
    if (r < 0)
        return fail(f, r, operation), 1;
    tell(f);
    return 0;
}

int unpack_file(struct unpack *u, struct archive_entry *entry, int folder, struct leat_error *error)
{
    struct unpacking f = {.u = u};
    char *own CLEANUP_FREE = strdup(u->name);
    struct publish publish = {.place = {.directory = folder, .name = own}, .fd = -1};
    if (!own)
        return -ENOMEM;
    publish.is_linkable = atomic_load_explicit(&u->tree->root->is_linkable, memory_order_relaxed);
    if (look_at_old(u, &publish) < 0)
        return 0;
    f.fd = publish_open(&publish, 0600);
    if (f.fd < 0)
        return fail(&f, f.fd, "open"), 0;
    int r = fill(&f, entry, &publish, error);
    if (r == 0 && publish.unnamed)
        atomic_store_explicit(&u->tree->root->is_linkable, true, memory_order_relaxed);
    if (f.digest)
        u->tree->provider->close(f.digest);
    publish_abort(&publish);
    fd_close(f.fd);
    return r < 0 ? r : 0;
}
