/* SPDX-License-Identifier: MIT */
/** @file leat/channel.h
 * Whole messages between processes, through shared memory. The messages survive kill -9.
 *
 *     leat_channel_open(&sender, NULL, NULL);           here: this handle is the sender's end
 *     leat_channel_export(sender, fds, &n);             descriptors that make a handle of the other end
 *     ... fork, exec, or leat_channel_pass over a socket ...
 *     leat_channel_attach(&receiver, fds, n);           there
 *
 *     leat_channel_send(sender, bytes, n, -1);
 *     leat_channel_receive(receiver, buffer, sizeof(buffer), &n, -1);
 *
 * Messages
 * --------
 * A channel has a ring buffer for messages of one size (`message_size`; the ring holds `count` of them), or for
 * messages of any length (the ring has `ring_bytes`). A message that is longer than the ring is streamed through the
 * ring and still arrives whole. A message may be empty.
 *
 * Each message goes to exactly one receiver. The messages of one sender arrive in the order in which it sent them. Any
 * number of processes and threads may have either end, as long as there are places (`peers`). A duplex channel is two
 * channels in one memory: both ends send and receive.
 *
 * The memory
 * ----------
 * The memory is a sealed file without a name. It is gone when the last process that has it is gone, however that
 * process ended. It holds no pointer, and leat trusts nothing in it. A corrupt or malicious peer can destroy messages,
 * can make calls fail with -EPROTO, and can make calls wait up to their timeout. It can do no more
 * (docs/threat-model.md). The bytes that leat_channel_acquire shows may change under such a peer: copy them before you
 * check them.
 *
 * Codes
 * -----
 *   - -ENODATA, from calls that receive: the end. Every sender has left, and nothing is left to receive.
 *   - -EOWNERDEAD: the end too, but at least one of the senders ended without leat_channel_close.
 *   - -EPIPE, from calls that send: every receiver has left, or is dead.
 *   - -ETIMEDOUT: the time is up. Nothing was sent or received, and nothing is lost. If it is repeated, the
 *     call goes on where it was, also in the middle of a message that is longer than the ring.
 *   - -EAGAIN: timeout_ms was 0, and the call would block. Otherwise as -ETIMEDOUT.
 *   - -EMSGSIZE: the message does not fit. Nothing was sent; or nothing was received, and *ret_n is the room that is
 *     needed.
 *   - -EBADF: this end of the channel cannot do that.
 *   - -ECANCELED: see leat_channel_cancel.
 *   - -EPROTO: the memory holds something that no correct peer writes.
 *
 * Sending is no error while no receiver has ever come: the ring fills.
 *
 * Blocking
 * --------
 * Each call with a `timeout_ms` may wait for messages, for room, or for a peer that is inside a call. If timeout_ms is
 * negative, the call waits without a limit. If it is 0, the call does not wait, and returns -EAGAIN if it would block.
 * If it is positive, the call waits for at most that many milliseconds, and then returns -ETIMEDOUT. A signal changes
 * nothing: no call returns -EINTR.
 *
 * The crash rule
 * --------------
 * A process may be killed at any instruction. Then this holds:
 *
 *   - A sender that is killed loses at most the message that it was sending. A message that was sent stays.
 *   - leat_channel_receive delivers a message at most once. A receiver that is killed inside the call loses at most one
 *     message, or with leat_channel_receivev at most as many as it asked for. These messages are counted (`lost`). A
 *     call counts a message as delivered by one atomic addition, and does nothing after it but return. From that
 *     addition on the message is not counted as lost, even if the receiver is killed on its way out of the call.
 *   - leat_channel_acquire delivers a message at least once. If a receiver dies, or closes its handle, each message
 *     that it held goes to another receiver, marked with LEAT_MESSAGE_AGAIN.
 *   - If the receiver of a message longer than the ring dies, the message is lost and counted. If its sender dies, the
 *     receiver drops the message and goes on.
 *   - If the last peer of a channel is killed, its last call is counted when another peer comes.
 *   - No call waits for a crashed peer for longer than LEAT_CHANNEL_PATIENCE_MS. No call waits for a sender or a
 *     receiver that will not come.
 *
 * The kernel keeps a lock for each peer that is alive. leat knows from this lock alone that a peer is alive, never from
 * a process number.
 *
 * Ends and copies of them
 * -----------------------
 * A set of exported descriptors counts as an end that is still to come, until it is closed everywhere. In a child of
 * fork(2), each inherited handle counts as such an end until the child closes it or uses it. So close what you do not
 * need, as with a pipe. An inherited handle is a peer of its own: it holds no message and no reservation.
 *
 * Threads
 * -------
 * Any number of threads may use one handle at the same time. leat_channel_close is for the last of them. A process that
 * is made by a bare clone(2), without the C library's fork, must not touch the handles that it inherits.
 *
 * Systems
 * -------
 * Only Linux has what channels need. On other systems each call that makes a handle returns -ENOSYS.
 */
#ifndef LEAT_CHANNEL_H
#define LEAT_CHANNEL_H

#include <leat/base.h>
#include <leat/endpoint.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A handle of one end of a channel in one process. */
typedef struct leat_channel leat_channel;

/** How long a crashed peer may hold up any call. A sleeping call looks for crashed peers after each such time. */
enum {
    LEAT_CHANNEL_PATIENCE_MS = 100 /**< In milliseconds. */
};

/** The most descriptors that one end may need. */
enum {
    LEAT_CHANNEL_FDS = 3 /**< The memory, and an event for each of at most two directions. */
};

/** The two ends. Of a duplex channel these are only names of its two sides. */
enum leat_channel_end {
    LEAT_CHANNEL_SENDER = 0,   /**< The end that sends. */
    LEAT_CHANNEL_RECEIVER = 1, /**< The end that receives. */
};

/**
 * What a new channel is like.
 *
 * `message_size` excludes `ring_bytes` and `message_limit`, and `count` needs `message_size`: otherwise
 * leat_channel_open returns -EINVAL.
 */
struct leat_channel_options {
    size_t size;           /**< Of this struct. */
    uint64_t message_size; /**< Each message has exactly this many bytes. 0: any length. */
    uint64_t count;        /**< With message_size: how many messages the ring holds, at most 4 GiB together. 0: 64. */
    /** For any length: the bytes that the ring holds, at most 4 GiB. Each message takes 16 bytes besides its own, and
     * the sum is rounded up to a multiple of 16. 0: 1 MiB. A smaller number than 32 is taken as 32. */
    uint64_t ring_bytes;
    /** For any length: the call refuses a longer message, in bytes. At most 1 TiB. 0: 1 GiB. */
    uint64_t message_limit;
    int32_t duplex; /**< Not 0: both ends send and receive. */
    int32_t end;    /**< enum leat_channel_end: the end that the creator's handle has. */
    uint32_t peers; /**< Places for handles, exported sets and children together: 2 to 4096. 0: 64. */
};

/**
 * Makes a channel and a handle of one end.
 *
 * The call takes all of the memory at once.
 *
 * @param ret_channel  The handle; the caller closes it.
 * @param options      The options; NULL: the defaults.
 * @param ret_error    NULL, or where the call says in a sentence why it failed; with -EINVAL, which option is wrong and
 *                     what is allowed.
 *
 * @return 0; -EINVAL: the sizes contradict each other or are out of range; -ENOMEM or -ENOSPC: there is no memory for
 *         the channel; -EMFILE; -ENOSYS.
 */
LEAT_API int leat_channel_open(leat_channel **ret_channel, const struct leat_channel_options *options,
                               struct leat_error *ret_error);

/**
 * Makes descriptors of which another process makes a handle of the other end.
 *
 * The first descriptor is the memory, the others tell of events: one, or two of a duplex channel. In another process
 * they may have any numbers, but stay in this order. A set may be attached to more than once. If all places are taken,
 * the call first frees those of crashed peers.
 *
 * @param fds      Receives the descriptors. They are given and close-on-exec; the caller closes them.
 * @param inout_n  The room in `fds`, and then the number of descriptors. LEAT_CHANNEL_FDS is always enough.
 *
 * @return 0; -ENOBUFS: `fds` has too little room; -EUSERS: all places are taken; -EMFILE.
 */
LEAT_API int leat_channel_export(leat_channel *channel, int *fds, size_t *inout_n);

/**
 * Makes descriptors of the end that is named. Otherwise it is as leat_channel_export.
 *
 * @param end  The end that the handle of the set will have.
 */
LEAT_API int leat_channel_export_end(leat_channel *channel, enum leat_channel_end end, int *fds, size_t *inout_n);

/**
 * Makes a handle of the end that was exported.
 *
 * If all places are taken, the handle gets the place of a crashed peer.
 *
 * @param ret_channel  The handle; the caller closes it.
 * @param fds          The exported descriptors, in their order. They are borrowed: close them afterwards.
 * @param n            How many there are.
 *
 * @return 0; -EPROTO: the descriptors are no channel of this version; -EUSERS: all places are taken; -EMFILE; -ENOSYS.
 */
LEAT_API int leat_channel_attach(leat_channel **ret_channel, const int *fds, size_t n);

/**
 * Exports an end and sends its descriptors over a Unix socket.
 *
 * @param end         The end that the handle of the other process will have.
 * @param socket      Borrowed. It may be blocking or non-blocking.
 * @param timeout_ms  How long the call may wait for room in the socket.
 *
 * @return 0; -EAGAIN or -ETIMEDOUT: no room in time; otherwise as leat_channel_export_end, or what sendmsg(2) failed
 *         with.
 */
LEAT_API int leat_channel_pass(leat_channel *channel, enum leat_channel_end end, int socket, int timeout_ms);

/**
 * Receives the descriptors that leat_channel_pass sent, and makes a handle of them.
 *
 * @param ret_channel  The handle; the caller closes it.
 * @param socket       Borrowed. It may be blocking or non-blocking.
 * @param timeout_ms   How long the call may wait for the descriptors.
 *
 * @return 0; -EAGAIN or -ETIMEDOUT: nothing came in time; -ENODATA: the peer has closed the socket; -EMFILE: this
 * process may not have so many descriptors, and those that came are closed and lost; -EPROTO: what came is no channel,
 * and no descriptor that came stays open; otherwise as leat_channel_attach, or what recvmsg(2) failed with.
 */
LEAT_API int leat_channel_attach_passed(leat_channel **ret_channel, int socket, int timeout_ms);

/**
 * Leaves the channel and frees the handle.
 *
 * Messages that this handle acquired and did not release go to other receivers. A reservation is dropped.
 *
 * @param channel  May be NULL.
 *
 * Blocking: waits for other receivers as leat_channel_release does, for at most a second. If the time is up, the other
 * peers treat this peer as dead.
 */
LEAT_API void leat_channel_close(leat_channel *channel);

/**
 * Cancels the handle: each call on it in this process that waits, now and from now on, returns -ECANCELED.
 *
 * A call that does not have to wait goes on.
 *
 * Threads: any; async-signal-safe.
 */
LEAT_API void leat_channel_cancel(leat_channel *channel);

/**
 * Sends a copy of one message.
 *
 * A message longer than the ring goes through the ring in parts, while a receiver takes them. If the time is up in the
 * middle of such a message, the next send on this handle goes on with it, if it gets the same bytes again. A message
 * with other bytes, leat_channel_reserve, leat_channel_close, and a message of another sender drop what was sent of it,
 * and a receiver that has begun it drops it too. If another sender was faster, the next call sends the message from its
 * beginning. So the message arrives once and whole, or not at all, and it holds up no other sender.
 *
 * @param bytes  The message; borrowed for the call.
 * @param n      Its length in bytes.
 *
 * @return 0; -EMSGSIZE: the message is longer than message_limit, or its length is not message_size; -EBUSY: the handle
 *         is between leat_channel_reserve and leat_channel_publish; -EPIPE; -EAGAIN or -ETIMEDOUT: no room in time;
 *         -EBADF; -ECANCELED; -EPROTO.
 */
LEAT_API int leat_channel_send(leat_channel *channel, const void *bytes, size_t n, int timeout_ms);

/**
 * Sends copies of several messages.
 *
 * The call waits for room for each message.
 *
 * @param messages  The bytes of each message; borrowed for the call.
 * @param n         How many messages there are.
 * @param ret_n     How many messages were sent, from the first on. It is set on failure too. May be NULL.
 *
 * @return 0 only if all messages were sent; otherwise as leat_channel_send.
 */
LEAT_API int leat_channel_sendv(leat_channel *channel, const struct iovec *messages, size_t n, size_t *ret_n,
                                int timeout_ms);

/**
 * Receives a copy of one message.
 *
 * If the time is up in the middle of a message that is longer than the ring, the next call on this handle goes on with
 * this message.
 *
 * @param bytes     Receives the message.
 * @param capacity  The room in `bytes`, in bytes.
 * @param ret_n     The length of the message in bytes; with -EMSGSIZE the room that is needed. May be NULL.
 *
 * @return 0; -ENODATA or -EOWNERDEAD: the end; -EMSGSIZE: the message is longer than `capacity`, and stays; -EAGAIN or
 *         -ETIMEDOUT: no message in time; -EBADF; -ECANCELED; -EPROTO; -ENOMEM: there is no memory for a message that
 *         is longer than the ring.
 */
LEAT_API int leat_channel_receive(leat_channel *channel, void *bytes, size_t capacity, size_t *ret_n, int timeout_ms);

/**
 * Receives copies of the messages that are there, at most n.
 *
 * The call waits for the first message alone. A message that does not fit into its room stays in the channel. If it is
 * the first one, the call returns -EMSGSIZE. Behind the messages that were received one more `iov_len` may have
 * changed.
 *
 * @param inout_messages  The room for each message; the call stores the length of each message in its `iov_len`.
 * @param n               How many entries `inout_messages` has.
 * @param ret_n           How many messages were received. It is set on failure too, to 0. May be NULL.
 *
 * @return As leat_channel_receive.
 */
LEAT_API int leat_channel_receivev(leat_channel *channel, struct iovec *inout_messages, size_t n, size_t *ret_n,
                                   int timeout_ms);

/**
 * Reserves room for a message in the ring itself.
 *
 * leat_channel_publish sends the message, leat_channel_abandon drops it. Until then no other peer can send, so publish
 * soon. A handle has at most one reservation.
 *
 * @param n         The room in bytes. The message may be shorter.
 * @param ret_room  The room, aligned to 16 bytes. It is borrowed, until the message is published or abandoned.
 *
 * @return 0; -EBUSY: the handle has a reservation; -EMSGSIZE: n is longer than the ring, or than a message may be;
 *         -EPIPE; -EAGAIN or -ETIMEDOUT: no room in time; -EBADF; -ECANCELED; -EPROTO.
 */
LEAT_API int leat_channel_reserve(leat_channel *channel, size_t n, void **ret_room, int timeout_ms);

/**
 * Sends the message that was written into the reserved room.
 *
 * @param n  The true length of the message in bytes, at most what was reserved.
 *
 * Blocking: does not wait.
 *
 * @return 0; -EINVAL: nothing is reserved, or less than n is, or n is not message_size; -EBADF.
 */
LEAT_API int leat_channel_publish(leat_channel *channel, size_t n);

/**
 * Drops the reservation.
 *
 * Blocking: does not wait.
 *
 * @return 0; -EINVAL: nothing is reserved; -EBADF.
 */
LEAT_API int leat_channel_abandon(leat_channel *channel);

/** What a message is marked with. */
enum leat_message_flags {
    LEAT_MESSAGE_AGAIN = 1 << 0, /**< Another receiver had the message before, and did not release it. */
};

/** A message that lies in the ring. Its layout is fixed. */
struct leat_message {
    const void *data;  /**< Aligned to 16 bytes. It lives until the message is released or the handle is closed. */
    size_t length;     /**< In bytes. */
    uint64_t id;       /**< The position of the message in the ring. */
    uint32_t flags;    /**< enum leat_message_flags. */
    uint32_t reserved; /**< 0. */
};

/**
 * Shows a message where it lies in the ring, without a copy.
 *
 * This handle holds the message until it is released. A handle may hold several messages. Any thread may release them,
 * in any order. The ring has the room of a message back when the message is released and all older messages are
 * released or received as well.
 *
 * @param ret_message  The message; leat_channel_release gives it back.
 *
 * @return 0; -EMSGSIZE: the message is longer than the ring, so leat_channel_receive has to take it; -ENODATA or
 *         -EOWNERDEAD: the end; -EAGAIN or -ETIMEDOUT: no message in time; -EBADF; -ECANCELED; -EPROTO.
 */
LEAT_API int leat_channel_acquire(leat_channel *channel, struct leat_message *ret_message, int timeout_ms);

/**
 * Releases a message that leat_channel_acquire showed.
 *
 * Blocking: waits for other receivers, for about as long as they need to copy a message. A receiver that is stopped in
 * the middle of a copy may never go on, so the call gives up after a second.
 *
 * @return 0; -EINVAL: this handle does not hold the message; -ETIMEDOUT: the second is up, and the handle still holds
 *         the message; -EBADF; -ECANCELED; -EPROTO.
 */
LEAT_API int leat_channel_release(leat_channel *channel, const struct leat_message *message);

/**
 * Gives a descriptor for event loops.
 *
 * For both directions the loop waits until the descriptor is readable. It is readable when there may be something to
 * receive (LEAT_READ) or room to send (LEAT_WRITE), whenever a peer comes or leaves, and when a peer is killed. It is
 * silent again after a call with timeout_ms 0 returned -EAGAIN. It may be readable without a reason, so expect that
 * such a call returns -EAGAIN.
 *
 * The descriptor costs nothing while nothing happens. A process that has such a descriptor has one thread, which sleeps
 * until a peer of one of its channels ends. If the kernel does not tell of that (inotify is missing or used up), the
 * descriptor is readable every LEAT_CHANNEL_PATIENCE_MS instead.
 *
 * @param ret_fd  Borrowed; lives as long as the handle.
 *
 * @return 0; -EBADF: this end has no such direction; -EMFILE; -ENOMEM.
 */
LEAT_API int leat_channel_poll_fd(leat_channel *channel, enum leat_direction direction, int *ret_fd);

/** One direction of a channel. The layout is fixed. */
struct leat_channel_lane {
    uint64_t messages;  /**< Messages that are in the ring. */
    uint64_t bytes;     /**< Bytes of the ring that are taken, with those that each message takes besides its own. */
    uint64_t sent;      /**< Messages that were sent since the channel was made. */
    uint64_t held;      /**< Messages that receivers have acquired and not released. */
    uint64_t again;     /**< Messages in the ring that another receiver held before. */
    uint32_t senders;   /**< Senders that are there, with those that are still to come. */
    uint32_t receivers; /**< Receivers that are there, with those that are still to come. */
    uint32_t deaths;    /**< Senders that ended without leat_channel_close. */
    uint32_t reserved;  /**< 0. */
};

/** What is in a channel. */
struct leat_channel_info {
    size_t size;            /**< Of this struct. */
    uint64_t message_size;  /**< In bytes. 0: any length. */
    uint64_t count;         /**< With message_size: how many messages the ring holds. */
    uint64_t ring_bytes;    /**< What the ring holds, in each direction. */
    uint64_t message_limit; /**< The longest message, in bytes. */
    uint32_t lanes;         /**< 1; 2 for a duplex channel. */
    uint32_t peers;         /**< How many places there are. */
    uint64_t lost;          /**< Messages that receivers took, and died before they had them. */
    /** The directions. `lane[1]` is for duplex channels: from the receiver's end to the sender's. */
    struct leat_channel_lane lane[2];
};

/** One place of a channel. Its layout is fixed. */
struct leat_channel_peer {
    uint32_t place;   /**< Its number, from 0. */
    int32_t end;      /**< enum leat_channel_end. */
    int32_t alive;    /**< 0: the peer died, or its descriptors were closed, and no peer has noticed yet. */
    int32_t attached; /**< 0: the peer is still to come, or has left meanwhile. */
    int64_t pid;      /**< As the peer itself told it, in its own pid namespace. Nothing depends on it. */
};

/**
 * Looks into a channel without taking part in it.
 *
 * All numbers are of a moment. While peers work, they are not all of the same moment.
 *
 * @param fd        The memory: the first descriptor of an exported set. Borrowed.
 * @param ret_info  The caller sets its `size`.
 * @param peers     Receives the places that are taken, as far as there is room.
 * @param inout_n   The room in `peers`, and then the number of places that are taken.
 *
 * Blocking: does not wait.
 *
 * @return 0; -EPROTO: the descriptor is no channel's memory; -EMFILE; -ENOMEM; -ENOSYS.
 *
 * Threads: any.
 */
LEAT_API int leat_channel_inspect(int fd, struct leat_channel_info *ret_info, struct leat_channel_peer *peers,
                                  size_t *inout_n);

/**
 * Says what the channel of a handle is like, and which end the handle has.
 *
 * The members are as leat_channel_open would take them to make such a channel with such a handle, with the defaults in
 * place of zeros. For messages of one size, `ring_bytes` and `message_limit` are 0. For any length, `count` is 0.
 *
 * @param ret_options  The caller sets its `size`.
 *
 * Blocking: does not wait.
 *
 * @return 0; -EINVAL: `size` is not right.
 */
LEAT_API int leat_channel_describe(const leat_channel *channel, struct leat_channel_options *ret_options);

/**
 * Returns the descriptor of a handle's memory, for leat_channel_inspect and for programs that are told where to look.
 *
 * @return The descriptor. It is borrowed, and lives as long as the handle.
 */
LEAT_API int leat_channel_memory_fd(leat_channel *channel);

#ifdef __cplusplus
}
#endif
#endif
