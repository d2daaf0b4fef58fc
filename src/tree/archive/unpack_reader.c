/* SPDX-License-Identifier: MIT */
#include "tree/archive/unpack_reader.h"
#include "tree/tree.h"

enum {
    WAIT_MS = 100,   /* between two looks whether the program still wants the copy */
    END_BYTES = 512, /* an archive ends with at least one block of zeros */
};

static la_ssize_t on_read(struct archive *a, void *user, const void **ret)
{
    struct unpack_reader *r = user;
    for (;;) {
        ssize_t n = tree_is_wanted(r->tree) ? unpack_input_next(r->input, ret, WAIT_MS) : -ECANCELED;
        if (n >= 0)
            return n;
        if (n == -ETIMEDOUT)
            continue;
        archive.set_error(a, (int)-n, "it can't be read");
        return -1;
    }
}

static int fail(const struct unpack_reader *r, struct leat_error *error)
{
    struct leat_error cause = {.size = sizeof(cause)};
    const void *bytes;
    if (tree_is_canceled(r->tree))
        return error_set(error, -ECANCELED, "The program has cancelled the copy");
    ssize_t n = unpack_input_next(r->input, &bytes, 0);
    if (n < 0 && n != -EAGAIN) { /* the bytes have failed, and not what is in them */
        unpack_input_error(r->input, &cause);
        return error_at(error, cause.code, LEAT_SIDE_SOURCE, "", "read", "%s", cause.text);
    }
    const char *why = archive.error_string(r->archive);
    return error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "read", "%s", why ? why : "It is no tar archive");
}

void unpack_reader_close(struct unpack_reader *r)
{
    if (r->archive)
        archive.read_free(r->archive);
    unpack_input_close(r->input);
    if (r->plain) {
        uselocale(r->usual);
        freelocale(r->plain);
    }
    *r = (struct unpack_reader){.tree = NULL};
}

/* What libarchive would need another program for is left out. gzip and zstd are decompressed before it. */
static int set_up(struct unpack_reader *r)
{
    archive.read_support_filter_bzip2(r->archive);
    archive.read_support_filter_xz(r->archive);
    archive.read_support_filter_lz4(r->archive);
    if (archive.read_support_format_tar(r->archive) != ARCHIVE_OK)
        return -1;
    return archive.read_open2(r->archive, r, NULL, on_read, NULL, NULL) == ARCHIVE_OK ? 0 : -1;
}

int unpack_reader_open(struct unpack_reader *r, struct tree_copy *tree, leat_endpoint *source, struct leat_error *error)
{
    const char *why;
    *r = (struct unpack_reader){.tree = tree};
    int result = archive_need(&why);
    if (result < 0) {
        leat_endpoint_close(source);
        return error_set(error, result, "%s", why);
    }
    result = unpack_input_open(&r->input, source, error);
    if (result == 0) {
        r->archive = archive.read_new();
        r->plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        if (r->plain)
            r->usual = uselocale(r->plain);
        if (!r->archive || !r->plain)
            result = error_set(error, -ENOMEM, "out of memory");
    }
    if (result == 0 && set_up(r) < 0)
        result = fail(r, error);
    if (result < 0)
        unpack_reader_close(r);
    return result;
}

/* Reads what is behind the end of the archive. So the source is known to be whole, and its writer gets no EPIPE. */
static int read_rest(struct unpack_reader *r, struct leat_error *error)
{
    const void *bytes;
    ssize_t n;
    while ((n = unpack_input_next(r->input, &bytes, WAIT_MS)) != 0)
        if ((n < 0 && n != -ETIMEDOUT) || !tree_is_wanted(r->tree))
            return fail(r, error);
    return 0;
}

/* Names that are UTF-8 are taken as they are. */
static const char *warning_of(const struct unpack_reader *r)
{
    const char *text = archive.error_string(r->archive);
    return text && strstr(text, "can't be converted from UTF-8") ? NULL : text;
}

int unpack_reader_next(struct unpack_reader *r, struct archive_entry **ret, const char **ret_warning,
                       struct leat_error *error)
{
    if (r->has_entry && archive.read_data_skip(r->archive) < ARCHIVE_WARN)
        return fail(r, error);
    la_int64_t before = r->has_entry ? archive.filter_bytes(r->archive, 0) : 0;
    int result = archive.read_next_header(r->archive, ret);
    *ret_warning = NULL;
    if (result == ARCHIVE_EOF) {
        if (archive.filter_bytes(r->archive, 0) < before + END_BYTES)
            return error_at(error, -EBADMSG, LEAT_SIDE_SOURCE, "", "read",
                            "It is cut off: the blocks of zeros that end an archive are missing");
        return read_rest(r, error);
    }
    if (result == ARCHIVE_WARN)
        *ret_warning = warning_of(r);
    else if (result != ARCHIVE_OK)
        return fail(r, error);
    r->has_entry = true;
    return 1;
}

int unpack_reader_bytes(struct unpack_reader *r, const void **ret, size_t *ret_n, int64_t *ret_at,
                        struct leat_error *error)
{
    la_int64_t at = 0;
    int result = archive.read_data_block(r->archive, ret, ret_n, &at);
    if (result == ARCHIVE_EOF)
        return 0;
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
        return fail(r, error);
    *ret_at = at;
    return 1;
}
