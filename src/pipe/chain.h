/* SPDX-License-Identifier: MIT */
/* The chain: the filters between the two ends of a pipe. Bytes move from place to place: into the chunk of the first
 * place, past the filters there, through the transform behind them into the chunk of the next place, and out of the
 * last place by reference.
 *
 * No function here waits. A call that cannot go on returns -EAGAIN and stores in `want` what it needs. What it has done
 * stays done, and the next call goes on from there. All functions need the write turn. */
#ifndef PIPE_CHAIN_H
#define PIPE_CHAIN_H

#include "pipe/pipe.h"

/* Starts a filter and puts it behind the others, in a place of its own if the filter before it changes the bytes. The
 * chain must be empty: chain_pass has returned 0. Returns 0 or a negative errno, with `error` set; then nothing has
 * changed, and the reference stays the caller's. */
int chain_add(struct pipe *p, leat_filter *filter, struct leat_error *error);

/* Copies up to n bytes into the chain. Returns how many it took; -EAGAIN; -EPIPE: the pipe has ended, or failed during
 * the call. */
ssize_t chain_write(struct pipe *p, const uint8_t *bytes, size_t n);

/* As chain_write, but by reference: `bytes` lie in `chunk`, and the chain keeps a reference to that chunk until they
 * are read. */
ssize_t chain_refer(struct pipe *p, struct chunk *chunk, uint8_t *bytes, size_t n);

/* Hands out room in the chunk of the first place: at least `want` bytes, or a whole chunk where `want` is larger, or
 * less where a filter that paces allows less. Returns 0, -EAGAIN or -EPIPE. */
int chain_reserve(struct pipe *p, size_t want, void **ret, size_t *ret_n);
/* Adds the first n bytes of the reserved room to the chain. */
void chain_commit(struct pipe *p, size_t n);

/* Shows the reader the bytes that were written into the queue and are still hidden. */
void chain_show(struct pipe *p);

/* Moves on all bytes that lie in chunks. With LEAT_FILTER_FLUSH it also moves on what transforms hold back. Returns 0,
 * -EAGAIN or -EPIPE. */
int chain_pass(struct pipe *p, enum leat_filter_mode mode);

/* Is there anything that chain_pass would move on? */
bool chain_has_rest(const struct pipe *p);

/* Begins the end: records how the pipe ends, the place from which on the chain is still worked off, and the code.
 * chain_work_off_end does the work. */
void chain_end(struct pipe *p, enum ending ending, size_t at, int code);
/* Works off the end that chain_end began. Returns 0: it is done, and the reader sees the end. -EAGAIN: call again. */
int chain_work_off_end(struct pipe *p);
/* Finishes the filters that were started. Returns `code`; if that is 0, the code of the first filter that fails when it
 * is finished, or 0. */
int chain_stop(struct pipe *p, int code);
/* Ends the pipe now: drops what still lies in the chain, stores `end`, and wakes both sides. */
void chain_drop(struct pipe *p);

#endif
