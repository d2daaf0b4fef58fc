/* All readers use the one descriptor of the archive, each at its own position. So several entries are read at once, and
 * all of them from the file that was opened. If the file is not compressed, the bytes before an entry are skipped
 * without reading. */
#include "image/archive_tar.h"
#include "base/fd.h"
#include "image/archive_library.h"
#include "node/endpoint.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRIES_MAX 100000u
#define NAMES_MAX   (16u * 1024 * 1024) /* bytes of all names */
#define NAME_LENGTH 1024u               /* no longer name is ever looked up */
#define LINKS_MAX   8
#define BLOCK       (256u * 1024)
#define WANTED_NS   INT64_C(100000000)

struct tar_reader {
    struct archive *archive;
    int fd;
    struct image_watch *watch;
    int64_t asked_ns; /* when the caller was last asked whether to go on */
    bool given_up;
    off_t at, size;
    unsigned char *block;
};

/* A compressed file may be short and its content long, so ask the caller by time. */
static bool is_wanted(struct tar_reader *r)
{
    int64_t now = clock_ns();
    if (r->watch && now - r->asked_ns >= WANTED_NS) {
        r->asked_ns = now;
        r->given_up |= !watch_is_wanted(r->watch);
    }
    return !r->given_up;
}

static la_ssize_t on_read(struct archive *a, void *user, const void **ret)
{
    struct tar_reader *r = user;
    ssize_t n;
    if (!is_wanted(r)) {
        archive.set_error(a, ECANCELED, "it was cancelled");
        return -1;
    }
    do
        n = pread(r->fd, r->block, BLOCK, r->at);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        archive.set_error(a, errno, "it can't be read");
    else
        r->at += n;
    *ret = r->block;
    return n;
}

static la_int64_t on_skip(struct archive *a UNUSED, void *user, la_int64_t n)
{
    struct tar_reader *r = user;
    la_int64_t step = MIN(n, r->size - r->at);
    r->at += step;
    return step;
}

static int fail(const struct tar_reader *r, const char *path, struct leat_error *error)
{
    const char *why = archive.error_string(r->archive);
    if (r->given_up)
        return error_set(error, -ECANCELED, "It was cancelled");
    return error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "read", "%.100s: %.120s", path,
                    why ? why : "it is no tar file");
}

static void reader_close(struct tar_reader *r)
{
    if (r->archive)
        archive.read_free(r->archive);
    free(r->block);
    *r = (struct tar_reader){.fd = -1};
}

/* A filter for which libarchive would run another program is not enabled. */
static int reader_open(struct tar_reader *r, const struct tar *tar, struct leat_error *error)
{
    struct stat st;
    *r = (struct tar_reader){.fd = tar->fd, .watch = tar->watch, .block = malloc(BLOCK)};
    r->archive = r->block ? archive.read_new() : NULL;
    if (!r->archive) {
        reader_close(r);
        return error_set(error, -ENOMEM, "out of memory");
    }
    r->size = fstat(tar->fd, &st) < 0 ? 0 : st.st_size;
    int result = 0;
    if (archive.read_support_filter_gzip(r->archive) != ARCHIVE_OK ||
        archive.read_support_filter_zstd(r->archive) != ARCHIVE_OK)
        result = error_set(error, -ELIBACC, "libarchive was built without zlib or libzstd");
    else if (archive.read_support_format_tar(r->archive) != ARCHIVE_OK ||
             archive.read_open2(r->archive, r, NULL, on_read, on_skip, NULL) != ARCHIVE_OK)
        result = fail(r, tar->path, error);
    if (result < 0)
        reader_close(r);
    return result;
}

/* Returns 1 if there is an entry, 0 after the last one. */
static int reader_next(struct tar_reader *r, const char *path, struct archive_entry **ret, struct leat_error *error)
{
    int result = archive.read_next_header(r->archive, ret);
    if (result == ARCHIVE_EOF)
        return 0;
    return result == ARCHIVE_OK || result == ARCHIVE_WARN ? 1 : fail(r, path, error);
}

/* ---- names ---- */

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

static int keep(struct tar *tar, struct archive_entry *from, uint32_t ordinal)
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
        .name = strdup(name), .size = (uint64_t)MAX(archive.entry_size(from), 0), .ordinal = ordinal};
    if (link)
        entry->link = hardlink ? strdup(without_dot(hardlink)) : link_target(name, symlink);
    tar->count++;
    tar->bytes += sizeof(*entry) + strlen(name) + (link ? strlen(link) : 0);
    return entry->name && (!link || entry->link) ? 0 : -ENOMEM;
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
        if (ordinal == ENTRIES_MAX || tar->bytes > NAMES_MAX)
            r = error_set(error, -EBADMSG, "%.100s has more than %u entries, or their names are too long", tar->path,
                          ENTRIES_MAX);
        else if (keep(tar, entry, ordinal) < 0)
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
    struct tar tar = {.fd = -1, .path = path, .watch = watch};
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
    }
    free(tar->entry);
    fd_close(tar->fd);
    *tar = (struct tar){.fd = -1};
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

/* ---- bytes ---- */

static int go_to(struct tar_reader *r, const struct tar *tar, const struct tar_entry *entry, struct leat_error *error)
{
    struct archive_entry *at;
    int result = 1;
    for (uint32_t i = 0; i <= entry->ordinal && result == 1; i++)
        result = reader_next(r, tar->path, &at, error);
    if (result == 0)
        result = error_set(error, -ESTALE, "%.100s was changed meanwhile", tar->path);
    return result < 0 ? result : 0;
}

int tar_read(const struct tar *tar, const struct tar_entry *entry, size_t max, char **ret, size_t *ret_n,
             struct leat_error *error)
{
    struct tar_reader reader;
    size_t n = 0;
    if (entry->size > max)
        return error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "read", "%.100s: %.100s has more than %zu bytes",
                        tar->path, entry->name, max);
    char *bytes = malloc((size_t)entry->size + 1);
    if (!bytes)
        return error_set(error, -ENOMEM, "out of memory");
    int r = reader_open(&reader, tar, error);
    if (r < 0) {
        free(bytes);
        return r;
    }
    r = go_to(&reader, tar, entry, error);
    while (r == 0 && n < entry->size) {
        la_ssize_t got = archive.read_data(reader.archive, bytes + n, (size_t)entry->size - n);
        if (got <= 0)
            r = fail(&reader, tar->path, error);
        n += got > 0 ? (size_t)got : 0;
    }
    reader_close(&reader);
    if (r < 0) {
        free(bytes);
        return r;
    }
    bytes[n] = '\0';
    *ret = bytes;
    *ret_n = n;
    return 0;
}

struct tar_endpoint {
    leat_endpoint endpoint;
    const struct tar *tar;
    const struct tar_entry *entry;
    struct tar_reader reader;
    struct leat_error failure;
};

static ssize_t source_read(void *user, void *bytes, size_t n)
{
    struct tar_endpoint *s = user;
    la_ssize_t got = archive.read_data(s->reader.archive, bytes, n);
    return got < 0 ? fail(&s->reader, s->tar->path, &s->failure) : got;
}

static int source_open(struct node *node, const struct node *source UNUSED, struct leat_error *error)
{
    struct tar_endpoint *s = (struct tar_endpoint *)node;
    int r = reader_open(&s->reader, s->tar, error);
    if (r == 0)
        r = go_to(&s->reader, s->tar, s->entry, error);
    node->call = source_read;
    node->call_user = s;
    return r;
}

static int source_settle(struct node *node, int code UNUSED, struct leat_error *error)
{
    return error_hand_on(error, &((struct tar_endpoint *)node)->failure);
}

static void source_close(struct node *node)
{
    reader_close(&((struct tar_endpoint *)node)->reader);
}

static void source_free(leat_endpoint *endpoint)
{
    free(endpoint);
}

static const struct node_ops source_ops = {
    .name = "archive", .open = source_open, .settle = source_settle, .close = source_close};

int tar_source(leat_endpoint **ret, const struct tar *tar, const struct tar_entry *entry, struct leat_error *error)
{
    struct tar_endpoint *s = calloc(1, sizeof(*s));
    if (!s || endpoint_init(&s->endpoint, &source_ops, entry->name, LEAT_READ, source_free) < 0) {
        free(s);
        return error_set(error, -ENOMEM, "out of memory");
    }
    s->tar = tar;
    s->entry = entry;
    s->reader.fd = -1;
    s->failure.size = sizeof(s->failure);
    s->endpoint.directed = true;
    s->endpoint.node.kind = NODE_CALL;
    s->endpoint.node.has_size = true;
    s->endpoint.node.size = entry->size;
    *ret = &s->endpoint;
    return 0;
}
