/* SPDX-License-Identifier: MIT */
#include "archive/output.h"
#include "base/base.h"

enum {
    SPARE = 256 * 1024 /* bytes of room that are added beyond what is needed */
};

la_ssize_t archive_output_add(struct archive *archive UNUSED, void *output, const void *bytes, size_t n)
{
    struct archive_output *o = output;
    if (o->length + n > o->room) {
        size_t room = o->length + n + SPARE;
        unsigned char *grown = realloc(o->bytes, room);
        if (!grown) {
            o->is_short = true;
            return -1;
        }
        o->bytes = grown;
        o->room = room;
    }
    memcpy(o->bytes + o->length, bytes, n);
    o->length += n;
    return (la_ssize_t)n;
}

size_t archive_output_left(const struct archive_output *output)
{
    return output->length - output->read;
}

size_t archive_output_take(struct archive_output *output, void *bytes, size_t n)
{
    n = MIN(n, archive_output_left(output));
    if (n)
        memcpy(bytes, output->bytes + output->read, n);
    output->read += n;
    if (output->read == output->length)
        output->read = output->length = 0;
    return n;
}

void archive_output_clear(struct archive_output *output)
{
    free(output->bytes);
    *output = (struct archive_output){.bytes = NULL};
}
