#include "endpoint/carry.h"
#include "base/platform.h"
#include <stdio.h>
#include <unistd.h>

int carry_mode(int fd, unsigned mode)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    return (st.st_mode & 07777) == mode || fchmod(fd, (mode_t)mode) == 0 ? 0 : -errno;
}

static int lose(const char *what, int code, char lost[CARRY_LOST_MAX])
{
    snprintf(lost, CARRY_LOST_MAX, "%s", what);
    return code;
}

/* *ret_group: the group, at least, is as it was. */
static int give_owner(const struct carried *carried, int fd, bool *ret_group, char lost[CARRY_LOST_MAX])
{
    struct stat st;
    *ret_group = true;
    if (fstat(fd, &st) < 0)
        return lose("its owner", -errno, lost);
    bool owner = st.st_uid == carried->uid, group = st.st_gid == carried->gid;
    if ((owner && group) || fchown(fd, owner ? (uid_t)-1 : carried->uid, group ? (gid_t)-1 : carried->gid) == 0)
        return 0;
    int code = -errno;
    if (carried->drops) {
        *ret_group = group || fchown(fd, (uid_t)-1, carried->gid) == 0;
        return 0;
    }
    return lose(owner ? "its group" : "its owner", code, lost);
}

/* Whoever loses the group or the list must not gain rights: the group has those of everybody else then. */
static unsigned safe_mode(unsigned mode, bool same_rights)
{
    return same_rights ? mode : mode & (~070u | ((mode & 07) << 3));
}

int carry_apply(const struct carried *carried, int fd, const char **ret_operation, char lost[CARRY_LOST_MAX])
{
    bool group;
    lost[0] = '\0';
    *ret_operation = "fchown";
    int r = give_owner(carried, fd, &group, lost);
    if (r == 0) {
        *ret_operation = "fsetxattr";
        r = platform.copy_attributes(carried->from, fd, carried->drops, lost, CARRY_LOST_MAX);
    }
    if (r < 0)
        return r;
    *ret_operation = "fchmod";
    r = carry_mode(fd, safe_mode(carried->mode & 01777, group && !lost[0]));
    return r < 0 && !carried->drops ? lose("its mode", r, lost) : 0;
}

/* Nobody but us has anything of it until it is whole. A group that can't be taken back is the right one. */
static int take_back(int fd, const struct stat *before)
{
    struct stat now;
    if (fstat(fd, &now) < 0 || (now.st_uid != before->st_uid && fchown(fd, before->st_uid, (gid_t)-1) < 0))
        return -errno;
    return carry_mode(fd, before->st_mode & 07777);
}

int carry_try(const struct carried *carried, int fd, const char **ret_operation, char lost[CARRY_LOST_MAX])
{
    struct stat st;
    *ret_operation = "fstat";
    if (fstat(fd, &st) < 0)
        return lose("its owner", -errno, lost);
    int r = carry_apply(carried, fd, ret_operation, lost);
    int back = take_back(fd, &st);
    return r < 0 ? r : back < 0 && !carried->drops ? lose("its mode", back, lost) : 0;
}
