/* SPDX-License-Identifier: MIT */
/* Records: the items of stages that come from a channel or a pipe. The rooms of stages, channels and pipes do not know
 * each other, so they meet here. */
#include "base/base.h"
#include <errno.h>
#include <leat/channel.h>
#include <leat/pipe.h>
#include <leat/record.h>
#include <leat/stages.h>
#include <stdbool.h>

#define FIRST_ROOM ((size_t)240) /* Most lines and messages fit into it. */
#define FRAME_HEAD 4
/* The most memory that is allocated on the word of a frame's length, before the bytes have come. */
#define FRAME_STEP ((size_t)1 << 20)

/* Makes room for at least `room` bytes. `*record` may be NULL; then the record is empty. If there is no memory, the
 * record is freed, and `*record` is NULL. Returns 0 or -ENOMEM. */
static int make_room(struct leat_record **record, size_t room)
{
    struct leat_record *more = realloc(*record, sizeof(*more) + room + 1);
    if (!more) {
        free(*record);
        *record = NULL;
        return -ENOMEM;
    }
    if (!*record)
        more->length = 0;
    more->bytes = (char *)(more + 1);
    *record = more;
    return 0;
}

/* Hands out a record whose bytes are complete. */
static int hand_out(struct leat_record *record, void **ret)
{
    record->bytes[record->length] = '\0';
    *ret = record;
    return 0;
}

int leat_record_new(struct leat_record **ret_record, const void *bytes, size_t n)
{
    struct leat_record *record = NULL;
    if (n > SIZE_MAX / 2 || make_room(&record, n) < 0)
        return -ENOMEM;
    record->length = n;
    if (n > 0 && bytes)
        memcpy(record->bytes, bytes, n);
    else
        memset(record->bytes, 0, n);
    record->bytes[n] = '\0';
    *ret_record = record;
    return 0;
}

void leat_record_free(struct leat_record *record)
{
    free(record);
}

void leat_record_dispose(void *user UNUSED, void *record)
{
    free(record);
}

size_t leat_record_size(void *user UNUSED, const void *record)
{
    return ((const struct leat_record *)record)->length;
}

/* ---- channels ---- */

/* Another receiver may take the message that was too long, and the next one may be longer still. So the call tries
 * until a message fits. */
int leat_record_next_message(void *channel, void **ret_record)
{
    struct leat_record *record = NULL;
    size_t room = FIRST_ROOM;
    for (;;) {
        size_t n = 0;
        int r = make_room(&record, room);
        if (r < 0)
            return r;
        r = leat_channel_receive(channel, record->bytes, room, &n, -1);
        if (r == 0) {
            record->length = n;
            return hand_out(record, ret_record);
        }
        if (r != -EMSGSIZE) {
            free(record);
            return r == -ENODATA ? LEAT_STAGES_END : r;
        }
        room = n;
    }
}

int leat_record_emit_message(void *channel, void *record)
{
    struct leat_record *r = record;
    int code = leat_channel_send(channel, r->bytes, r->length, -1);
    if (code == 0)
        free(r);
    return code;
}

/* ---- lines ---- */

/* Reads up to the newline, the end or the room. *ret_whole: the line is complete. Returns 0, LEAT_STAGES_END or a
 * negative errno. */
static int read_part(leat_reader *reader, struct leat_record *record, size_t room, bool *ret_whole)
{
    size_t n = 0;
    int r = leat_reader_read_line(reader, record->bytes + record->length, room + 1 - record->length, &n, -1);
    if (r < 0)
        return r;
    bool full = record->length + n == room;
    record->length += n;
    bool newline = n > 0 && record->bytes[record->length - 1] == '\n';
    if (n == 0 && record->length == 0)
        return LEAT_STAGES_END;
    record->length -= newline;
    *ret_whole = newline || n == 0 || !full;
    return 0;
}

int leat_record_next_line(void *reader, void **ret_record)
{
    struct leat_record *record = NULL;
    bool whole = false;
    int r = 0;
    for (size_t room = FIRST_ROOM; r == 0 && !whole; room *= 2) {
        r = room > (size_t)2 * LEAT_RECORD_MAX ? -EMSGSIZE : make_room(&record, room);
        if (r == 0)
            r = read_part(reader, record, room, &whole);
    }
    if (r == 0 && record->length > LEAT_RECORD_MAX)
        r = -EMSGSIZE;
    if (r == 0)
        return hand_out(record, ret_record);
    free(record);
    return r;
}

/* The NUL behind the bytes becomes the newline, so one write is enough. */
int leat_record_emit_line(void *writer, void *record)
{
    struct leat_record *r = record;
    size_t n;
    r->bytes[r->length] = '\n';
    int code = leat_writer_write(writer, r->bytes, r->length + 1, &n, -1);
    r->bytes[r->length] = '\0';
    if (code == 0)
        free(r);
    return code;
}

/* ---- frames ---- */

/* Returns 0; LEAT_STAGES_END: the stream ends before the first byte; -EBADMSG: it ends within the length; -EMSGSIZE; or
 * another negative errno. */
static int read_head(leat_reader *reader, size_t *ret_length)
{
    uint8_t head[FRAME_HEAD];
    size_t n, length = 0;
    int r = leat_reader_read_full(reader, head, sizeof(head), &n, -1);
    if (r < 0)
        return r;
    if (n < sizeof(head))
        return n == 0 ? LEAT_STAGES_END : -EBADMSG;
    for (size_t i = 0; i < sizeof(head); i++)
        length = length << 8 | head[i];
    *ret_length = length;
    return length > LEAT_RECORD_MAX ? -EMSGSIZE : 0;
}

int leat_record_next_frame(void *reader, void **ret_record)
{
    struct leat_record *record = NULL;
    size_t length;
    int r = read_head(reader, &length);
    if (r != 0)
        return r;
    size_t room = MIN(length, FRAME_STEP);
    r = make_room(&record, room);
    while (r == 0 && record->length < length) {
        size_t n, step = room - record->length;
        r = leat_reader_read_full(reader, record->bytes + record->length, step, &n, -1);
        if (r == 0 && n < step)
            r = -EBADMSG;
        if (r < 0)
            break;
        record->length += n;
        room = MIN(2 * room, length);
        r = make_room(&record, room);
    }
    if (r == 0)
        return hand_out(record, ret_record);
    free(record);
    return r;
}

int leat_record_emit_frame(void *writer, void *record)
{
    struct leat_record *r = record;
    uint8_t head[FRAME_HEAD];
    size_t n;
    if (r->length > LEAT_RECORD_MAX)
        return -EMSGSIZE;
    for (size_t i = 0; i < sizeof(head); i++)
        head[i] = (uint8_t)(r->length >> (8 * (sizeof(head) - 1 - i)));
    int code = leat_writer_write(writer, head, sizeof(head), &n, -1);
    if (code == 0)
        code = leat_writer_write(writer, r->bytes, r->length, &n, -1);
    if (code == 0)
        free(r);
    return code;
}
