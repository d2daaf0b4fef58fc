/* SPDX-License-Identifier: MIT */
/* What an entry of an archive says of attributes. Access control lists are text in an archive, and become the extended
 * attributes that Linux has for them; users and groups that are there by name are looked up. */
#include "tree/archive/unpack.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>

enum {
    LIST_VERSION = 2,
    LIST_ENTRY = 8, /* bytes: tag, rights, number */
    USER_OBJ = 0x01,
    USER = 0x02,
    GROUP_OBJ = 0x04,
    GROUP = 0x08,
    MASK = 0x10,
    OTHER = 0x20,
};

static unsigned tag_of(int tag)
{
    switch (tag) {
    case ARCHIVE_ENTRY_ACL_USER_OBJ:
        return USER_OBJ;
    case ARCHIVE_ENTRY_ACL_USER:
        return USER;
    case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
        return GROUP_OBJ;
    case ARCHIVE_ENTRY_ACL_GROUP:
        return GROUP;
    case ARCHIVE_ENTRY_ACL_MASK:
        return MASK;
    case ARCHIVE_ENTRY_ACL_OTHER:
        return OTHER;
    default:
        return 0;
    }
}

/* The number of a user or group that has only a name. Returns -1 if there is no such name. */
static int number_of(int tag, const char *name)
{
    char bytes[4096];
    struct passwd user, *found = NULL;
    struct group group, *found_group = NULL;
    if (!name)
        return -1;
    if (tag == ARCHIVE_ENTRY_ACL_USER)
        return getpwnam_r(name, &user, bytes, sizeof(bytes), &found) == 0 && found ? (int)found->pw_uid : -1;
    return getgrnam_r(name, &group, bytes, sizeof(bytes), &found_group) == 0 && found_group ? (int)found_group->gr_gid
                                                                                            : -1;
}

static void put(unsigned char *to, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> (8 * i));
}

static int compare_entries(const void *a, const void *b)
{
    const unsigned char *x = a, *y = b;
    uint32_t tags = x[0], other = y[0];
    if (tags != other)
        return tags < other ? -1 : 1;
    for (int i = LIST_ENTRY - 1; i >= 4; i--)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

/* Adds a list of this type, if there is one. */
static int add_list(struct given_values *given, struct archive_entry *entry, int type, const char *name)
{
    int count = archive.entry_acl_reset(entry, type), kind, rights, tag, number;
    const char *who;
    if (count <= 0)
        return 0;
    unsigned char *bytes = calloc((size_t)count + 1, LIST_ENTRY), *at = bytes + 4;
    if (!bytes)
        return -ENOMEM;
    put(bytes, LIST_VERSION, 4);
    for (int i = 0; i < count && archive.entry_acl_next(entry, type, &kind, &rights, &tag, &number, &who) == ARCHIVE_OK;
         i++) {
        bool has_number = tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP;
        if (has_number && number < 0)
            number = number_of(tag, who);
        put(at, tag_of(tag), 2);
        put(at + 2, (uint32_t)rights & 7, 2);
        put(at + 4, has_number ? (uint32_t)number : UINT32_MAX, 4);
        at += LIST_ENTRY;
        /* With a mask the mode has it in the place of the group's rights, which libarchive puts there. */
        if (tag == ARCHIVE_ENTRY_ACL_MASK && type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS)
            given->mode = (given->mode & ~(mode_t)070) | ((mode_t)rights & 7) << 3;
    }
    size_t n = (size_t)(at - bytes) - 4;
    qsort(bytes + 4, n / LIST_ENTRY, LIST_ENTRY, compare_entries);
    int r = given_add(given, name, bytes, n + 4);
    free(bytes);
    return r;
}

static int add_attributes(struct given_values *given, struct archive_entry *entry)
{
    const char *name;
    const void *value;
    size_t n;
    archive.entry_xattr_reset(entry);
    while (archive.entry_xattr_next(entry, &name, &value, &n) == ARCHIVE_OK) {
        int r = name ? given_add(given, name, value, n) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

int unpack_given(struct given_values *given, struct archive_entry *entry)
{
    la_int64_t uid = archive.entry_uid(entry), gid = archive.entry_gid(entry);
    given_clear(given);
    given->mode = archive.entry_filetype(entry) | archive.entry_perm(entry);
    given->uid = (uid_t)uid;
    given->gid = (gid_t)gid;
    given->has_owner = uid >= 0 && uid < UINT32_MAX && gid >= 0 && gid < UINT32_MAX;
    given->device = archive.entry_rdev(entry);
    if (archive.entry_atime_is_set(entry))
        given->times[0] =
            (struct timespec){.tv_sec = (time_t)archive_atime(entry), .tv_nsec = archive.entry_atime_nsec(entry)};
    if (archive.entry_mtime_is_set(entry))
        given->times[1] =
            (struct timespec){.tv_sec = (time_t)archive_mtime(entry), .tv_nsec = archive.entry_mtime_nsec(entry)};
    unsigned long set = 0, cleared;
    archive.entry_fflags(entry, &set, &cleared);
    given->flags = (unsigned)set;
    int r = add_attributes(given, entry);
    if (r == 0)
        r = add_list(given, entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access");
    if (r == 0)
        r = add_list(given, entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, "system.posix_acl_default");
    return r;
}
