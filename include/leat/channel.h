/* leat/channel.h: whole messages between processes, through shared memory, that survive kill -9.
 *
 *     leat_channel_open(&sender, NULL);                 here: this handle is the sender's end
 *     leat_channel_export(sender, fds, &n);               descriptors that make a handle of the other end
 *     ... fork, exec, or leat_channel_pass over a socket ...
 *     leat_channel_attach(&receiver, fds, n);             there
 *
 *     leat_channel_send(sender, bytes, n, -1);
 *     leat_channel_receive(receiver, buffer, sizeof(buffer), &n, -1);
 *
 * A channel carries messages of one size (`message_size`, so many of them as `count`), or of any length through a ring
 * of `ring_bytes`; one that is longer than the ring is streamed through it and still arrives whole. An empty message is
 * a message. Each goes to exactly one receiver. Any number of processes and threads may have either end, as long as
 * there are places (`peers`); what one sender sent arrives in its order. A duplex channel is two in one memory: both
 * ends send and receive.
 *
 * The memory is a sealed file without a name. It is gone when the last process that has it is gone, however it went. It
 * holds no pointer, and nothing in it is believed: a peer that is corrupt or malicious can destroy messages, and make
 * calls fail with -EPROTO or wait as long as they were told to, no more (docs/threat-model.md). The bytes that
 * leat_channel_acquire shows may change under such a peer; copy before you check.
 *
 * What a call may say:
 *   the end       -ENODATA from receive: every sender has left, and nothing is left to receive
 *   the same      -EOWNERDEAD: so it is, but one of the senders at least ended without leat_channel_close
 *   broken        -EPIPE from send: every receiver has left, or died
 *   timed out     -ETIMEDOUT: the time is up. Nothing was sent or received, and nothing is lost.
 *   not now       -EAGAIN: timeout_ms was 0, and the call would have to wait. The same.
 *   too long      -EMSGSIZE: nothing was sent, or nothing was received and *ret_n is the room that is needed
 *   wrong end     -EBADF: this end can't do that
 *   cancelled     -ECANCELED, see leat_channel_cancel
 *   corrupt       -EPROTO: what is in the memory can't be
 *
 * timeout_ms: a negative number waits without a limit; 0 does not wait, and what can't be done at once is -EAGAIN; a
 * positive number waits for so many milliseconds, and then the call says -ETIMEDOUT. That holds for each call that has
 * a timeout_ms. A signal changes nothing: no call ever says -EINTR. Sending to nobody yet is no error: as long as no
 * receiver has ever come, the ring fills.
 *
 * The crash rule. A process may be killed at any instruction, and what it did then is as follows:
 *   - A sender loses the message that it was sending, if that, and no other. A message that was sent stays.
 *   - leat_channel_receive gives a message at most once. A receiver that is killed inside it loses one message at most,
 *     or as many as it asked for with leat_channel_receivev, and those are counted (`lost`). A message that has been
 *     counted as given (by one add, after which the call does nothing but return) is not counted as lost, even if the
 *     receiver is killed on the way out of the call. What the last peer did last is counted when another one comes.
 *   - leat_channel_acquire gives it at least once: what a receiver held when it died, or closed its handle, goes to
 *     another one, marked with LEAT_MESSAGE_AGAIN.
 *   - A message longer than the ring whose receiver dies is lost and counted. If its sender dies, the receiver drops it
 *     and goes on.
 *   - Nobody waits for the dead longer than LEAT_CHANNEL_PATIENCE_MS; nor for a sender or receiver that will not come.
 * That a peer is alive is known from a lock that the kernel keeps for it, never from a process number.
 *
 * Ends, and copies of them. A set of exported descriptors counts as an end that is still to come, until it is closed
 * everywhere; so does, in a child after fork, each handle it inherited, until it closes or uses it. So close what you
 * don't need, as with a pipe. A handle after fork is another peer: it holds no message and no reservation.
 *
 * Threads: any number may use one handle at the same time. leat_channel_close is for the last of them. A process that
 * is made by a bare clone(2), past the C library's fork, must not touch what it inherits.
 *
 * Only Linux has what this needs; elsewhere every call that makes a handle says -ENOSYS.
 */
#ifndef LEAT_CHANNEL_H
#define LEAT_CHANNEL_H

#include <leat/base.h>
#include <leat/endpoint.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_channel leat_channel;

/* How long anybody may be held up by one that was killed. */
enum {
    LEAT_CHANNEL_PATIENCE_MS = 100
};

/* The most descriptors that one end may need. */
enum {
    LEAT_CHANNEL_FDS = 5
};

enum leat_channel_end {
    LEAT_CHANNEL_SENDER = 0,
    LEAT_CHANNEL_RECEIVER = 1, /* of a duplex channel these are only names of its two sides */
};

struct leat_channel_options {
    size_t size;
    uint64_t message_size;  /* every message has so many bytes; 0: any length */
    uint64_t count;         /* with message_size: how many the ring holds; 0: 64 */
    uint64_t ring_bytes;    /* for any length: what the ring holds, 16 bytes for each message and what rounds it up to a
                               multiple of 16 included; 0: 1 MiB. At least 32 are taken. */
    uint64_t message_limit; /* for any length: longer ones are refused; 0: 1 GiB */
    int32_t duplex;         /* not 0: both ends send and receive */
    int32_t end;            /* enum leat_channel_end: what the creator's handle is */
    uint32_t peers;         /* places for handles, exported sets and children together; 0: 64, at most 4096 */
};

/* Makes a channel and a handle of one end. -EINVAL for sizes that can't be; -ENOMEM or -ENOSPC if there is no memory
 * for it, all of which is taken at once; -EMFILE; -ENOSYS. */
LEAT_API int leat_channel_open(leat_channel **ret, const struct leat_channel_options *options);

/* Descriptors that make a handle of the other end, or of the one that is named. They are given, and close-on-exec. *n
 * is the room in `fds` and then their number; LEAT_CHANNEL_FDS is always enough (-ENOBUFS if it is not). The first is
 * the memory, the others tell of events; in another process they may have any numbers, in this order. They may be
 * attached to more than once. -EUSERS if all places are taken. */
LEAT_API int leat_channel_export(leat_channel *channel, int *fds, size_t *n);
LEAT_API int leat_channel_export_end(leat_channel *channel, enum leat_channel_end end, int *fds, size_t *n);

/* Makes a handle of the end that was exported. The descriptors are borrowed; close them afterwards. -EPROTO if they are
 * no channel of this version, -EUSERS, -EMFILE. */
LEAT_API int leat_channel_attach(leat_channel **ret, const int *fds, size_t n);

/* The two in one, with the descriptors sent over a Unix socket in between. They block if the socket does. -ENODATA: the
 * peer has closed the socket. -EMFILE: this process may not have so many descriptors; what came is closed, and lost.
 * -EPROTO: what came is no channel; of other descriptors that came none stays open. */
LEAT_API int leat_channel_pass(leat_channel *channel, enum leat_channel_end end, int socket);
LEAT_API int leat_channel_attach_passed(leat_channel **ret, int socket);

/* Leaves. Messages that were acquired and not released go to others, a reservation is dropped. NULL is allowed. Other
 * receivers are waited for as in leat_channel_release, for a second at most; then others find this one dead. */
LEAT_API void leat_channel_close(leat_channel *channel);

/* Ends every call on this handle in this process that waits, now and from now on, with -ECANCELED; what needs no wait
 * goes on. Any thread; async-signal-safe. */
LEAT_API void leat_channel_cancel(leat_channel *channel);

/* Sends a copy. A message longer than the ring needs a receiver that takes it meanwhile, so without waiting it can't be
 * sent (-EMSGSIZE); if the time is up in its middle, the receiver drops it. -EBUSY between leat_channel_reserve and
 * leat_channel_publish. */
LEAT_API int leat_channel_send(leat_channel *channel, const void *bytes, size_t n, int timeout_ms);

/* Sends n messages, of which each has its bytes. Waits for room for each; *ret_n (may be NULL) is how many were sent
 * and is always set. 0 only if all were. */
LEAT_API int leat_channel_sendv(leat_channel *channel, const struct iovec *messages, size_t n, size_t *ret_n,
                                int timeout_ms);

/* Receives a copy of one message. *ret_n (may be NULL) is its length. If the time is up in the middle of one that is
 * longer than the ring, the next call on this handle goes on with it. */
LEAT_API int leat_channel_receive(leat_channel *channel, void *bytes, size_t capacity, size_t *ret_n, int timeout_ms);

/* Receives what is there, n messages at most; waits for the first one alone. Each comes into the room that iov_base and
 * iov_len say, and its length is put into iov_len. One that has no room is left, and is told if it is the first. */
LEAT_API int leat_channel_receivev(leat_channel *channel, struct iovec *messages, size_t n, size_t *ret_n,
                                   int timeout_ms);

/* Room for a message of up to n bytes in the ring itself, aligned to 16. It is sent by leat_channel_publish, with its
 * true length, or dropped by leat_channel_abandon. Meanwhile nobody else can send, so be quick. One at a time for each
 * handle (-EBUSY). Both give -EINVAL if nothing is reserved, or less than n. -EMSGSIZE if it is longer than the ring.
 */
LEAT_API int leat_channel_reserve(leat_channel *channel, size_t n, void **ret, int timeout_ms);
LEAT_API int leat_channel_publish(leat_channel *channel, size_t n);
LEAT_API int leat_channel_abandon(leat_channel *channel);

enum leat_message_flags {
    LEAT_MESSAGE_AGAIN = 1 << 0, /* another receiver had it before, and did not release it */
};

/* A message that lies in the ring. Its layout is fixed. */
struct leat_message {
    const void *data; /* aligned to 16; lives until it is released, or the handle is closed */
    size_t length;
    uint64_t id; /* where it lies */
    uint32_t flags;
    uint32_t reserved;
};

/* Shows a message where it lies; it is this handle's until it is released, in any order and by any thread. The ring has
 * its room back when all older messages are done with, too. Several may be held. -EMSGSIZE for one that is longer than
 * the ring: receive it. */
LEAT_API int leat_channel_acquire(leat_channel *channel, struct leat_message *ret, int timeout_ms);
/* -EINVAL if it is not held by this handle. Other receivers are waited for, which takes as long as copying a message;
 * -ETIMEDOUT after a second, since one that was stopped in the middle of it may never go on: it is still held then. */
LEAT_API int leat_channel_release(leat_channel *channel, const struct leat_message *message);

/* A descriptor for event loops, borrowed, which lives as long as the handle: readable (in both directions) when there
 * may be something to receive (LEAT_READ), or room to send (LEAT_WRITE), and at every change of who is there. It
 * becomes silent when a call with timeout 0 says -EAGAIN. A peer that is killed makes it readable, too. It costs
 * nothing while nothing happens; a process that has one has a thread that sleeps until a peer of one of its channels
 * ends. Where the kernel does not tell of that (inotify is not there, or used up), the descriptor is readable every
 * LEAT_CHANNEL_PATIENCE_MS instead. Expect calls that then say -EAGAIN. */
LEAT_API int leat_channel_poll_fd(leat_channel *channel, enum leat_direction direction, int *ret);

/* One direction of a channel. */
struct leat_channel_lane {
    uint64_t messages;  /* that are in the ring */
    uint64_t bytes;     /* of the ring that are taken, with what each message has beside its bytes */
    uint64_t sent;      /* messages, since it was made */
    uint64_t held;      /* messages that were acquired and are not released */
    uint64_t again;     /* messages in the ring that somebody held before */
    uint32_t senders;   /* that are there, those to come included */
    uint32_t receivers; /* the same */
    uint32_t deaths;    /* senders that ended without leat_channel_close */
    uint32_t reserved;
};

/* What is in a channel. `lane[1]` is for duplex channels: from the receiver's end to the sender's. */
struct leat_channel_info {
    size_t size;
    uint64_t message_size; /* 0: any length */
    uint64_t count;        /* with message_size */
    uint64_t ring_bytes;   /* in each direction */
    uint64_t message_limit;
    uint32_t lanes;
    uint32_t peers; /* places */
    uint64_t lost;  /* messages that were taken by receivers who died before they had them */
    struct leat_channel_lane lane[2];
};

/* One place of a channel. Its layout is fixed. */
struct leat_channel_peer {
    uint32_t place;
    int32_t end;      /* enum leat_channel_end */
    int32_t alive;    /* 0: it died, or its descriptors were closed, and nobody has noticed yet */
    int32_t attached; /* 0: still to come, or not any more */
    int64_t pid;      /* as it said itself, in its own pid namespace; nothing depends on it */
};

/* Looks into a channel through a descriptor of its memory (the first one of an exported set), without taking part. All
 * numbers are of a moment, and not of the same one while others work. *n: the room in `peers`, and then the number of
 * places that are taken. -EPROTO if it is none. */
LEAT_API int leat_channel_inspect(int fd, struct leat_channel_info *ret, struct leat_channel_peer *peers, size_t *n);

/* The descriptor of a handle's memory, borrowed: for leat_channel_inspect, and to tell others where to look. */
LEAT_API int leat_channel_memory_fd(leat_channel *channel);

#ifdef __cplusplus
}
#endif
#endif
