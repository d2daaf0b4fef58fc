/* SPDX-License-Identifier: MIT */
/* A path: opened for reading, written in place, appended to, or published (publish.c). */
#include "endpoint/file.h"
#include "base/fd.h"
#include "base/platform.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- opening ---- */

static bool is_ready(const struct node *node)
{
    return node->kind == NODE_FILE || node->kind == NODE_BLOCK;
}

/* Another file may have the name by now, unless the file is held by a descriptor. (Overlayfs gives a file new numbers
 * when it is first written to.) */
static int check_identity(struct file *f, int fd, struct stat *ret, struct leat_error *error)
{
    struct node *node = &f->endpoint.node;
    struct identity opened;
    if (fstat(fd, ret) < 0)
        return endpoint_error(node, error, -errno, "fstat", NULL);
    identity_of_stat(&opened, ret);
    enum leat_side side = node->direction == LEAT_READ ? LEAT_SIDE_SOURCE : LEAT_SIDE_SINK;
    bool held = f->way[0] && (node->kind != NODE_PIPE || node->direction == LEAT_READ);
    if (!held && ((ret->st_mode & S_IFMT) != f->type || !identity_is_same(&opened, &node->identity)))
        return error_at(error, -ESTALE, side, node->name, "open", "Its name was given to another file meanwhile");
    if (ret->st_nlink == 0 && !f->deleted && node->kind == NODE_FILE)
        return error_at(error, -ENOENT, side, node->name, "open", "It was deleted meanwhile");
    return 0;
}

/* Opens the file and never waits, whatever has the name by now: a file that is held cannot become a FIFO, and anything
 * else is opened with O_NONBLOCK. */
static int open_held(struct file *f, int flags)
{
    bool blocks = f->way[0] && is_ready(&f->endpoint.node);
    return fd_open(file_way(f), flags | O_NOCTTY | (blocks ? 0 : O_NONBLOCK), 0);
}

static int open_source(struct file *f, struct leat_error *error)
{
    struct node *node = &f->endpoint.node;
    struct stat st;
    int fd = open_held(f, O_RDONLY);
    if (fd < 0)
        return endpoint_error(node, error, fd, "open", NULL);
    int r = check_identity(f, fd, &st, error);
    if (r < 0) {
        fd_close(fd);
        return r;
    }
    if (node->kind == NODE_FILE)
        node_set_stat(node, &st); /* The file may have grown meanwhile. */
    off_t end = node->kind == NODE_BLOCK ? lseek(fd, 0, SEEK_END) : -1;
    if (end > 0) {
        node->has_size = true;
        node->size = (uint64_t)end;
    }
    bool seeks = is_ready(node) && lseek(fd, 0, SEEK_SET) == 0;
    node_set_fd(node, fd, seeks ? 0 : -1, is_ready(node) ? NODE_WAIT_NEVER : NODE_WAIT_OWN);
    node->seek_fd = seeks ? fd : -1;
    /* A FIFO that no writer has opened yet reads as ended, so poll waits for the first writer. */
    node->port.blocked = node->kind == NODE_PIPE;
    return 0;
}

static unsigned new_mode(const struct node *source)
{
    return source->kind == NODE_FILE ? source->mode & 0777 : 0666;
}

/* Makes a new file under its final name. Returns the descriptor or a negative errno. */
static int make_in_place(struct file *f, const struct node *source)
{
    int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | (f->endpoint.node.append ? O_APPEND : 0);
    int fd = openat(f->publish.place.directory, f->publish.place.name, flags, (mode_t)new_mode(source));
    return fd < 0 ? -errno : fd_above_standard(fd);
}

/* A block device is opened exclusively, so that a mounted one is not written to. */
static int open_existing(struct file *f)
{
    struct node *node = &f->endpoint.node;
    if (node->kind == NODE_PIPE)
        return fifo_open(&f->opener, f->path, &node->port);
    int flags = (node->append ? O_APPEND : 0) | (node->kind == NODE_BLOCK && !f->force ? O_EXCL : 0);
    int fd = open_held(f, (node->kind == NODE_FILE && !f->is_fixed ? O_RDWR : O_WRONLY) | flags);
    return fd == -EACCES && node->kind == NODE_FILE ? open_held(f, O_WRONLY | flags) : fd;
}

/* Finds out how much room the sink has. That is known only where bytes are stored as they are: not where the file
 * system compresses, or shares the blocks of the source. */
static void find_room(struct node *node, const struct node *source)
{
    static const char *const plain[] = {"ext4", "tmpfs", "xfs"};
    struct statvfs s;
    struct stat st = {.st_blocks = 0}; /* As for a new file. */
    if (node->kind == NODE_BLOCK) {
        off_t end = lseek(node->fd, 0, SEEK_END);
        node->has_room = end > 0 && lseek(node->fd, 0, SEEK_SET) == 0;
        node->room = node->has_room ? (uint64_t)end : 0;
    }
    bool is_plain = false;
    for (size_t i = 0; i < COUNT(plain) && node->kind == NODE_FILE && node->file_system; i++)
        is_plain |= strcmp(node->file_system, plain[i]) == 0;
    bool shares = is_plain && strcmp(node->file_system, "xfs") == 0;
    if (!is_plain || ((shares || !node->fresh) && fstat(node->fd, &st) < 0))
        return;
    if ((shares && st.st_dev == source->device) || fstatvfs(node->fd, &s) < 0 || s.f_blocks == 0)
        return;
    node->has_room = true;
    /* Reserved blocks count: root, and the users that the file system names, may use them, and a refusal must not be
     * wrong. */
    uint64_t own = (uint64_t)st.st_blocks * 512, used = (uint64_t)st.st_size;
    node->room = (uint64_t)s.f_bfree * s.f_frsize;
    node->room += !node->append ? own : own > used ? own - used : 0;
}

/* Opens everything that is not published, also devices and FIFOs. */
static int open_in_place(struct file *f, const struct node *source, struct leat_error *error)
{
    struct node *node = &f->endpoint.node;
    struct stat st;
    int fd = f->exists ? open_existing(f) : make_in_place(f, source);
    if (fd == -EAGAIN && node->kind == NODE_PIPE)
        return fd;
    bool in_use = fd == -EBUSY && node->kind == NODE_BLOCK;
    if (in_use)
        error_advise(error, LEAT_ADVICE_FORCE);
    if (fd < 0)
        return endpoint_error(node, error, fd, "open", in_use ? "it is mounted, or in use by the system" : NULL);
    int r = f->exists ? check_identity(f, fd, &st, error) : 0;
    if (r < 0) {
        fd_close(fd);
        return r;
    }
    bool seeks = is_ready(node) && !node->append && lseek(fd, 0, SEEK_SET) == 0;
    node_set_fd(node, fd, seeks ? 0 : -1, is_ready(node) ? NODE_WAIT_NEVER : NODE_WAIT_OWN);
    find_room(node, source);
    return 0;
}

/* Attributes that cannot be kept are reported now, before a byte has moved. */
static int try_attributes(struct file *f, struct leat_error *error)
{
    struct node *node = &f->endpoint.node;
    char lost[CARRY_LOST_MAX];
    const char *operation;
    f->carried.from = f->way[0] ? f->way : f->path;
    int r = f->exists ? carry_try(&f->carried, node->fd, &operation, lost) : 0;
    if (r < 0)
        return file_would_lose(f, error, r, operation, lost);
    if (!f->preserve || f->carried.drops || f->source->kind != NODE_FILE)
        return 0;
    struct stat st;
    r = fstat(node->fd, &st) < 0 ? -errno : carry_mode(node->fd, f->source->mode & 01777);
    if (r < 0)
        return file_would_lose(f, error, r, "fchmod", "the mode of the source");
    r = carry_mode(node->fd, st.st_mode & 07777);
    return r < 0 ? endpoint_error(node, error, r, "fchmod", NULL) : 0;
}

static int open_published(struct file *f, const struct node *source, struct leat_error *error)
{
    struct node *node = &f->endpoint.node;
    int fd = publish_open(&f->publish, new_mode(source));
    bool forbidden = fd == -EACCES || fd == -EPERM || fd == -EROFS;
    if (forbidden && f->exists)
        error_advise(error, LEAT_ADVICE_IN_PLACE);
    if (fd < 0)
        return endpoint_error(node, error, fd, "open",
                              !forbidden  ? NULL
                              : f->exists ? "no new file can be made beside it"
                                          : "no new file can be made in that directory");
    node_set_fd(node, fd, 0, NODE_WAIT_NEVER);
    find_room(node, source);
    return try_attributes(f, error);
}

static int file_open(struct node *node, const struct node *source, struct leat_error *error)
{
    struct file *f = (struct file *)node;
    if (node->direction == LEAT_READ)
        return open_source(f, error);
    f->source = source;
    return node->fresh ? open_published(f, source, error) : open_in_place(f, source, error);
}

/* ---- the end ---- */

static int sync_file(struct file *f)
{
    struct op op = {.kind = OP_FSYNC, .fd = {-1, f->endpoint.node.fd}};
    return f->sync ? (int)op_execute(&op) : 0;
}

/* Closing is the last call that can fail. A duplicate is closed before anything is published, to learn the result. */
static int close_duplicate(struct file *f, struct leat_error *error)
{
    struct node *node = &f->endpoint.node;
    int r = node->kind == NODE_PIPE ? 0 : op_close_duplicate(node->fd);
    return r < 0 ? endpoint_error(node, error, r, op_name(OP_CLOSE), "what was written may be lost") : 0;
}

/* Only disks can be synced; pipes and most devices cannot. */
static int finish_device(struct file *f, struct leat_error *error)
{
    int r = sync_file(f);
    if (r < 0 && r != -EINVAL && r != -EROFS)
        return endpoint_error(&f->endpoint.node, error, r, "fsync", NULL);
    return close_duplicate(f, error);
}

static int preserve(struct file *f, const char **ret_operation)
{
    struct node *node = &f->endpoint.node;
    if (!f->preserve || f->source->kind != NODE_FILE)
        return 0;
    *ret_operation = "futimens";
    if (futimens(node->fd, f->source->times) < 0)
        return -errno;
    *ret_operation = "fchmod";
    /* Without set-user-ID and set-group-ID: it is not known whose rights they would give. */
    int r = carry_mode(node->fd, f->source->mode & 01777);
    return f->carried.drops ? 0 : r;
}

static int cut(struct file *f, uint64_t delivered)
{
    struct node *node = &f->endpoint.node;
    struct op op = {.kind = OP_TRUNCATE, .fd = {-1, node->fd}, .offset = {-1, (int64_t)delivered}};
    bool cuts = node->holes || (!node->fresh && !node->append && !f->is_fixed);
    return cuts ? (int)op_execute(&op) : 0;
}

static int file_finish(struct node *node, uint64_t delivered, struct leat_error *error)
{
    struct file *f = (struct file *)node;
    char lost[CARRY_LOST_MAX];
    if (node->direction == LEAT_READ)
        return 0;
    if (node->kind != NODE_FILE)
        return finish_device(f, error);
    const char *operation = "ftruncate";
    int r = cut(f, delivered);
    if (r >= 0 && f->publish.replaces) {
        r = carry_apply(&f->carried, node->fd, &operation, lost);
        if (r < 0)
            return file_would_lose(f, error, r, operation, lost);
    }
    if (r >= 0)
        r = preserve(f, &operation);
    if (r >= 0) {
        operation = "fsync";
        r = sync_file(f);
        if (f->is_fixed && r == -EINVAL)
            r = 0;
    }
    return r < 0 ? endpoint_error(node, error, r, operation, NULL) : close_duplicate(f, error);
}

static int file_commit(struct node *node, struct leat_error *error)
{
    struct file *f = (struct file *)node;
    if (!node->fresh)
        return 0;
    const char *operation;
    int r = publish_commit(&f->publish, f->sync, &operation);
    if (r == -EBUSY)
        error_advise(error, LEAT_ADVICE_IN_PLACE);
    if (r == -EEXIST)
        return error_at(error, r, LEAT_SIDE_SINK, node->name, operation,
                        "Another file was given that name meanwhile, and is left as it is: file exists");
    return r < 0
               ? endpoint_error(
                     node, error, r, operation,
                     strcmp(operation, "fsync") == 0 ? "it is in its place, but may not be there after a crash" : NULL)
               : 0;
}

static void file_abort(struct node *node, int code UNUSED, uint64_t delivered UNUSED)
{
    struct file *f = (struct file *)node;
    if (node->fresh)
        publish_abort(&f->publish);
    f->opener = fifo_cancel(f->opener);
}

static void file_close(struct node *node)
{
    struct file *f = (struct file *)node;
    f->opener = fifo_cancel(f->opener);
    publish_close(&f->publish);
    f->pinned = fd_close(f->pinned);
    node->fd = fd_close(node->fd);
    node->port.fd = node->seek_fd = -1;
}

static void file_free(leat_endpoint *endpoint)
{
    free(((struct file *)endpoint)->path);
    free(endpoint);
}

static const struct node_ops file_ops = {
    .name = "file",
    .open = file_open,
    .finish = file_finish,
    .commit = file_commit,
    .abort = file_abort,
    .close = file_close,
};

static void set_options(struct file *f, const struct leat_endpoint_options *options)
{
    f->mode = options ? (enum leat_write_mode)options->write_mode : LEAT_WRITE_PUBLISH;
    if (!options)
        return;
    f->sync = options->sync;
    f->preserve = options->preserve;
    f->no_clobber = options->no_clobber;
    f->force = options->force;
    f->carried.drops = options->drop_attributes;
}

int endpoint_path(leat_endpoint **ret, const char *spec, const char *path, enum leat_direction direction,
                  const struct leat_endpoint_options *options, struct leat_error *error)
{
    if (path[0] == '\0')
        return error_at(error, -EINVAL, direction == LEAT_READ ? LEAT_SIDE_SOURCE : LEAT_SIDE_SINK, spec, "open",
                        "An empty path names nothing");
    struct file *f = calloc(1, sizeof(*f));
    if (!f || !(f->path = strdup(path)) || endpoint_init(&f->endpoint, &file_ops, spec, direction, file_free) < 0) {
        if (f)
            free(f->path);
        free(f);
        return error_set(error, -ENOMEM, "out of memory");
    }
    f->pinned = f->publish.fd = f->publish.place.directory = -1;
    set_options(f, options);
    int fd = file_look(f);
    if (fd >= 0) {
        leat_endpoint_close(&f->endpoint);
        return endpoint_descriptor(ret, spec, fd, direction, LEAT_BORROW, options, error);
    }
    int r = file_resolve(f, error);
    if (r < 0) {
        leat_endpoint_close(&f->endpoint);
        return r;
    }
    *ret = &f->endpoint;
    return 0;
}
