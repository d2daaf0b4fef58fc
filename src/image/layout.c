/* SPDX-License-Identifier: MIT */
/* index.json is read, changed and published again under a lock of the file `oci-layout`. So if two copies write to one
 * folder, neither loses the name of the other. */
#include "image/layout.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "image/index.h"
#include "image/layout_partial.h"
#include "image/place.h"
#include "store/oci/reference.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct layout {
    struct image_place place;
    struct layout_folder folder; /* of a target */
    char *directory;
    char *tag; /* NULL: none */
};

/* ---- paths ---- */

char *layout_blob_path(const char *directory, const char *digest)
{
    char name[LEAT_IMAGE_DIGEST_MAX + 8];
    snprintf(name, sizeof(name), "blobs/%s", digest);
    name[strcspn(name, ":")] = '/';
    return text_join(directory, "/", name);
}

static int open_digest(struct layout *l, const char *digest, enum leat_direction direction, leat_endpoint **ret,
                       struct leat_error *error)
{
    const char *name;
    if (direction == LEAT_WRITE) {
        enum folder in = folder_of(digest, &name);
        return folder_sink(&l->folder, in, name, ret, error);
    }
    char *path = layout_blob_path(l->directory, digest);
    int r = path ? place_file(path, direction, ret, error) : error_set(error, -ENOMEM, "out of memory");
    free(path);
    return r;
}

/* ---- index.json ---- */

static int read_file(const char *path, char **ret, size_t *ret_n)
{
    struct stat st;
    int fd = fd_open(path, O_RDONLY | O_NONBLOCK, 0); /* O_NONBLOCK: opening a named pipe does not block */
    if (fd < 0)
        return fd;
    int r = fstat(fd, &st) < 0 ? -errno : !S_ISREG(st.st_mode) || st.st_size > INDEX_MAX ? -EBADMSG : 0;
    size_t size = r == 0 ? (size_t)st.st_size : 0, n = 0;
    char *bytes = r == 0 ? malloc(size + 1) : NULL;
    if (r == 0 && !bytes)
        r = -ENOMEM;
    while (r == 0 && n < size) {
        ssize_t got = read(fd, bytes + n, size - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    if (r == 0 && n < size)
        r = -EIO;
    fd_close(fd);
    if (r < 0) {
        free(bytes);
        return r;
    }
    *ret = bytes;
    *ret_n = n;
    return 0;
}

int layout_index(const char *directory, json_t **ret, struct leat_error *error)
{
    char buffer[128], *bytes = NULL, *path = text_join(directory, "/", "index.json");
    size_t n = 0;
    int r = path ? read_file(path, &bytes, &n) : -ENOMEM;
    free(path);
    if (r < 0)
        return error_set(error, r, "%.100s/index.json: %s", directory, error_text(r, buffer, sizeof(buffer)));
    r = index_read(bytes, n, directory, ret, error);
    free(bytes);
    return r;
}

/* Returns the descriptor that holds the lock, or a negative errno. */
static int lock_layout(const struct layout *l)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = openat(l->folder.fd[FOLDER_ROOT], "oci-layout", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    fd = fd < 0 ? -errno : fd_above_standard(fd);
    while (fd >= 0 && fcntl(fd, F_SETLKW, &lock) < 0)
        if (errno != EINTR) {
            int r = -errno;
            fd_close(fd);
            return r;
        }
    return fd;
}

static int write_index(const struct layout *l, json_t *index, struct leat_error *error)
{
    leat_endpoint *sink = NULL;
    char *line = json_line(index, JSON_COMPACT);
    int r = line ? folder_sink(&l->folder, FOLDER_ROOT, "index.json", &sink, error)
                 : error_set(error, -ENOMEM, "out of memory");
    if (r == 0 && line)
        r = place_write(sink, line, strlen(line), NULL, error);
    free(line);
    return r;
}

static int add_name(struct image_place *place, const struct document *top, struct leat_error *error)
{
    const struct layout *l = (const struct layout *)place;
    char buffer[128];
    json_t *old = NULL;
    struct leat_error none = {.size = sizeof(none)};
    int lock = lock_layout(l);
    if (lock < 0)
        return error_set(error, lock, "%.100s/oci-layout: %s", l->directory, error_text(lock, buffer, sizeof(buffer)));
    int r = layout_index(l->directory, &old, &none);
    if (r == -ENOENT)
        r = 0;
    else if (r < 0)
        error_set(error, r, "%s", none.text);
    if (r == 0)
        r = write_index(l, index_with(old, &top->self, l->tag), error);
    json_decref(old);
    fd_close(lock);
    return r;
}

/* The file lock excludes other processes, but not other threads of this one. */
static int layout_finish(struct image_place *place, const struct document *top, struct leat_error *error)
{
    static pthread_mutex_t threads = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&threads);
    int r = add_name(place, top, error);
    pthread_mutex_unlock(&threads);
    if (r == 0)
        partial_sweep(&((const struct layout *)place)->folder);
    return r;
}

/* ---- the other hooks ---- */

static int layout_find(struct image_place *place, char *ret, size_t capacity, struct descriptor *ret_self,
                       struct leat_error *error)
{
    const struct layout *l = (const struct layout *)place;
    json_t *index;
    int r = layout_index(l->directory, &index, error);
    if (r < 0)
        return r;
    r = index_find(index, l->tag, l->directory, "oci:DIRECTORY:TAG", ret_self, error);
    json_decref(index);
    if (r == 0)
        snprintf(ret, capacity, "%s", ret_self->digest);
    return r;
}

static int layout_open_manifest(struct image_place *place, const char *reference, leat_endpoint **ret,
                                struct leat_error *error)
{
    return open_digest((struct layout *)place, reference, LEAT_READ, ret, error);
}

static int layout_open_blob(struct image_place *place, const struct descriptor *blob, leat_endpoint **ret,
                            struct leat_error *error)
{
    return open_digest((struct layout *)place, blob->digest, LEAT_READ, ret, error);
}

static int layout_list(struct image_place *place, json_t **ret, struct leat_error *error)
{
    return layout_index(((const struct layout *)place)->directory, ret, error);
}

static int add_file(const struct layout *l, const char *digest,
                    int (*add)(void *user, const char *digest, uint64_t size), void *user)
{
    struct stat st;
    char *path = layout_blob_path(l->directory, digest);
    int r = path ? lstat(path, &st) : 0;
    free(path);
    return path ? add(user, digest, r == 0 ? (uint64_t)st.st_size : 0) : -ENOMEM;
}

static int each_of(const struct layout *l, const char *algorithm,
                   int (*add)(void *user, const char *digest, uint64_t size), void *user, struct leat_error *error)
{
    char *path = malloc(strlen(l->directory) + 32), buffer[128];
    struct dirent *entry = NULL;
    if (!path)
        return error_set(error, -ENOMEM, "out of memory");
    sprintf(path, "%s/blobs/%.6s", l->directory, algorithm);
    DIR *folder = opendir(path);
    int r = folder || errno == ENOENT ? 0 : -errno;
    while (folder && r == 0) {
        errno = 0;
        if (!(entry = readdir(folder))) {
            r = -errno;
            break;
        }
        char digest[LEAT_IMAGE_DIGEST_MAX];
        int n = snprintf(digest, sizeof(digest), "%.6s:%.128s", algorithm, entry->d_name);
        if (oci_digest_is_valid(digest) && strlen(entry->d_name) == (size_t)n - 7)
            r = add_file(l, digest, add, user);
    }
    if (folder)
        closedir(folder);
    if (r < 0)
        error_at(error, r, LEAT_SIDE_SOURCE, "", "read", "%.150s: %s", path, error_text(r, buffer, sizeof(buffer)));
    free(path);
    return r;
}

static int layout_each(struct image_place *place, int (*add)(void *user, const char *digest, uint64_t size), void *user,
                       struct leat_error *error)
{
    const struct layout *l = (const struct layout *)place;
    int r = each_of(l, "sha256", add, user, error);
    return r == 0 ? each_of(l, "sha512", add, user, error) : r;
}

static int layout_has(struct image_place *place, const struct descriptor *blob, bool is_manifest UNUSED,
                      struct leat_error *error)
{
    const struct layout *l = (const struct layout *)place;
    struct stat st;
    const char *name;
    enum folder in = folder_of(blob->digest, &name);
    int r = folder_look(&l->folder, in, name, &st, error);
    return r < 0 ? r : st.st_nlink > 0 && (uint64_t)st.st_size == blob->size;
}

static int layout_take_blob(struct image_place *place, const struct descriptor *blob, struct image_way *way,
                            struct leat_error *error)
{
    return open_digest((struct layout *)place, blob->digest, LEAT_WRITE, &way->out, error);
}

static int end_partial(void *user, int code, struct leat_error *error)
{
    return partial_end(user, code, error);
}

static int layout_take_rest(struct image_place *place, const struct descriptor *blob, struct image_way *way,
                            struct leat_error *error)
{
    const struct layout *l = (const struct layout *)place;
    struct partial *part = NULL;
    int r = blob->size < PART_LEAST ? 0 : partial_open(&part, &l->folder, blob, place->watch);
    if (r == 0 && !part)
        return layout_take_blob(place, blob, way, error);
    if (r == 0 && (r = partial_sink(part, &way->out)) < 0)
        partial_end(part, r, NULL);
    if (r < 0)
        return error_set(error, r, "out of memory");
    way->offset = partial_length(part);
    way->end = end_partial;
    way->end_user = part;
    return 0;
}

static int layout_take_manifest(struct image_place *place, const struct document *document, struct leat_error *error)
{
    leat_endpoint *sink = NULL;
    int r = open_digest((struct layout *)place, document->self.digest, LEAT_WRITE, &sink, error);
    return r == 0 ? place_write(sink, document->bytes, document->length, document->self.digest, error) : r;
}

static void layout_free(struct image_place *place)
{
    struct layout *l = (struct layout *)place;
    folder_close(&l->folder);
    free(l->directory);
    free(l->tag);
    free(l);
}

static const struct place_ops layout_ops = {
    .name = "oci",
    .find = layout_find,
    .open_manifest = layout_open_manifest,
    .open_blob = layout_open_blob,
    .index = layout_list,
    .each = layout_each,
    .has = layout_has,
    .take_blob = layout_take_blob,
    .take_rest = layout_take_rest,
    .take_manifest = layout_take_manifest,
    .finish = layout_finish,
    .free = layout_free,
};

/* ---- making one ---- */

/* Writes the mark of a layout, unless it exists. */
static int make_mark(const struct layout *l, struct leat_error *error)
{
    static const char mark[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
    leat_endpoint *sink = NULL;
    struct leat_error own = {.size = sizeof(own)};
    struct stat st;
    int r = folder_look(&l->folder, FOLDER_ROOT, "oci-layout", &st, error);
    if (r < 0 || st.st_nlink > 0)
        return r;
    r = folder_sink(&l->folder, FOLDER_ROOT, "oci-layout", &sink, &own);
    if (r == 0)
        r = place_write(sink, mark, sizeof(mark) - 1, NULL, &own);
    if (r < 0 && folder_look(&l->folder, FOLDER_ROOT, "oci-layout", &st, NULL) == 0 && st.st_nlink > 0)
        r = 0; /* another copy has written it in the meantime */
    return r < 0 ? error_set(error, r, "%s", own.text) : 0;
}

static int make_layout(struct layout *l, struct leat_error *error)
{
    struct stat st;
    int r = folder_open(&l->folder, l->directory, error);
    if (r == 0)
        r = make_mark(l, error);
    return r == 0 ? folder_look(&l->folder, FOLDER_ROOT, "index.json", &st, error)
                  : r; /* an unusable index.json fails before bytes are moved */
}

int place_layout(struct image_place **ret, const char *rest, bool is_target, struct leat_error *error)
{
    struct layout *l = calloc(1, sizeof(*l));
    if (l)
        l->folder = LAYOUT_FOLDER_CLOSED;
    int r = l ? index_split(rest, &l->directory, &l->tag) : -ENOMEM;
    if (r == 0 && is_target)
        r = make_layout(l, error);
    if (r < 0) {
        if (l)
            layout_free(&l->place);
        return r == -EINVAL
                   ? error_set(error, r, "'oci:%.80s' names no image: write oci:DIRECTORY or oci:DIRECTORY:TAG", rest)
                   : error_set(error, r, "out of memory");
    }
    l->place.ops = &layout_ops;
    *ret = &l->place;
    return 0;
}
