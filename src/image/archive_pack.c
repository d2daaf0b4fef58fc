/* SPDX-License-Identifier: MIT */
/* A source whose bytes libarchive makes when the pipeline asks for them. Each entry is passed to libarchive piece by
 * piece, and its output for a piece is kept until it was read. */
#include "image/archive_pack.h"
#include "archive/library.h"
#include "archive/output.h"
#include "image/place.h"
#include <errno.h>

#define BLOCK (256u * 1024)

struct pack {
    struct archive *archive;
    const struct pack_item *item;
    size_t count, index; /* the entry that is being written */
    bool begun, ended;
    uint64_t at;
    unsigned char *block;
    struct archive_output output;
};

static int failed(const struct pack *p)
{
    return p->output.is_short ? -ENOMEM : -EIO;
}

static uint64_t size_of(const struct pack_item *item)
{
    return item->bytes ? item->length : item->blob->size;
}

static int begin_item(struct pack *p)
{
    const struct pack_item *item = &p->item[p->index];
    struct archive_entry *entry = archive.entry_new();
    if (!entry)
        return -ENOMEM;
    archive.entry_set_pathname(entry, item->name);
    archive.entry_set_size(entry, (la_int64_t)size_of(item));
    archive.entry_set_filetype(entry, AE_IFREG);
    archive.entry_set_perm(entry, 0644);
    archive_set_mtime(entry, 0, 0);
    int r = archive.write_header(p->archive, entry) == ARCHIVE_OK ? 0 : failed(p);
    archive.entry_free(entry);
    p->begun = true;
    p->at = 0;
    return r;
}

static int go_on(struct pack *p)
{
    const struct pack_item *item = &p->item[p->index];
    size_t n = (size_t)MIN(size_of(item) - p->at, BLOCK);
    if (n == 0) {
        p->begun = false;
        p->index++;
        return archive.write_finish_entry(p->archive) == ARCHIVE_OK ? 0 : failed(p);
    }
    if (item->bytes)
        memcpy(p->block, (const char *)item->bytes + p->at, n);
    ssize_t got = item->bytes ? (ssize_t)n : spool_read(item->blob, p->at, p->block, n);
    if (got < 0)
        return (int)got;
    p->at += (uint64_t)got;
    return archive.write_data(p->archive, p->block, (size_t)got) == got ? 0 : failed(p);
}

/* Makes libarchive produce more output. */
static int produce(struct pack *p)
{
    if (p->begun)
        return go_on(p);
    if (p->index < p->count)
        return begin_item(p);
    p->ended = true;
    return archive.write_close(p->archive) == ARCHIVE_OK ? 0 : failed(p);
}

static int source_read(void *user, void *bytes, size_t n, size_t *ret_n)
{
    struct pack *p = user;
    while (archive_output_left(&p->output) == 0 && !p->ended) {
        int r = produce(p);
        if (r < 0)
            return r;
    }
    *ret_n = archive_output_take(&p->output, bytes, n);
    return 0;
}

static int begin(struct pack *p)
{
    p->block = malloc(BLOCK);
    p->archive = p->block ? archive.write_new() : NULL;
    if (!p->archive)
        return -ENOMEM;
    return archive.write_set_format_pax_restricted(p->archive) == ARCHIVE_OK &&
                   archive.write_set_bytes_per_block(p->archive, 0) == ARCHIVE_OK &&
                   archive.write_open(p->archive, &p->output, NULL, archive_output_add, NULL) == ARCHIVE_OK
               ? 0
               : failed(p);
}

int pack_write(struct image_watch *watch, leat_endpoint *sink, const char *path, const struct pack_item *item,
               size_t count, struct leat_error *error)
{
    struct leat_endpoint_callbacks callbacks = LEAT_INIT(struct leat_endpoint_callbacks);
    struct pack pack = {.item = item, .count = count};
    leat_endpoint *in;
    callbacks.read = source_read;
    int r = begin(&pack);
    if (r == 0)
        r = leat_endpoint_from_callbacks(&in, &callbacks, &pack, NULL);
    if (r == 0)
        r = place_move(watch, in, sink, NULL, NULL, path, error);
    else
        leat_endpoint_close(sink);
    if (pack.archive)
        archive.write_free(pack.archive);
    free(pack.block);
    archive_output_clear(&pack.output);
    return r < 0 ? error_set(error, r, "%.100s: the archive can't be written", path) : 0;
}
