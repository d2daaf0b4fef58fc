/* SPDX-License-Identifier: MIT */
#include "image/layout_partial.h"
#include "base/fd.h"
#include "image/place.h"
#include "store/oci/reference.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define MARK   ".leat-"
#define WEEK_S (7 * 24 * 60 * 60)

struct partial {
    const struct layout_folder *folder;
    struct image_watch *watch;
    struct descriptor blob;
    char name[sizeof(MARK) + LEAT_IMAGE_DIGEST_MAX]; /* ".leat-sha256-HEX" */
    int fd;
    uint64_t had;
    dev_t device; /* of the layout */
    ino_t inode;
    struct partial *next;
};

/* The partial files that this process uses. The file lock excludes other processes, but not other threads of this one.
 * Besides, closing any descriptor of a file drops all locks that the process has on it. */
static struct {
    pthread_mutex_t lock;
    struct partial *first;
} used = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool note_use(struct partial *p)
{
    pthread_mutex_lock(&used.lock);
    const struct partial *other = used.first;
    while (other && (other->device != p->device || other->inode != p->inode || strcmp(other->name, p->name) != 0))
        other = other->next;
    if (!other) {
        p->next = used.first;
        used.first = p;
    }
    pthread_mutex_unlock(&used.lock);
    return !other;
}

/* Closes the file before another thread can open it. */
static void forget_use(struct partial *p)
{
    pthread_mutex_lock(&used.lock);
    struct partial **link = &used.first;
    while (*link != p)
        link = &(*link)->next;
    *link = p->next;
    p->fd = fd_close(p->fd);
    pthread_mutex_unlock(&used.lock);
}

static void set_name(struct partial *p)
{
    snprintf(p->name, sizeof(p->name), MARK "%s", p->blob.digest);
    p->name[strcspn(p->name, ":")] = '-';
}

/* Does the name still refer to this file? Another copy may have published or removed it before this one got the
 * lock. */
static bool is_named(const struct partial *p, const struct stat *st)
{
    struct stat named;
    return fstatat(p->folder->fd[FOLDER_ROOT], p->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           named.st_dev == st->st_dev && named.st_ino == st->st_ino;
}

static bool take_file(struct partial *p)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat st;
    int fd = openat(p->folder->fd[FOLDER_ROOT], p->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    p->fd = fd < 0 ? -1 : MAX(fd_above_standard(fd), -1);
    if (p->fd < 0 || fcntl(p->fd, F_SETLK, &lock) < 0 || fstat(p->fd, &st) < 0 || !S_ISREG(st.st_mode) ||
        st.st_nlink != 1 || !is_named(p, &st))
        return false;
    p->had = (uint64_t)st.st_size;
    if (p->had > p->blob.size) { /* not of this blob */
        p->had = 0;
        if (ftruncate(p->fd, 0) < 0)
            return false;
    }
    if (p->had && p->had == p->blob.size) /* leave one byte, because the source cannot be asked for none */
        p->had--;
    return lseek(p->fd, (off_t)p->had, SEEK_SET) >= 0;
}

int partial_open(struct partial **ret, const struct layout_folder *folder, const struct descriptor *blob,
                 struct image_watch *watch)
{
    struct stat root;
    struct partial *p = calloc(1, sizeof(*p));
    *ret = NULL;
    if (!p)
        return -ENOMEM;
    *p = (struct partial){.folder = folder, .watch = watch, .blob = *blob, .fd = -1};
    set_name(p);
    if (fstat(folder->fd[FOLDER_ROOT], &root) < 0) {
        free(p);
        return 0;
    }
    p->device = root.st_dev;
    p->inode = root.st_ino;
    if (!note_use(p)) {
        free(p);
        return 0;
    }
    if (take_file(p)) {
        *ret = p;
        return 0;
    }
    forget_use(p);
    free(p);
    return 0;
}

uint64_t partial_length(const struct partial *part)
{
    return part->had;
}

int partial_sink(struct partial *part, leat_endpoint **ret)
{
    return leat_endpoint_from_fd(ret, part->fd, LEAT_BORROW);
}

/* ---- the end ---- */

/* Bytes of two copies are compared with the digest as a whole. */
static int compare(const struct partial *p, struct leat_error *error)
{
    leat_endpoint *in = NULL, *out = NULL;
    if (lseek(p->fd, 0, SEEK_SET) < 0)
        return error_set(error, -errno, "%.80s can't be read again", p->blob.digest);
    int r = leat_endpoint_from_fd(&in, p->fd, LEAT_BORROW);
    if (r == 0 && (r = leat_endpoint_open(&out, "null:", LEAT_WRITE, NULL, NULL)) < 0)
        leat_endpoint_close(in);
    if (r < 0)
        return error_set(error, r, "%.80s can't be read again", p->blob.digest);
    r = place_move(p->watch, in, out, p->blob.digest, NULL, p->blob.digest, error);
    if (r != -EBADMSG)
        return r;
    *error = (struct leat_error){.size = sizeof(*error)};
    return error_at(error, -ESTALE, LEAT_SIDE_SINK, "", "verify",
                    "%.80s: what an earlier copy has left is not its beginning", p->blob.digest);
}

static int publish(const struct partial *p, struct leat_error *error)
{
    const char *name;
    char buffer[128];
    struct stat st;
    enum folder in = folder_of(p->blob.digest, &name);
    int r = folder_look(p->folder, in, name, &st, error);
    if (r == 0 && renameat(p->folder->fd[FOLDER_ROOT], p->name, p->folder->fd[in], name) < 0) {
        r = errno == ENOENT && st.st_nlink > 0 ? -EEXIST : -errno;
        error_at(error, r, LEAT_SIDE_SINK, "", "rename", "%.80s: %s", p->blob.digest,
                 error_text(r, buffer, sizeof(buffer)));
    }
    return r;
}

/* Is the file of use to the next copy? Not if its bytes are wrong, or if it fills the disk. */
static bool is_useful(const struct partial *p, int code)
{
    struct stat st;
    return code != -EBADMSG && code != -ESTALE && code != -ENOSPC && code != -EDQUOT && fstat(p->fd, &st) == 0 &&
           st.st_size > 0;
}

int partial_end(struct partial *p, int code, struct leat_error *error)
{
    int r = code;
    if (r == 0 && p->had)
        r = compare(p, error);
    if (r == 0)
        r = publish(p, error);
    if (r < 0 && !is_useful(p, r))
        unlinkat(p->folder->fd[FOLDER_ROOT], p->name, 0);
    forget_use(p);
    free(p);
    return r;
}

/* ---- leftover files ---- */

static bool is_abandoned(const struct layout_folder *folder, const char *entry)
{
    char digest[LEAT_IMAGE_DIGEST_MAX];
    const char *name;
    struct stat st;
    snprintf(digest, sizeof(digest), "%.135s", entry + strlen(MARK));
    digest[strcspn(digest, "-")] = ':';
    if (strlen(entry) != strlen(MARK) + strlen(digest) || !oci_digest_is_valid(digest))
        return false;
    enum folder in = folder_of(digest, &name);
    if (fstatat(folder->fd[in], name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return true;
    return fstatat(folder->fd[FOLDER_ROOT], entry, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtime + WEEK_S < time(NULL);
}

void partial_sweep(const struct layout_folder *folder)
{
    int fd = openat(folder->fd[FOLDER_ROOT], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *root = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && !root)
        fd_close(fd);
    for (const struct dirent *entry; root && (entry = readdir(root));)
        if (strncmp(entry->d_name, MARK, strlen(MARK)) == 0 && is_abandoned(folder, entry->d_name))
            unlinkat(folder->fd[FOLDER_ROOT], entry->d_name, 0);
    if (root)
        closedir(root);
}
