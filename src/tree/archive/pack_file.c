/* SPDX-License-Identifier: MIT */
/* The bytes of a regular file. Its length stands in front of them, so a file that becomes shorter while it is read gets
 * zeros in the place of what is missing, and one that becomes longer loses the rest. Both are told. */
#include "base/fd.h"
#include "base/platform.h"
#include "base/text.h"
#include "tree/archive/pack.h"
#include "tree/file.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <unistd.h>

/* ---- holes ---- */

/* Finds the next data at or after `at`. */
static void find_data(struct pack_file *f, uint64_t at)
{
    uint64_t size = (uint64_t)f->st.st_size;
    int r = at < size ? platform.find_data(f->fd, at, &f->data, &f->hole) : -ENXIO;
    if (r == -ENXIO)
        f->data = f->hole = size;
    else if (r < 0) {
        f->data = at;
        f->hole = size;
    }
    f->data = MIN(f->data, size);
    f->hole = MIN(f->hole, size);
}

/* Writes where the data is into the entry. */
static void add_map(struct pack_file *f, struct archive_entry *entry)
{
    uint64_t size = (uint64_t)f->st.st_size;
    bool is_empty = true;
    for (find_data(f, 0); f->data < size; find_data(f, f->hole)) {
        if (f->data == 0 && f->hole == size)
            return; /* there is no hole, whatever the number of blocks says */
        archive.entry_sparse_add_entry(entry, (la_int64_t)f->data, (la_int64_t)(f->hole - f->data));
        is_empty = false;
    }
    if (is_empty)
        archive.entry_sparse_add_entry(entry, 0, 0);
}

/* ---- the beginning ---- */

static int begin_digest(struct packing *p)
{
    const struct tree_copy *tree = p->tree;
    const char *why;
    size_t size;
    int r = tree->provider ? tree->provider->open(&p->file.digest, tree->options.digest, &size, &why) : 0;
    return r < 0 ? pack_problem(p, r, "digest", NULL) : 0;
}

static bool has_holes(const struct stat *st)
{
    return (uint64_t)st->st_blocks * 512 < (uint64_t)st->st_size;
}

static int begin(struct packing *p)
{
    struct pack_file *f = &p->file;
    struct archive_entry *entry = pack_entry(p, &f->st, f->fd, -1, NULL);
    f->data = 0;
    f->hole = (uint64_t)f->st.st_size;
    if (entry && has_holes(&f->st)) {
        add_map(f, entry);
        find_data(f, 0);
    }
    return pack_header(p, entry);
}

int pack_link(struct packing *p, const struct stat *st, int fd, int folder, const char *name, const char *first)
{
    struct archive_entry *entry = pack_entry(p, st, fd, folder, name);
    if (entry) {
        archive.entry_set_size(entry, 0);
        archive.entry_set_hardlink(entry, first);
    }
    atomic_fetch_add(&p->tree->counts.hard_links, 1);
    return pack_header(p, entry);
}

static int open_file(struct packing *p, int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct identity identity;
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    int r = fd < 0 ? fd : fstat(fd, &p->file.st) < 0 ? -errno : 0;
    if (r == 0 && !S_ISREG(p->file.st.st_mode))
        r = -ESTALE;
    identity_of_stat(&identity, &p->file.st);
    if (r == 0 && identity_is_same(&identity, &p->target->identity))
        r = -EINVAL;
    if (r == 0) {
        p->file.fd = fd;
        return 0;
    }
    fd_close(fd);
    return pack_problem(p, r, "open",
                        r == -ESTALE   ? "It became something else meanwhile"
                        : r == -EINVAL ? "It is the target of the copy, and is not copied into itself"
                                       : NULL);
}

int pack_begin_file(struct packing *p, int folder, const char *name)
{
    struct pack_file *f = &p->file;
    *f = (struct pack_file){.fd = -1};
    if (open_file(p, folder, name) < 0)
        return 0;
    if (f->st.st_nlink > 1 && p->tree->options.keep == LEAT_TREE_ALL) {
        int answer = links_meet(p->tree, p->tree->root, p->path, &f->st, &f->link);
        if (answer == LINKS_LINK) {
            int r = pack_link(p, &f->st, f->fd, -1, NULL, f->link->first.name);
            f->link = NULL;
            pack_close_file(p);
            return r;
        }
        if (answer < 0)
            return answer;
    }
    if (begin_digest(p) == 0)
        return begin(p);
    pack_close_file(p);
    return 0;
}

/* ---- the bytes ---- */

static void fail(struct packing *p, int code, const char *operation, const char *text)
{
    p->file.failed = true;
    pack_problem(p, code, operation, text);
}

/* Gives zeros in the place of a hole, or of what can't be read. Returns their number, or -ENOMEM. */
static ssize_t give_zeros(struct packing *p, uint64_t n, const unsigned char **ret)
{
    if (!p->zeros && !(p->zeros = calloc(PACK_ZEROS, 1)))
        return -ENOMEM;
    *ret = p->zeros;
    return (ssize_t)MIN(n, (uint64_t)PACK_ZEROS);
}

/* Gives the next piece. Returns its length, or -ENOMEM. */
static ssize_t next_piece(struct packing *p, const unsigned char **ret)
{
    struct pack_file *f = &p->file;
    uint64_t size = (uint64_t)f->st.st_size;
    ssize_t n;
    if (f->at == f->hole && !f->failed)
        find_data(f, f->at);
    if (f->failed || f->at < f->data)
        return give_zeros(p, (f->failed ? size : f->data) - f->at, ret);
    do
        n = pread(f->fd, p->block, (size_t)MIN(f->hole - f->at, (uint64_t)PACK_BLOCK), (off_t)f->at);
    while (n < 0 && errno == EINTR);
    *ret = p->block;
    if (n > 0)
        return n;
    fail(p, n < 0 ? -errno : -ESTALE, "read",
         n < 0 ? NULL : "It became shorter while it was read; zeros are in the place of the rest");
    return give_zeros(p, size - f->at, ret);
}

static void tell(struct packing *p)
{
    struct tree_copy *tree = p->tree;
    struct pack_file *f = &p->file;
    uint8_t value[DIGEST_BYTES_MAX];
    char hex[2 * DIGEST_BYTES_MAX + 1];
    atomic_fetch_add(&tree->counts.files, 1);
    atomic_fetch_add(&tree->counts.bytes, f->at);
    if (!f->digest || !tree->options.listed || tree->provider->value(f->digest, value) < 0)
        return;
    text_hex(value, tree->digest.size, hex);
    pthread_mutex_lock(&tree->lock);
    tree->options.listed(tree->options.user, p->path, hex);
    pthread_mutex_unlock(&tree->lock);
}

static int end(struct packing *p)
{
    struct pack_file *f = &p->file;
    struct stat now;
    int r = archive.write_finish_entry(p->archive);
    if (!f->failed && fstat(f->fd, &now) == 0 && now.st_size != f->st.st_size)
        fail(p, -ESTALE, "read", "Its length changed while it was read; the archive has its first bytes");
    if (!f->failed)
        tell(p);
    pack_close_file(p);
    return r == ARCHIVE_OK || r == ARCHIVE_WARN ? 0 : pack_failed(p);
}

int pack_go_on(struct packing *p)
{
    struct pack_file *f = &p->file;
    if (f->at >= (uint64_t)f->st.st_size)
        return end(p);
    const unsigned char *bytes;
    ssize_t n = next_piece(p, &bytes);
    int r = n < 0 ? (int)n : f->digest ? p->tree->provider->update(f->digest, bytes, (size_t)n) : 0;
    if (r < 0)
        return r;
    f->at += (uint64_t)n;
    return archive.write_data(p->archive, bytes, (size_t)n) == n ? 0 : pack_failed(p);
}

/* Further names of the file are links also if a part of it could not be read. */
void pack_close_file(struct packing *p)
{
    struct pack_file *f = &p->file;
    if (f->link)
        links_copied(p->tree, f->link, true);
    if (f->digest)
        p->tree->provider->close(f->digest);
    fd_close(f->fd);
    *f = (struct pack_file){.fd = -1};
}
