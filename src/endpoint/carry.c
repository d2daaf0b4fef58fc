/* SPDX-License-Identifier: MIT */
#include "endpoint/carry.h"
#include "base/platform.h"
#include <stdio.h>
#include <unistd.h>

static int change_mode(int fd, const struct stat *now, unsigned mode)
{
    return (now->st_mode & 07777) == mode || fchmod(fd, (mode_t)mode) == 0 ? 0 : -errno;
}

int carry_mode(int fd, unsigned mode)
{
    struct stat st;
    return fstat(fd, &st) < 0 ? -errno : change_mode(fd, &st, mode);
}

static int lose(const char *what, int code, char lost[CARRY_LOST_MAX])
{
    snprintf(lost, CARRY_LOST_MAX, "%s", what);
    return code;
}

/* Returns 0; 1: something was changed; or a negative errno. *ret_group: the file has the right group at least. */
static int give_owner(const struct carried *carried, int fd, const struct stat *now, bool *ret_group,
                      char lost[CARRY_LOST_MAX])
{
    bool owner = now->st_uid == carried->uid, group = now->st_gid == carried->gid;
    *ret_group = true;
    if (owner && group)
        return 0;
    if (fchown(fd, owner ? (uid_t)-1 : carried->uid, group ? (gid_t)-1 : carried->gid) == 0)
        return 1;
    int code = -errno;
    if (carried->drops) {
        *ret_group = group || fchown(fd, (uid_t)-1, carried->gid) == 0;
        return 1;
    }
    return lose(owner ? "its group" : "its owner", code, lost);
}

/* A file that loses its group or its list must give no one more rights. The members of the new group had the rights of
 * others before, and the members of the old group have them now. So both get only the rights that both had. */
static unsigned safe_mode(unsigned mode, bool same_rights)
{
    unsigned both = mode >> 3 & mode & 07;
    return same_rights ? mode : (mode & ~077u) | both << 3 | both;
}

struct carrying {
    const struct carried *carried;
    char *lost;
};

/* If what is lost does not matter, the access list is remembered, for safe_mode. */
static int lose_attribute(void *user, int code, const char *what)
{
    const struct carrying *c = user;
    if (!c->carried->drops)
        return lose(what, code, c->lost);
    if (strcmp(what, "its access control list") == 0)
        lose(what, code, c->lost);
    return 0;
}

/* `now` describes the file; its mode becomes the final one. Returns 1: more than the mode was changed. 0: it was not.
 * Otherwise a negative errno. */
static int apply(const struct carried *carried, int fd, struct stat *now, const char **ret_operation,
                 char lost[CARRY_LOST_MAX])
{
    bool group;
    lost[0] = '\0';
    *ret_operation = "fchown";
    int owner = give_owner(carried, fd, now, &group, lost), r = owner;
    if (r >= 0) {
        *ret_operation = "fsetxattr";
        const struct platform_file from = {-1, carried->from}, to = {fd, NULL};
        const struct platform_losses losses = {lose_attribute, &(struct carrying){carried, lost}};
        r = platform.copy_attributes(&from, &to, &losses);
    }
    if (r < 0)
        return r;
    bool changed = owner > 0 || r > 0;
    unsigned mode = safe_mode(carried->mode & 01777, group && !lost[0]);
    *ret_operation = "fchmod";
    r = changed ? carry_mode(fd, mode) : change_mode(fd, now, mode);
    now->st_mode = (now->st_mode & S_IFMT) | mode;
    return r < 0 && !carried->drops ? lose("its mode", r, lost) : changed;
}

int carry_apply(const struct carried *carried, int fd, const char **ret_operation, char lost[CARRY_LOST_MAX])
{
    struct stat now;
    *ret_operation = "fstat";
    if (fstat(fd, &now) < 0)
        return lose("its owner", -errno, lost);
    if (!carried->plain)
        return MIN(apply(carried, fd, &now, ret_operation, lost), 0);
    *ret_operation = "fchmod";
    int r = change_mode(fd, &now, carried->mode & 01777);
    return r < 0 && !carried->drops ? lose("its mode", r, lost) : 0;
}

/* Until the file is whole, only this user may have access. If the group cannot be set back, it is the right one
 * already. */
static int take_back(int fd, const struct stat *before)
{
    struct stat now;
    if (fstat(fd, &now) < 0)
        return -errno;
    if (now.st_uid == before->st_uid)
        return change_mode(fd, &now, before->st_mode & 07777);
    return fchown(fd, before->st_uid, (gid_t)-1) < 0 ? -errno : carry_mode(fd, before->st_mode & 07777);
}

int carry_try(struct carried *carried, int fd, const char **ret_operation, char lost[CARRY_LOST_MAX])
{
    struct stat before, now;
    *ret_operation = "fstat";
    if (fstat(fd, &before) < 0)
        return lose("its owner", -errno, lost);
    now = before;
    int r = apply(carried, fd, &now, ret_operation, lost);
    carried->plain = r == 0;
    int back = r == 0 ? change_mode(fd, &now, before.st_mode & 07777) : take_back(fd, &before);
    return r < 0 ? r : back < 0 && !carried->drops ? lose("its mode", back, lost) : 0;
}
