/* SPDX-License-Identifier: MIT */
/** @file leat/record.h
 * Ready-made sources and sinks of stages: the messages of a channel, the lines or frames of a pipe.
 *
 * @code
 *     struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
 *     options.dispose = leat_record_dispose;
 *     ...
 *     leat_stages_run(stages, leat_record_next_line, reader, leat_record_emit_message, channel, &error);
 * @endcode
 *
 * An item of the stages is then a record: bytes of any number, in one piece of memory.
 *
 * A leat_record_next_* function is a source (leat_next_fn of leat/stages.h). It returns 0 and a record that belongs to
 * the stages, LEAT_STAGES_END at the end, or a negative errno.
 *
 * A leat_record_emit_* function is a sink (leat_emit_fn). If it returns 0, it has taken the record and freed it. If it
 * returns a negative errno, it has not taken the record.
 *
 * The first argument of both, the `user` of the stages, is the channel or the end of a pipe. It is borrowed as long as
 * the stages run. Any source may be used with any sink, and with functions of the caller.
 *
 * Blocking: the sources and sinks wait as long as their channel or pipe makes them wait. If the stages end earlier, for
 * instance by a cancel, leat_stages_options.wake should end that wait by leat_channel_cancel or leat_writer_fail.
 */
#ifndef LEAT_RECORD_H
#define LEAT_RECORD_H

#include <leat/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A record. Its layout is fixed. */
struct leat_record {
    size_t length; /**< The number of bytes. */
    char *bytes;   /**< The bytes, in the same memory as the struct. There is a NUL behind the last byte, which `length`
                      does not count. */
};

enum {
    LEAT_RECORD_MAX = 1 << 30 /**< The longest line or frame in bytes, because its reader needs memory for it. */
};

/**
 * Makes a record.
 *
 * @param ret_record  The record; free it with leat_record_free.
 * @param bytes       The bytes, which are copied; NULL: the bytes are zeros, which the caller can overwrite.
 * @param n           Their number.
 *
 * @return 0 or -ENOMEM.
 */
LEAT_API int leat_record_new(struct leat_record **ret_record, const void *bytes, size_t n);

/** Frees a record. NULL is allowed. */
LEAT_API void leat_record_free(struct leat_record *record);

/** Frees a record, as `dispose` of a stage. `user` is not used. */
LEAT_API void leat_record_dispose(void *user, void *record);

/** Returns the length of a record, as `item_size` of a stage. `user` is not used. */
LEAT_API size_t leat_record_size(void *user, const void *record);

/**
 * Receives a message as a record. The end is when all senders have left.
 *
 * @param channel     A leat_channel.
 * @param ret_record  The record.
 *
 * @return 0; LEAT_STAGES_END; -EOWNERDEAD: a sender died; -ENOMEM; or what leat_channel_receive returned.
 */
LEAT_API int leat_record_next_message(void *channel, void **ret_record);

/**
 * Sends a record as a message.
 *
 * @param channel  A leat_channel.
 * @param record   The record.
 *
 * @return What leat_channel_send returned.
 */
LEAT_API int leat_record_emit_message(void *channel, void *record);

/**
 * Reads a line as a record, without its newline. If the last line has no newline, it is a line too.
 *
 * @param reader      A leat_reader.
 * @param ret_record  The record.
 *
 * @return 0; LEAT_STAGES_END; -EMSGSIZE: the line is longer than LEAT_RECORD_MAX; -ENOMEM; or what leat_reader_read
 *         returned.
 */
LEAT_API int leat_record_next_line(void *reader, void **ret_record);

/**
 * Writes a record as a line, with a newline behind it.
 *
 * @param writer  A leat_writer.
 * @param record  The record.
 *
 * @return What leat_writer_write returned. After a failure, the bytes of the record that were written stay written.
 */
LEAT_API int leat_record_emit_line(void *writer, void *record);

/**
 * Reads a frame as a record. A frame is its length, as 4 bytes with the highest byte first, and then its bytes.
 *
 * @param reader      A leat_reader.
 * @param ret_record  The record.
 *
 * @return 0; LEAT_STAGES_END; -EBADMSG: the end comes in the middle of a frame; -EMSGSIZE: the frame is longer than
 *         LEAT_RECORD_MAX; -ENOMEM; or what leat_reader_read returned.
 */
LEAT_API int leat_record_next_frame(void *reader, void **ret_record);

/**
 * Writes a record as a frame.
 *
 * @param writer  A leat_writer.
 * @param record  The record.
 *
 * @return What leat_writer_write returned; -EMSGSIZE: the record is longer than LEAT_RECORD_MAX. After a failure, the
 *         bytes of the frame that were written stay written.
 */
LEAT_API int leat_record_emit_frame(void *writer, void *record);

#ifdef __cplusplus
}
#endif
#endif
