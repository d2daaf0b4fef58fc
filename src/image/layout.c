/* index.json is read, changed and published again under a lock of the file `oci-layout`, so that of two copies into one
 * folder none loses the other's name. */
#include "image/layout.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "image/index.h"
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
    struct place place;
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

/* What is written to: it is a regular file, or missing. A layout may come from anywhere, and a link in it would lead
 * what is written, or the lock, to a file outside. *ret_st is zero where it is missing. */
static int look_at(const char *path, struct stat *ret_st, struct leat_error *error)
{
    char buffer[128];
    memset(ret_st, 0, sizeof(*ret_st));
    if (lstat(path, ret_st) < 0) {
        int r = -errno;
        return r == -ENOENT ? 0 : error_set(error, r, "%.180s: %s", path, error_text(r, buffer, sizeof(buffer)));
    }
    if (S_ISLNK(ret_st->st_mode))
        return error_set(error, -ELOOP, "%.180s is a symbolic link", path);
    return S_ISREG(ret_st->st_mode) ? 0 : error_set(error, -EINVAL, "%.180s is no regular file", path);
}

static int open_file(const char *path, enum leat_direction direction, leat_endpoint **ret, struct leat_error *error)
{
    struct stat st;
    int r = direction == LEAT_WRITE ? look_at(path, &st, error) : 0;
    return r == 0 ? place_file(path, direction, ret, error) : r;
}

static int open_digest(struct layout *l, const char *digest, enum leat_direction direction, leat_endpoint **ret,
                       struct leat_error *error)
{
    char *path = layout_blob_path(l->directory, digest);
    int r = path ? open_file(path, direction, ret, error) : error_set(error, -ENOMEM, "out of memory");
    free(path);
    return r;
}

/* ---- index.json ---- */

static int read_file(const char *path, char **ret, size_t *ret_n)
{
    struct stat st;
    int fd = fd_open(path, O_RDONLY | O_NONBLOCK, 0); /* a pipe makes it wait no more than a file */
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

/* Gives the descriptor that holds the lock, or a negative errno. */
static int lock_layout(const struct layout *l)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char *path = text_join(l->directory, "/", "oci-layout");
    int fd = path ? fd_open(path, O_RDWR, 0) : -ENOMEM;
    free(path);
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
    char *line = json_line(index, JSON_COMPACT), *path = text_join(l->directory, "/", "index.json");
    int r = -ENOMEM;
    if (!line || !path)
        error_set(error, r, "out of memory");
    else if ((r = open_file(path, LEAT_WRITE, &sink, error)) == 0)
        r = place_write(sink, line, strlen(line), NULL, error);
    free(line);
    free(path);
    return r;
}

static int add_name(struct place *place, const struct document *top, struct leat_error *error)
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

/* The lock of the file keeps other processes away, but not other threads of this one. */
static int layout_finish(struct place *place, const struct document *top, struct leat_error *error)
{
    static pthread_mutex_t threads = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&threads);
    int r = add_name(place, top, error);
    pthread_mutex_unlock(&threads);
    return r;
}

/* ---- the other hooks ---- */

static int layout_find(struct place *place, char *ret, size_t capacity, struct descriptor *ret_self,
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

static int layout_open_manifest(struct place *place, const char *reference, leat_endpoint **ret,
                                struct leat_error *error)
{
    return open_digest((struct layout *)place, reference, LEAT_READ, ret, error);
}

static int layout_open_blob(struct place *place, const struct descriptor *blob, leat_endpoint **ret,
                            struct leat_error *error)
{
    return open_digest((struct layout *)place, blob->digest, LEAT_READ, ret, error);
}

static int layout_list(struct place *place, json_t **ret, struct leat_error *error)
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

static int layout_each(struct place *place, int (*add)(void *user, const char *digest, uint64_t size), void *user,
                       struct leat_error *error)
{
    const struct layout *l = (const struct layout *)place;
    int r = each_of(l, "sha256", add, user, error);
    return r == 0 ? each_of(l, "sha512", add, user, error) : r;
}

static int layout_has(struct place *place, const struct descriptor *blob, bool is_manifest UNUSED,
                      struct leat_error *error)
{
    const struct layout *l = (const struct layout *)place;
    struct stat st;
    char *path = layout_blob_path(l->directory, blob->digest);
    if (!path)
        return error_set(error, -ENOMEM, "out of memory");
    int r = look_at(path, &st, error);
    free(path);
    return r < 0 ? r : st.st_nlink > 0 && (uint64_t)st.st_size == blob->size;
}

static int layout_take_blob(struct place *place, const struct descriptor *blob, struct way *way,
                            struct leat_error *error)
{
    return open_digest((struct layout *)place, blob->digest, LEAT_WRITE, &way->out, error);
}

static int layout_take_manifest(struct place *place, const struct document *document, struct leat_error *error)
{
    leat_endpoint *sink = NULL;
    int r = open_digest((struct layout *)place, document->self.digest, LEAT_WRITE, &sink, error);
    return r == 0 ? place_write(sink, document->bytes, document->length, document->self.digest, error) : r;
}

static void layout_free(struct place *place)
{
    struct layout *l = (struct layout *)place;
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
    .take_manifest = layout_take_manifest,
    .finish = layout_finish,
    .free = layout_free,
};

/* ---- making one ---- */

/* A folder within the layout is no link; the layout itself may be one, by the caller's choice. */
static int make_directory(const char *directory, const char *name, struct leat_error *error)
{
    char buffer[128];
    struct stat st;
    char *path = name ? text_join(directory, "/", name) : strdup(directory);
    int r = !path ? -ENOMEM : mkdir(path, 0777) < 0 && errno != EEXIST ? -errno : 0;
    if (r == 0 && name)
        r = lstat(path, &st) < 0 ? -errno : S_ISLNK(st.st_mode) ? -ELOOP : S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
    if (r < 0)
        error_set(error, r, "%.180s%s%s", path ? path : directory, r == -ELOOP ? " is a symbolic link" : ": ",
                  r == -ELOOP ? "" : error_text(r, buffer, sizeof(buffer)));
    free(path);
    return r;
}

/* The mark of a layout; one that is there already stays. */
static int make_mark(const char *directory, struct leat_error *error)
{
    static const char mark[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
    struct leat_error own = {.size = sizeof(own)};
    leat_endpoint *sink = NULL;
    struct stat st = {.st_nlink = 0};
    char *path = text_join(directory, "/", "oci-layout");
    int r = path ? look_at(path, &st, &own) : error_set(&own, -ENOMEM, "out of memory");
    bool is_new = r == 0 && st.st_nlink == 0;
    if (is_new)
        r = place_file(path, LEAT_WRITE, &sink, &own);
    if (is_new && r == 0)
        r = place_write(sink, mark, sizeof(mark) - 1, NULL, &own);
    if (is_new && r < 0 && look_at(path, &st, NULL) == 0 && st.st_nlink > 0) /* another copy has made it meanwhile */
        r = 0;
    free(path);
    return r < 0 ? error_set(error, r, "%s", own.text) : 0;
}

static int make_layout(const char *directory, struct leat_error *error)
{
    static const char *const folders[] = {NULL, "blobs", "blobs/sha256", "blobs/sha512"};
    int r = 0;
    for (size_t i = 0; i < COUNT(folders) && r == 0; i++)
        r = make_directory(directory, folders[i], error);
    if (r == 0)
        r = make_mark(directory, error);
    struct stat st;
    char *index = text_join(directory, "/", "index.json"); /* so that nothing is moved in vain */
    if (r == 0)
        r = index ? look_at(index, &st, error) : error_set(error, -ENOMEM, "out of memory");
    free(index);
    return r;
}

int place_layout(struct place **ret, const char *rest, bool is_target, struct leat_error *error)
{
    struct layout *l = calloc(1, sizeof(*l));
    int r = l ? index_split(rest, &l->directory, &l->tag) : -ENOMEM;
    if (r == 0 && is_target)
        r = make_layout(l->directory, error);
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
