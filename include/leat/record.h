/* leat/record.h: ready-made sources and sinks of stages: the messages of a channel, the lines or frames of a pipe.
 *
 *     struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
 *     options.dispose = leat_record_dispose;
 *     ...
 *     leat_stages_run(stages, leat_record_next_line, reader, leat_record_emit_message, channel, &error);
 *
 * An item is then a record: bytes of any number, in one piece of memory. Each function is a leat_next_fn, or a
 * leat_emit_fn which frees the record that it takes; `user` is the channel, or the end of a pipe, borrowed for as long
 * as the stages run. The two may be mixed in any way, and with functions of the caller's.
 *
 * They wait as long as their channel or pipe makes them wait. So that an end which comes from the stages reaches them,
 * leat_stages_options.wake should end that, by leat_channel_cancel or leat_writer_fail.
 */
#ifndef LEAT_RECORD_H
#define LEAT_RECORD_H

#include <leat/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct leat_record {
    size_t length;
    char *bytes; /* within the same memory, with a NUL behind the last one that `length` does not count */
};

/* No line or frame may be longer: who reads one has to have memory for it. */
enum {
    LEAT_RECORD_MAX = 1 << 30
};

/* A record of these bytes, which are copied; NULL: they are zeros, to be filled. -ENOMEM. */
LEAT_API int leat_record_new(struct leat_record **ret, const void *bytes, size_t n);

/* NULL is allowed. */
LEAT_API void leat_record_free(struct leat_record *record);

/* The same as `dispose` of a stage, and its length as `item_size`; `user` is not used. */
LEAT_API void leat_record_dispose(void *user, void *record);
LEAT_API size_t leat_record_size(void *user, const void *record);

/* From a channel: the end is when all senders have left. -EOWNERDEAD: one of them died; else what
 * leat_channel_receive says. */
LEAT_API int leat_record_next_message(void *channel, void **ret_record);
/* What leat_channel_send says. */
LEAT_API int leat_record_emit_message(void *channel, void *record);

/* From a leat_reader: lines without their newline; what has none is the last one. -EMSGSIZE: it is longer than
 * LEAT_RECORD_MAX; else what leat_reader_read says. */
LEAT_API int leat_record_next_line(void *reader, void **ret_record);
/* To a leat_writer, with a newline behind each. What leat_writer_write says; what it has written of the record stays
 * so. */
LEAT_API int leat_record_emit_line(void *writer, void *record);

/* The same in frames: the length, as 4 bytes of which the highest is first, and then the bytes. -EBADMSG: the end comes
 * in the middle of one. */
LEAT_API int leat_record_next_frame(void *reader, void **ret_record);
/* -EMSGSIZE, too. */
LEAT_API int leat_record_emit_frame(void *writer, void *record);

#ifdef __cplusplus
}
#endif
#endif
