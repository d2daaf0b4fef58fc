/* SPDX-License-Identifier: MIT */
/* The names of the entries. In a compressed archive the bytes of small files are kept as well, because the documents of
 * an image are small, and each look at one would decompress the archive again. */
#include "image/archive_tar.h"
#include "base/fd.h"
#include "image/archive_reader.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define ENTRIES_MAX 100000u
#define NAMES_MAX   (16u * 1024 * 1024) /* bytes of all names */
#define NAME_LENGTH 1024u               /* no longer name is ever looked up */
#define SMALL       (256u * 1024)       /* bytes of a file that is kept in memory, */
#define SMALL_MAX   (4u * 1024 * 1024)  /* and of all of them */
#define LINKS_MAX   8

static const char *without_dot(const char *name)
{
    while (strncmp(name, "./", 2) == 0)
        name += 2;
    return name;
}

/* Resolves a symbolic link in the folder of `name`. A target outside the archive becomes a name that no entry has. */
static char *link_target(const char *name, const char *link)
{
    const char *slash = strrchr(name, '/');
    size_t folder = slash ? (size_t)(slash - name) + 1 : 0;
    for (;;) {
        link = without_dot(link);
        if (strncmp(link, "../", 3) != 0 || folder == 0)
            break;
        link += 3;
        for (folder--; folder > 0 && name[folder - 1] != '/';)
            folder--;
    }
    char *text = malloc(folder + strlen(link) + 1);
    if (text)
        sprintf(text, "%.*s%s", (int)folder, name, link);
    return text;
}

/* Reads a small file of a compressed archive. If that fails, its sources will tell. */
static void keep_bytes(struct tar *tar, struct tar_reader *reader, struct tar_entry *entry)
{
    struct leat_error error = {.size = sizeof(error)};
    if (!tar->compressed || entry->link || entry->size > SMALL || tar->small + entry->size > SMALL_MAX)
        return;
    size_t n = 0, size = (size_t)entry->size;
    char *bytes = malloc(size + 1);
    for (ssize_t got = 1; bytes && n < size && got > 0; n += got > 0 ? (size_t)got : 0)
        got = reader_read(reader, tar->path, bytes + n, size - n, &error);
    if (bytes && n == size) {
        entry->bytes = bytes;
        tar->small += size;
    } else
        free(bytes);
}

static int keep(struct tar *tar, struct tar_reader *reader, struct archive_entry *from, uint32_t ordinal)
{
    const char *name = archive.entry_pathname(from), *symlink = archive.entry_symlink(from);
    const char *hardlink = archive.entry_hardlink(from), *link = hardlink ? hardlink : symlink;
    if (!name || (!link && archive.entry_filetype(from) != AE_IFREG))
        return 0;
    name = without_dot(name);
    if (strlen(name) > NAME_LENGTH || (link && strlen(link) > NAME_LENGTH))
        return 0;
    if (tar->count == tar->capacity) {
        size_t capacity = tar->capacity ? tar->capacity * 2 : 64;
        struct tar_entry *grown = realloc(tar->entry, capacity * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        tar->entry = grown;
        tar->capacity = capacity;
    }
    struct tar_entry *entry = &tar->entry[tar->count];
    *entry = (struct tar_entry){
        .name = strdup(name), .size = (uint64_t)MAX(archive.entry_size(from), 0), .ordinal = ordinal, .kept = -1};
    if (link)
        entry->link = hardlink ? strdup(without_dot(hardlink)) : link_target(name, symlink);
    tar->count++;
    tar->bytes += sizeof(*entry) + strlen(name) + (link ? strlen(link) : 0);
    if (!entry->name || (link && !entry->link))
        return -ENOMEM;
    keep_bytes(tar, reader, entry);
    return 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct tar_entry *)a)->name, ((const struct tar_entry *)b)->name);
}

static int list(struct tar *tar, struct leat_error *error)
{
    struct tar_reader reader;
    struct archive_entry *entry;
    int r = reader_open(&reader, tar, error);
    if (r < 0)
        return r;
    for (uint32_t ordinal = 0; (r = reader_next(&reader, tar->path, &entry, error)) == 1; ordinal++) {
        tar->compressed = reader_is_compressed(&reader);
        if (ordinal == ENTRIES_MAX || tar->bytes > NAMES_MAX)
            r = error_set(error, -EBADMSG, "%.100s has more than %u entries, or their names are too long", tar->path,
                          ENTRIES_MAX);
        else if (keep(tar, &reader, entry, ordinal) < 0)
            r = error_set(error, -ENOMEM, "out of memory");
        if (r < 0)
            break;
    }
    reader_close(&reader);
    if (r == 0 && tar->count)
        qsort(tar->entry, tar->count, sizeof(*tar->entry), compare);
    return r;
}

int tar_open(struct tar *ret, const char *path, struct image_watch *watch, struct leat_error *error)
{
    char buffer[128];
    const char *why;
    struct stat st;
    struct tar tar = {.fd = -1, .kept = -1, .path = path, .watch = watch};
    int r = archive_need(&why);
    if (r < 0)
        return error_set(error, r, "%s", why);
    tar.fd = fd_open(path, O_RDONLY | O_NONBLOCK, 0);
    r = tar.fd < 0 ? tar.fd : fstat(tar.fd, &st) < 0 ? -errno : 0;
    if (r < 0)
        error_set(error, r, "%.100s: %s", path, error_text(r, buffer, sizeof(buffer)));
    else if (!S_ISREG(st.st_mode))
        r = error_set(error, -EINVAL, "%.100s is no regular file", path);
    else
        r = list(&tar, error);
    if (r < 0)
        tar_close(&tar);
    else
        *ret = tar;
    return r;
}

void tar_close(struct tar *tar)
{
    for (size_t i = 0; i < tar->count; i++) {
        free(tar->entry[i].name);
        free(tar->entry[i].link);
        free(tar->entry[i].bytes);
    }
    free(tar->entry);
    fd_close(tar->fd);
    fd_close(tar->kept);
    *tar = TAR_NONE;
}

/* Returns the first entry with this name, or NULL. */
static const struct tar_entry *first_of(const struct tar *tar, const char *name)
{
    size_t low = 0, high = tar->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(tar->entry[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < tar->count && strcmp(tar->entry[low].name, name) == 0 ? &tar->entry[low] : NULL;
}

int tar_find(const struct tar *tar, const char *name, const struct tar_entry **ret, struct leat_error *error)
{
    for (unsigned links = 0; links <= LINKS_MAX; links++) {
        name = without_dot(name);
        const struct tar_entry *found = first_of(tar, name);
        if (!found)
            return error_at(error, -ENOENT, LEAT_SIDE_SOURCE, "", "read", "%.100s has no %.100s", tar->path, name);
        if (found + 1 < tar->entry + tar->count && compare(found, found + 1) == 0)
            return error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "read", "%.100s has %.100s twice", tar->path, name);
        if (!found->link) {
            *ret = found;
            return 0;
        }
        name = found->link;
    }
    return error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "read", "%.100s: the links of %.100s have no end", tar->path,
                    name);
}
