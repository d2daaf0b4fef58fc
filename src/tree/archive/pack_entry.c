/* SPDX-License-Identifier: MIT */
/* What an archive keeps of a file besides its bytes. */
#include "base/fd.h"
#include "base/platform.h"
#include "tree/archive/pack.h"
#include "tree/ends.h"
#include "tree/tree.h"
#include <fcntl.h>
#include <unistd.h>

enum {
    LIST_HEAD = 4, /* bytes */
    LIST_ENTRY = 8,
};

int pack_failed(const struct packing *p)
{
    return p->output.is_short ? -ENOMEM : -EIO;
}

/* ---- access control lists ---- */

static unsigned number_at(const unsigned char *at, int bytes)
{
    unsigned value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (unsigned)at[i] << (8 * i);
    return value;
}

static int tag_of(unsigned tag)
{
    static const struct {
        unsigned of_linux;
        int tag;
    } tags[] = {{0x01, ARCHIVE_ENTRY_ACL_USER_OBJ}, {0x02, ARCHIVE_ENTRY_ACL_USER}, {0x04, ARCHIVE_ENTRY_ACL_GROUP_OBJ},
                {0x08, ARCHIVE_ENTRY_ACL_GROUP},    {0x10, ARCHIVE_ENTRY_ACL_MASK}, {0x20, ARCHIVE_ENTRY_ACL_OTHER}};
    for (size_t i = 0; i < COUNT(tags); i++)
        if (tags[i].of_linux == tag)
            return tags[i].tag;
    return 0;
}

static void add_list(struct archive_entry *entry, int type, const unsigned char *value, size_t n)
{
    for (size_t at = LIST_HEAD; at + LIST_ENTRY <= n; at += LIST_ENTRY) {
        int tag = tag_of(number_at(value + at, 2));
        bool has_number = tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP;
        archive.entry_acl_add_entry(entry, type, (int)number_at(value + at + 2, 2), tag,
                                    has_number ? (int)number_at(value + at + 4, 4) : -1, NULL);
    }
}

/* ---- extended attributes ---- */

static int add_attribute(void *user, const char *name, const void *value, size_t n)
{
    struct archive_entry *entry = user;
    if (strcmp(name, "system.posix_acl_access") == 0)
        add_list(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, value, n);
    else if (strcmp(name, "system.posix_acl_default") == 0)
        add_list(entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, value, n);
    else
        archive.entry_xattr_add_entry(entry, name, value, n);
    return 0;
}

static void lose(struct packing *p, int code, const char *lost)
{
    ends_lose(p->tree, p->tree->root, p->path, code, "getxattr", lost);
}

static void add_extended(struct packing *p, struct archive_entry *entry, int fd)
{
    const struct platform_file file = {.fd = fd};
    unsigned flags = 0;
    int r = platform.attributes_each(&file, add_attribute, entry);
    if (r < 0)
        lose(p, r, "its extended attributes");
    if (platform.flags_get(fd, &flags) == 0 && flags)
        archive.entry_set_fflags(entry, flags, 0);
}

/* What can't be opened is pinned, and read by a path that leads to it. */
static void add_extended_of_name(struct packing *p, struct archive_entry *entry, const struct stat *st, int folder,
                                 const char *name)
{
    char way[64];
    struct stat now;
    int fd CLEANUP_FD = platform.pin(folder, name, false);
    if (fd == -ENOSYS || (fd >= 0 && (platform.path_of_fd(fd, way, sizeof(way)) < 0 || access(way, F_OK) < 0)))
        return;
    int r = fd < 0 ? fd : fstat(fd, &now) < 0 ? -errno : 0;
    if (r == 0 && (now.st_dev != st->st_dev || now.st_ino != st->st_ino))
        r = -ESTALE;
    const struct platform_file file = {.fd = -1, .path = way};
    if (r == 0)
        r = platform.attributes_each(&file, add_attribute, entry);
    if (r < 0)
        lose(p, r, "its extended attributes");
}

/* ---- entries ---- */

/* Names of folders end with a slash, as tar writes them; the root is "./". */
static int set_name(struct packing *p, struct archive_entry *entry, bool is_folder)
{
    size_t n = strlen(p->path);
    char *name CLEANUP_FREE = malloc(n + 3);
    if (!name)
        return -ENOMEM;
    strcpy(name, n ? p->path : ".");
    if (is_folder)
        strcat(name, "/");
    archive.entry_set_pathname(entry, name);
    return 0;
}

struct archive_entry *pack_entry(struct packing *p, const struct stat *st, int fd, int folder, const char *name)
{
    bool all = p->tree->options.keep == LEAT_TREE_ALL;
    struct archive_entry *entry = archive.entry_new();
    if (!entry)
        return NULL;
    if (set_name(p, entry, S_ISDIR(st->st_mode)) < 0) {
        archive.entry_free(entry);
        return NULL;
    }
    archive.entry_set_filetype(entry, st->st_mode & S_IFMT);
    archive.entry_set_perm(entry, st->st_mode & (all ? 07777 : 01777));
    archive.entry_set_size(entry, S_ISREG(st->st_mode) ? st->st_size : 0);
    archive_set_mtime(entry, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
    if (!all)
        return entry;
    archive.entry_set_uid(entry, st->st_uid);
    archive.entry_set_gid(entry, st->st_gid);
    if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
        archive.entry_set_rdev(entry, st->st_rdev);
    if (fd >= 0)
        add_extended(p, entry, fd);
    else
        add_extended_of_name(p, entry, st, folder, name);
    return entry;
}

int pack_header(struct packing *p, struct archive_entry *entry)
{
    if (!entry)
        return -ENOMEM;
    int r = archive.write_header(p->archive, entry);
    archive.entry_free(entry);
    return r == ARCHIVE_OK || r == ARCHIVE_WARN ? 0 : pack_failed(p);
}
