/* SPDX-License-Identifier: MIT */
#include "image/archive_reader.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK     (256u * 1024)
#define WANTED_NS INT64_C(100000000)

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

void reader_close(struct tar_reader *r)
{
    if (r->archive)
        archive.read_free(r->archive);
    free(r->block);
    *r = (struct tar_reader){.fd = -1};
}

/* A filter for which libarchive would run another program is not enabled. */
int reader_open(struct tar_reader *r, const struct tar *tar, struct leat_error *error)
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

int reader_next(struct tar_reader *r, const char *path, struct archive_entry **ret, struct leat_error *error)
{
    int result = archive.read_next_header(r->archive, ret);
    if (result == ARCHIVE_EOF)
        return 0;
    return result == ARCHIVE_OK || result == ARCHIVE_WARN ? 1 : fail(r, path, error);
}

ssize_t reader_read(struct tar_reader *r, const char *path, void *bytes, size_t n, struct leat_error *error)
{
    la_ssize_t got = archive.read_data(r->archive, bytes, n);
    return got < 0 ? fail(r, path, error) : got;
}

bool reader_is_compressed(const struct tar_reader *r)
{
    return archive.filter_code(r->archive, 0) != ARCHIVE_FILTER_NONE;
}
