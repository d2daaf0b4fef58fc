/* SPDX-License-Identifier: MIT */
/* The order is that of attributes.c, for the reasons that are there. */
#include "tree/given.h"
#include "base/fd.h"
#include "base/platform.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

void given_init(struct given_values *given)
{
    *given = (struct given_values){.times = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_OMIT}}};
    given->last = &given->attributes;
}

void given_clear(struct given_values *given)
{
    for (struct given_attribute *at = given->attributes, *next; at; at = next) {
        next = at->next;
        free(at->value);
        free(at);
    }
    given_init(given);
}

int given_add(struct given_values *given, const char *name, const void *value, size_t n)
{
    struct given_attribute *at = calloc(1, sizeof(*at) + strlen(name) + 1);
    if (!at || !(at->value = malloc(n + 1))) {
        free(at);
        return -ENOMEM;
    }
    strcpy(at->name, name);
    if (n)
        memcpy(at->value, value, n);
    at->size = n;
    *given->last = at;
    given->last = &at->next;
    return 0;
}

static bool is_list(const char *name)
{
    return strncmp(name, "system.posix_acl_", 17) == 0;
}

/* A file that gets what is given: it is open, or there is a path that leads to it. */
struct giving {
    struct tree_copy *tree;
    const char *path; /* for messages */
    const struct given_values *given;
    struct platform_file to;
    int at, flags; /* how to.path is looked up */
};

static int lose_of(const struct giving *g, int code, const char *operation, const char *lost)
{
    return ends_lose(g->tree, g->tree->root, g->path, code, operation, lost);
}

/* ---- the calls: on the open file, or on the path that leads to it ---- */

static int set_owner(const struct giving *g)
{
    const struct given_values *given = g->given;
    return g->to.path ? fchownat(g->at, g->to.path, given->uid, given->gid, g->flags)
                      : fchown(g->to.fd, given->uid, given->gid);
}

static int set_mode(const struct giving *g, mode_t mode)
{
    return g->to.path ? fchmodat(g->at, g->to.path, mode, g->flags) : fchmod(g->to.fd, mode);
}

static int set_times(const struct giving *g)
{
    const struct timespec *times = g->given->times;
    return g->to.path ? utimensat(g->at, g->to.path, times, g->flags) : futimens(g->to.fd, times);
}

/* ---- each attribute ---- */

static int worse(int a, int b)
{
    return a < 0 ? a : b;
}

/* The folder may have given the new file a list. */
static int drop_list(const struct giving *g, const char *list)
{
    for (const struct given_attribute *at = g->given->attributes; at; at = at->next)
        if (strcmp(at->name, list) == 0)
            return 0;
    int r = platform.attribute_set(&g->to, list, NULL, 0);
    return r < 0 ? lose_of(g, r, "fremovexattr", "its access rights: the folder adds a list") : 0;
}

static int keep_attribute(const struct giving *g, const struct given_attribute *at)
{
    char lost[96];
    int r = platform.attribute_set(&g->to, at->name, at->value, at->size);
    if (r >= 0)
        return 0;
    snprintf(lost, sizeof(lost), "its attribute '%s'", at->name);
    return lose_of(g, r, "fsetxattr", is_list(at->name) ? "its access control list" : lost);
}

static int keep_extended(const struct giving *g)
{
    const struct given_values *given = g->given;
    int r = S_ISLNK(given->mode) ? 0 : drop_list(g, "system.posix_acl_access");
    if (S_ISDIR(given->mode))
        r = worse(r, drop_list(g, "system.posix_acl_default"));
    for (const struct given_attribute *at = given->attributes; at; at = at->next)
        r = worse(r, keep_attribute(g, at));
    if (!given->flags)
        return r;
    int flags = g->to.path ? -EOPNOTSUPP : platform.flags_set(g->to.fd, given->flags);
    return flags < 0 ? worse(r, lose_of(g, flags, "ioctl", "its flags (see chattr)")) : r;
}

/* A file whose owner can't be kept loses set-user-ID, which would give the rights of another owner. */
static int keep_owner(const struct giving *g, const struct stat *now, mode_t *mode)
{
    const struct given_values *given = g->given;
    if (given->has_owner && now->st_uid == given->uid && now->st_gid == given->gid)
        return 0;
    if (given->has_owner && set_owner(g) == 0)
        return 0;
    int code = given->has_owner ? -errno : -EOVERFLOW;
    *mode &= 01777;
    return lose_of(g, code, "fchown", "its owner");
}

static int keep(const struct giving *g, const struct stat *now)
{
    bool all = g->tree->options.keep == LEAT_TREE_ALL;
    mode_t mode = g->given->mode & (all ? 07777 : 01777);
    int r = 0;
    if (all) {
        r = keep_owner(g, now, &mode);
        r = worse(r, keep_extended(g));
    }
    /* A symbolic link has no mode of its own. */
    if (!S_ISLNK(g->given->mode) && set_mode(g, mode) < 0)
        r = lose_of(g, -errno, "fchmod", "its mode");
    if (set_times(g) < 0)
        r = lose_of(g, -errno, "futimens", "its times");
    return r;
}

int given_to_file(struct tree_copy *tree, const char *path, const struct given_values *given, int to)
{
    struct giving g = {.tree = tree, .path = path, .given = given, .to.fd = to};
    struct stat now;
    return fstat(to, &now) < 0 ? lose_of(&g, -errno, "fstat", "its attributes") : keep(&g, &now);
}

/* What has the name is pinned, so all of it goes to one file, whatever becomes of the name. Without that, links are at
 * least not followed. */
int given_to_name(struct tree_copy *tree, const char *path, const struct given_values *given, int folder,
                  const char *name)
{
    struct giving g = {.tree = tree, .path = path, .given = given, .to.fd = -1, .at = AT_FDCWD};
    char way[64];
    struct stat now;
    int to CLEANUP_FD = platform.pin(folder, name, false);
    bool is_pinned = to >= 0 && platform.path_of_fd(to, way, sizeof(way)) == 0 && access(way, F_OK) == 0;
    if (to < 0 && to != -ENOSYS)
        return lose_of(&g, to, "open", "its attributes");
    g.to.path = is_pinned ? way : name;
    g.at = is_pinned ? AT_FDCWD : folder;
    g.flags = is_pinned ? 0 : AT_SYMLINK_NOFOLLOW;
    if ((is_pinned ? fstat(to, &now) : fstatat(folder, name, &now, AT_SYMLINK_NOFOLLOW)) < 0)
        return lose_of(&g, -errno, "stat", "its attributes");
    if ((now.st_mode & S_IFMT) != (given->mode & S_IFMT))
        return lose_of(&g, -ESTALE, "stat", "its attributes");
    return keep(&g, &now);
}
