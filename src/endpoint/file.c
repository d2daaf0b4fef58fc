/* A path: opened for reading, written in place, appended to, or published (publish.c). */
#include "base/fd.h"
#include "base/platform.h"
#include "endpoint/publish.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct file {
    leat_endpoint endpoint;
    char *path; /* of a sink: symbolic links are followed already */
    enum leat_write_mode mode;
    bool sync, preserve;
    bool exists;
    const struct node *source; /* whose times and mode are preserved */
    struct publish publish;
    struct fifo_opener *opener;
};

/* ---- opening ---- */

static int open_source(struct file *f, struct leat_error *error)
{
    struct node *node = &f->endpoint.node;
    bool waits = node->kind != NODE_FILE && node->kind != NODE_BLOCK;
    int fd = fd_open(f->path, O_RDONLY | O_NOCTTY | (waits ? O_NONBLOCK : 0), 0);
    if (fd < 0)
        return endpoint_error(node, error, fd, "open", NULL);
    struct stat st;
    if (fstat(fd, &st) == 0 && node->kind == NODE_FILE)
        node_set_stat(node, &st); /* what was resolved may have been replaced meanwhile */
    off_t end = node->kind == NODE_BLOCK ? lseek(fd, 0, SEEK_END) : -1;
    if (end > 0) {
        node->has_size = true;
        node->size = (uint64_t)end;
    }
    node_set_fd(node, fd, waits ? -1 : 0, waits ? NODE_WAIT_OWN : NODE_WAIT_NEVER);
    node->seek_fd = waits ? -1 : fd;
    /* A FIFO that no writer has opened yet reads as ended; poll waits for the first one. */
    node->port.blocked = node->kind == NODE_PIPE;
    return 0;
}

/* Devices and FIFOs too: everything that is not published. */
static int open_in_place(struct file *f, const struct node *source, struct leat_error *error)
{
    struct node *node = &f->endpoint.node;
    bool waits = node->kind != NODE_FILE && node->kind != NODE_BLOCK;
    unsigned mode = source->kind == NODE_FILE ? source->mode & 0777 : 0666;
    int fd;
    if (node->kind == NODE_PIPE) {
        fd = fifo_open(&f->opener, f->path, &node->port);
        if (fd == -EAGAIN)
            return fd;
    } else
        fd = fd_open(f->path,
                     O_NOCTTY |
                         (waits                      ? O_WRONLY | O_NONBLOCK
                          : node->kind == NODE_BLOCK ? O_WRONLY
                                                     : O_RDWR | O_CREAT) |
                         (node->append ? O_APPEND : 0),
                     mode);
    if (fd == -EACCES && node->kind == NODE_FILE && f->exists)
        fd = fd_open(f->path, O_WRONLY | (node->append ? O_APPEND : 0), 0);
    if (fd < 0)
        return endpoint_error(node, error, fd, "open", NULL);
    node_set_fd(node, fd, waits || node->append ? -1 : 0, waits ? NODE_WAIT_OWN : NODE_WAIT_NEVER);
    return 0;
}

static int file_open(struct node *node, const struct node *source, struct leat_error *error)
{
    struct file *f = (struct file *)node;
    if (node->direction == LEAT_READ)
        return open_source(f, error);
    f->source = source;
    if (!node->fresh)
        return open_in_place(f, source, error);
    unsigned mode = source->kind == NODE_FILE ? source->mode & 0777 : 0666;
    int fd = publish_open(&f->publish, f->path, f->exists, mode);
    bool forbidden = fd == -EACCES || fd == -EPERM || fd == -EROFS;
    if (forbidden && f->exists)
        error_advise(error, LEAT_ADVICE_IN_PLACE);
    if (fd < 0)
        return endpoint_error(node, error, fd, "open",
                              !forbidden  ? NULL
                              : f->exists ? "no new file can be made beside it"
                                          : "no new file can be made in that directory");
    node_set_fd(node, fd, 0, NODE_WAIT_NEVER);
    return 0;
}

/* ---- the end ---- */

/* A disk; pipes and most devices have nothing to sync. */
static int finish_device(struct file *f, struct leat_error *error)
{
    struct op op = {.kind = OP_FSYNC, .fd = {-1, f->endpoint.node.fd}};
    ssize_t r = f->sync ? op_execute(&op) : 0;
    return r < 0 && r != -EINVAL && r != -EROFS ? endpoint_error(&f->endpoint.node, error, (int)r, "fsync", NULL) : 0;
}

static int file_finish(struct node *node, uint64_t delivered, struct leat_error *error)
{
    struct file *f = (struct file *)node;
    if (node->direction == LEAT_READ)
        return 0;
    if (node->kind != NODE_FILE)
        return finish_device(f, error);
    ssize_t r = 0;
    const char *operation = "ftruncate";
    if (node->holes || (!node->fresh && !node->append)) {
        struct op op = {.kind = OP_TRUNCATE, .fd = {-1, node->fd}, .offset = {-1, (int64_t)delivered}};
        r = op_execute(&op);
    }
    if (r >= 0 && node->fresh)
        r = publish_keep_owner(&f->publish, &operation);
    if (r >= 0 && f->preserve && f->source->kind == NODE_FILE) {
        operation = "futimens";
        r = futimens(node->fd, f->source->times) < 0 ? -errno : 0;
        if (r >= 0) {
            operation = "fchmod";
            r = fchmod(node->fd, (mode_t)(f->source->mode & 01777)) < 0 ? -errno : 0; /* whose rights, nobody knows */
        }
    }
    if (r >= 0 && f->sync) {
        operation = "fsync";
        struct op op = {.kind = OP_FSYNC, .fd = {-1, node->fd}};
        r = op_execute(&op);
    }
    bool foreign = r == -EPERM && strcmp(operation, "fchown") == 0;
    if (foreign)
        error_advise(error, LEAT_ADVICE_IN_PLACE);
    if (r < 0)
        return endpoint_error(node, error, (int)r, operation,
                              foreign ? "it belongs to another user, and a new file can't be given to that user"
                                      : NULL);
    return 0;
}

static int file_commit(struct node *node, struct leat_error *error)
{
    struct file *f = (struct file *)node;
    if (!node->fresh)
        return 0;
    const char *operation;
    int r = publish_commit(&f->publish, f->sync, &operation);
    const char *hint =
        r < 0 && strcmp(operation, "fsync") == 0 ? "it is in its place, but may not be there after a crash" : NULL;
    if (r == -EBUSY)
        error_advise(error, LEAT_ADVICE_IN_PLACE);
    return r < 0 ? endpoint_error(node, error, r, operation, hint) : 0;
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

/* ---- resolving: look, change nothing ---- */

static int resolve_existing(struct file *f, const struct stat *st, struct leat_error *error)
{
    struct node *node = &f->endpoint.node;
    if (S_ISDIR(st->st_mode))
        return endpoint_error(node, error, -EISDIR, "stat",
                              node->direction == LEAT_READ ? "a directory is no stream of bytes"
                                                           : "name the file in it that is to be written");
    if (S_ISSOCK(st->st_mode))
        return endpoint_error(node, error, -ENXIO, "stat", "to connect to a socket write unix: before its path");
    node_set_stat(node, st);
    if (node->direction == LEAT_READ || node->kind != NODE_FILE || f->mode != LEAT_WRITE_PUBLISH)
        return 0;
    bool mounted = platform.is_mount_point(f->path);
    if (mounted || st->st_nlink > 1)
        error_advise(error, LEAT_ADVICE_IN_PLACE);
    if (st->st_nlink > 1)
        return error_at(error, -EMLINK, LEAT_SIDE_SINK, node->name, "stat",
                        "It has %u hard links, and replacing it would part them", (unsigned)st->st_nlink);
    if (mounted)
        return endpoint_error(node, error, -EBUSY, "statx", "it is a mount point and can't be replaced");
    publish_existing(&f->publish, st);
    return 0;
}

static int resolve_missing(struct file *f, struct leat_error *error)
{
    struct stat st;
    struct node *node = &f->endpoint.node;
    char *directory = path_directory(f->path);
    if (!directory)
        return endpoint_error(node, error, -ENOMEM, "malloc", NULL);
    int r = stat(directory, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
    if (r < 0)
        error_at(error, r, LEAT_SIDE_SINK, node->name, "stat", "There is no directory '%s' to put it in", directory);
    const char *slash = strrchr(f->path, '/');
    identity_of_new_name(&node->identity, &st, slash ? slash + 1 : f->path);
    node->kind = NODE_FILE;
    free(directory);
    return r;
}

/* "file system" and device of a sink that is not there yet are those of its directory. */
static void look_at_file_system(struct file *f)
{
    struct node *node = &f->endpoint.node;
    if (node->kind != NODE_FILE)
        return;
    char *directory = path_directory(f->path);
    if (directory)
        node->file_system = platform.file_system(f->exists ? f->path : directory, &node->network);
    free(directory);
}

static int resolve(struct file *f, const char *path, struct leat_error *error)
{
    struct node *node = &f->endpoint.node;
    struct stat st;
    int r = 0;
    if (node->direction == LEAT_READ)
        f->path = strdup(path);
    else
        r = path_follow_links(path, &f->path);
    if (r < 0 || !f->path)
        return endpoint_error(node, error, r < 0 ? r : -ENOMEM, "readlink", NULL);
    f->exists = stat(f->path, &st) == 0;
    if (f->exists)
        r = resolve_existing(f, &st, error);
    else if (node->direction == LEAT_READ || errno != ENOENT)
        r = endpoint_error(node, error, -errno, "stat", NULL);
    else
        r = resolve_missing(f, error);
    if (r < 0)
        return r;
    if (node->direction == LEAT_WRITE && node->kind == NODE_FILE) {
        node->fresh = f->mode == LEAT_WRITE_PUBLISH;
        node->append = f->mode == LEAT_WRITE_APPEND;
    }
    look_at_file_system(f);
    return 0;
}

/* The number of the descriptor that a path stands for, perhaps through links, as a log file may be a link to
 * /dev/stdout; -1: none. */
static int descriptor_behind(const char *path)
{
    char *end CLEANUP_FREE = NULL;
    return path_follow_links(path, &end) < 0 ? -1 : platform.path_to_fd(end);
}

int endpoint_path(leat_endpoint **ret, const char *spec, const char *path, enum leat_direction direction,
                  const struct leat_endpoint_options *options, struct leat_error *error)
{
    if (path[0] == '\0')
        return error_at(error, -EINVAL, direction == LEAT_READ ? LEAT_SIDE_SOURCE : LEAT_SIDE_SINK, spec, "open",
                        "An empty path names nothing");
    int fd = descriptor_behind(path);
    if (fd >= 0)
        return endpoint_descriptor(ret, spec, fd, direction, LEAT_BORROW, options, error);
    struct file *f = calloc(1, sizeof(*f));
    if (!f || endpoint_init(&f->endpoint, &file_ops, spec, direction, file_free) < 0) {
        free(f);
        return error_set(error, -ENOMEM, "out of memory");
    }
    f->publish.fd = -1;
    f->mode = options ? (enum leat_write_mode)options->write_mode : LEAT_WRITE_PUBLISH;
    f->sync = options && options->sync;
    f->preserve = options && options->preserve;
    int r = resolve(f, path, error);
    if (r < 0) {
        if (error && error->code)
            error->node = spec; /* ours goes away with the endpoint */
        leat_endpoint_close(&f->endpoint);
        return r;
    }
    *ret = &f->endpoint;
    return 0;
}
