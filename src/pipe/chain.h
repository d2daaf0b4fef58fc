/* The filters between the ends. Bytes go from place to place: into the chunk of the first one, past the filters there,
 * through the transform behind them into the chunk of the next place, and from the last one out, by reference. Nothing
 * here waits: a call that can't go on says -EAGAIN, `want` says for what, and all that it has done stays done, so that
 * the next call goes on from there. All need the write turn. */
#ifndef PIPE_CHAIN_H
#define PIPE_CHAIN_H

#include "pipe/pipe.h"

/* Cuts the filters into places, and starts them. */
int chain_open(struct pipe *p, struct leat_error *error);

/* A count, -EAGAIN, or -EPIPE: it has ended, or failed meanwhile. */
ssize_t chain_write(struct pipe *p, const uint8_t *bytes, size_t n);

/* The same by reference: the chunk that they lie in is kept until they are read. */
ssize_t chain_refer(struct pipe *p, struct chunk *chunk, uint8_t *bytes, size_t n);

/* Room in the first place's chunk, for `want` bytes if a chunk is so large: 0, -EAGAIN or -EPIPE. */
int chain_reserve(struct pipe *p, size_t want, void **ret, size_t *ret_n);
/* n bytes of it are filled. */
void chain_commit(struct pipe *p, size_t n);

/* What was written into the queue itself is the reader's. */
void chain_show(struct pipe *p);

/* All that is in chunks goes on; with LEAT_FILTER_FLUSH also what transforms hold back. */
int chain_pass(struct pipe *p, enum leat_filter_mode mode);

/* Is there anything to pass? */
bool chain_rests(const struct pipe *p);

/* The end begins, from this place on. */
void chain_end(struct pipe *p, enum ending ending, size_t at, int code);
/* And goes on. 0: it is done, and the reader sees it. */
int chain_go_on(struct pipe *p);
/* Filters that were started are finished; the code, if there is none, is that of the first one that fails at it. */
int chain_stop(struct pipe *p, int code);
/* It is done now, whatever still lies in the chain. */
void chain_drop(struct pipe *p);

#endif
