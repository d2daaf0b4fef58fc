#include "endpoint/publish.h"
#include "base/fd.h"
#include "base/platform.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define HIDDEN_TRIES 100

char *path_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    if (slash == path)
        return strdup("/");
    return strndup(path, (size_t)(slash - path));
}

/* A link's text is relative to where the link lies. */
static char *link_target(const char *path, const char *text)
{
    if (text[0] == '/')
        return strdup(text);
    char *directory = path_directory(path);
    size_t n = directory ? strlen(directory) + strlen(text) + 2 : 0;
    char *target = directory ? malloc(n) : NULL;
    if (target)
        snprintf(target, n, "%s/%s", directory, text);
    free(directory);
    return target;
}

int path_follow_links(const char *path, char **ret)
{
    char text[PATH_MAX + 1];
    char *at = strdup(path);
    for (int links = 0; at; links++) {
        ssize_t n = platform.path_to_fd(at) < 0 ? readlink(at, text, PATH_MAX) : -1;
        if (n < 0) {
            *ret = at;
            return 0;
        }
        if (links == 40) {
            free(at);
            return -ELOOP;
        }
        text[n] = '\0';
        char *next = link_target(at, text);
        free(at);
        at = next;
    }
    return -ENOMEM;
}

/* ".NAME.leat-XXXXXX" beside the target, with letters that nobody else has. `text` has room for PATH_MAX. */
static int hidden_name(const char *target, unsigned try, char *text)
{
    const char *slash = strrchr(target, '/');
    const char *name = slash ? slash + 1 : target;
    uint64_t mix = ((uint64_t)clock_ns() ^ ((uint64_t)getpid() << 32)) + try * UINT64_C(0x9E3779B97F4A7C15);
    mix = (mix ^ (mix >> 31)) * UINT64_C(0xBF58476D1CE4E5B9);
    /* The name itself may be as long as names can be: cut it. */
    int n =
        snprintf(text, PATH_MAX, "%.*s.%.200s.leat-%06x", (int)(name - target), target, name, (unsigned)(mix >> 40));
    return n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

void publish_existing(struct publish *publish, const struct stat *st)
{
    publish->mode = st->st_mode & 07777;
    publish->uid = st->st_uid;
    publish->gid = st->st_gid;
}

static int open_hidden(struct publish *publish, unsigned mode)
{
    char name[PATH_MAX];
    for (unsigned try = 0; try < HIDDEN_TRIES; try++) {
        int r = hidden_name(publish->target, try, name);
        if (r < 0)
            return r;
        int fd = fd_open(name, O_RDWR | O_CREAT | O_EXCL, mode);
        if (fd >= 0) {
            publish->hidden = strdup(name);
            if (publish->hidden)
                return fd;
            unlink(name);
            fd_close(fd);
            return -ENOMEM;
        }
        if (fd != -EEXIST)
            return fd;
    }
    return -EEXIST;
}

/* Not every file system has files without a name, and some say so in odd ways: whatever it says, a hidden name is
 * tried, and its errno is the one that counts. */
int publish_open(struct publish *publish, const char *target, bool replaces, unsigned mode)
{
    publish->replaces = replaces;
    publish->target = strdup(target);
    char *directory = path_directory(target);
    if (!publish->target || !directory) {
        free(directory);
        return -ENOMEM;
    }
    if (replaces)
        mode = 0600; /* until it has the old one's */
    int fd = platform.open_unnamed(directory, mode);
    publish->unnamed = fd >= 0;
    if (fd < 0)
        fd = open_hidden(publish, mode);
    free(directory);
    publish->fd = fd >= 0 ? fd : -1;
    return fd;
}

int publish_keep_owner(struct publish *publish, const char **ret_operation)
{
    struct stat st;
    if (!publish->replaces)
        return 0;
    *ret_operation = "fstat";
    if (fstat(publish->fd, &st) < 0)
        return -errno;
    *ret_operation = "fchown";
    if ((st.st_uid != publish->uid || st.st_gid != publish->gid) && fchown(publish->fd, publish->uid, publish->gid) < 0)
        return -errno;
    *ret_operation = "fchmod";
    return fchmod(publish->fd, (mode_t)publish->mode) < 0 ? -errno : 0;
}

static int link_at(struct publish *publish, const char *path)
{
    struct op op = {.kind = OP_LINK, .fd = {-1, publish->fd}, .path = {NULL, path}};
    return (int)op_execute(&op);
}

/* An existing name can't be linked over, so it is linked to a hidden one first. */
static int link_hidden(struct publish *publish)
{
    char name[PATH_MAX];
    int r = -EEXIST;
    for (unsigned try = 0; try < HIDDEN_TRIES && r == -EEXIST; try++) {
        r = hidden_name(publish->target, try, name);
        if (r == 0)
            r = link_at(publish, name);
    }
    if (r < 0)
        return r;
    publish->unnamed = false;
    publish->hidden = strdup(name);
    if (!publish->hidden)
        unlink(name);
    return publish->hidden ? 0 : -ENOMEM;
}

static int sync_directory(const char *target)
{
    char *directory = path_directory(target);
    int fd CLEANUP_FD = directory ? fd_open(directory, O_RDONLY | O_DIRECTORY, 0) : -ENOMEM;
    free(directory);
    if (fd < 0)
        return fd;
    struct op op = {.kind = OP_FSYNC, .fd = {-1, fd}};
    int r = (int)op_execute(&op);
    return r == -EINVAL ? 0 : r; /* not every file system has it */
}

/* Somebody made a file of that name meanwhile: it keeps its mode and owner, as one that was there from the start. */
static int adopt(struct publish *publish, const char **ret_operation)
{
    struct stat st;
    if (publish->replaces || stat(publish->target, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    publish->replaces = true;
    publish_existing(publish, &st);
    return publish_keep_owner(publish, ret_operation);
}

int publish_commit(struct publish *publish, bool sync, const char **ret_operation)
{
    int r = -EEXIST;
    *ret_operation = op_name(OP_LINK);
    if (publish->unnamed && !publish->replaces)
        r = link_at(publish, publish->target);
    if (!publish->unnamed)
        r = 0;
    else if (r == -EEXIST && (r = adopt(publish, ret_operation)) == 0) {
        *ret_operation = op_name(OP_LINK);
        r = link_hidden(publish);
    }
    if (r == 0 && publish->hidden) {
        *ret_operation = op_name(OP_RENAME);
        struct op op = {.kind = OP_RENAME, .path = {publish->hidden, publish->target}};
        r = (int)op_execute(&op);
        if (r == 0) {
            free(publish->hidden);
            publish->hidden = NULL;
        }
    }
    if (r == 0 && sync) {
        *ret_operation = op_name(OP_FSYNC);
        r = sync_directory(publish->target);
    }
    return r;
}

void publish_abort(struct publish *publish)
{
    if (publish->hidden)
        unlink(publish->hidden);
    free(publish->hidden);
    publish->hidden = NULL;
}

void publish_close(struct publish *publish)
{
    publish_abort(publish);
    free(publish->target);
    publish->target = NULL;
}
