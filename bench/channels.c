/* SPDX-License-Identifier: MIT */
/* channels WAY SENDERS RECEIVERS BLOCK BYTES: BYTES go between processes in messages of BLOCK bytes, of which what lies
 * between has room for 1024, or for 1 MiB where they are larger than 1 KiB.
 *
 *   send       libleat, messages of one size, by leat_channel_send and leat_channel_receive
 *   batch      the same, 64 at once
 *   lend       libleat, without copies; each side touches a word of each page
 *   boost      boost::interprocess::message_queue
 *   ck         ck_ring, for one sender and one receiver, which never sleep
 *   mq         a POSIX message queue, which holds 10
 *   ring       a bare ring of bytes in shared memory, which never sleeps
 *   seqpacket  a Unix socket
 *   pipe       a pipe of 1 MiB; each side touches a word of each page
 *
 * A receiver adds up all the bytes of what it got, except where it says else. */
#include "channels.h"
#include "bench/ring.h"
#include "tool.h"
#include <leat/leat.h>
#include <mqueue.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef HAVE_CK
#include <ck_ring.h>
#endif

#define USAGE   "channels WAY SENDERS RECEIVERS BLOCK BYTES"
#define HOLDS   (1u << 20)
#define BATCH   64
#define COUNT   1024
#define SMALL   32 /* what ck's ring is made for */
#define OVER    UINT64_MAX
#define PAGE_OF 4096

struct tally {
    _Atomic uint64_t arrived, sum;
};

struct run {
    size_t block, depth;
    unsigned senders, receivers;
    uint64_t messages;
    struct tally *tally; /* shared */
    char *bytes;         /* BATCH messages */
    leat_channel *creator;
    int fds[2][LEAT_CHANNEL_FDS];
    size_t n;
    int pair[2];
    struct ring *ring;
    void *queue;
};

/* Without `put` a way has loops of its own, and an end that is seen. */
struct way {
    const char *name;
    void (*open)(struct run *run);
    void (*put)(struct run *run, const void *bytes);
    void (*get)(struct run *run, void *bytes);
    void (*send)(struct run *run, uint64_t count);
    void (*receive)(struct run *run);
};

static uint64_t add_up(const char *bytes, size_t n, size_t step)
{
    uint64_t sum = 0, word;
    for (size_t at = 0; at + sizeof(word) <= n; at += step) {
        memcpy(&word, bytes + at, sizeof(word));
        sum += word;
    }
    return sum;
}

static void count_in(struct run *run, uint64_t arrived, uint64_t sum)
{
    atomic_fetch_add(&run->tally->arrived, arrived);
    atomic_fetch_add(&run->tally->sum, sum);
}

/* ---- libleat ---- */

static void open_channel(struct run *run)
{
    struct leat_channel_options options = LEAT_INIT(struct leat_channel_options);
    options.message_size = run->block;
    options.count = run->depth;
    tool_must(leat_channel_open(&run->creator, &options, NULL), "leat_channel_open");
    for (int end = 0; end < 2; end++) {
        run->n = LEAT_CHANNEL_FDS;
        tool_must(leat_channel_export_end(run->creator, end, run->fds[end], &run->n), "leat_channel_export_end");
    }
}

static void close_sets(struct run *run)
{
    for (size_t i = 0; i < 2 * run->n; i++)
        close(run->fds[i / run->n][i % run->n]);
    run->n = 0;
}

static leat_channel *attach(struct run *run, enum leat_channel_end end)
{
    leat_channel *channel;
    leat_channel_close(run->creator);
    tool_must(leat_channel_attach(&channel, run->fds[end], run->n), "leat_channel_attach");
    close_sets(run);
    return channel;
}

static void channel_sends(struct run *run, uint64_t count)
{
    leat_channel *channel = attach(run, LEAT_CHANNEL_SENDER);
    while (count-- > 0)
        tool_must(leat_channel_send(channel, run->bytes, run->block, -1), "leat_channel_send");
    leat_channel_close(channel);
}

static void channel_receives(struct run *run)
{
    leat_channel *channel = attach(run, LEAT_CHANNEL_RECEIVER);
    uint64_t arrived = 0, sum = 0;
    int r;
    for (; (r = leat_channel_receive(channel, run->bytes, run->block, NULL, -1)) == 0; arrived++)
        sum += add_up(run->bytes, run->block, sizeof(uint64_t));
    tool_must(r == -ENODATA ? 0 : r, "leat_channel_receive");
    leat_channel_close(channel);
    count_in(run, arrived, sum);
}

static void fill_batch(struct run *run, struct iovec *batch)
{
    for (size_t i = 0; i < BATCH; i++)
        batch[i] = (struct iovec){.iov_base = run->bytes + i * run->block, .iov_len = run->block};
}

static void batch_sends(struct run *run, uint64_t count)
{
    leat_channel *channel = attach(run, LEAT_CHANNEL_SENDER);
    struct iovec batch[BATCH];
    fill_batch(run, batch);
    for (uint64_t n; count > 0; count -= n) {
        n = count < BATCH ? count : BATCH;
        tool_must(leat_channel_sendv(channel, batch, n, NULL, -1), "leat_channel_sendv");
    }
    leat_channel_close(channel);
}

static void batch_receives(struct run *run)
{
    leat_channel *channel = attach(run, LEAT_CHANNEL_RECEIVER);
    struct iovec batch[BATCH];
    uint64_t arrived = 0, sum = 0;
    size_t n;
    int r;
    fill_batch(run, batch);
    for (; (r = leat_channel_receivev(channel, batch, BATCH, &n, -1)) == 0; arrived += n)
        sum += add_up(run->bytes, n * run->block, sizeof(uint64_t));
    tool_must(r == -ENODATA ? 0 : r, "leat_channel_receivev");
    leat_channel_close(channel);
    count_in(run, arrived, sum);
}

static void touch_pages(char *bytes, size_t n, uint64_t value)
{
    for (size_t at = 0; at < n; at += PAGE_OF)
        memcpy(bytes + at, &value, sizeof(value));
}

static void lend_sends(struct run *run, uint64_t count)
{
    leat_channel *channel = attach(run, LEAT_CHANNEL_SENDER);
    for (; count > 0; count--) {
        void *room;
        tool_must(leat_channel_reserve(channel, run->block, &room, -1), "leat_channel_reserve");
        touch_pages(room, run->block, count);
        tool_must(leat_channel_publish(channel, run->block), "leat_channel_publish");
    }
    leat_channel_close(channel);
}

static void lend_receives(struct run *run)
{
    leat_channel *channel = attach(run, LEAT_CHANNEL_RECEIVER);
    struct leat_message message;
    uint64_t arrived = 0, sum = 0;
    int r;
    for (; (r = leat_channel_acquire(channel, &message, -1)) == 0; arrived++) {
        sum += add_up(message.data, message.length, PAGE_OF);
        tool_must(leat_channel_release(channel, &message), "leat_channel_release");
    }
    tool_must(r == -ENODATA ? 0 : r, "leat_channel_acquire");
    leat_channel_close(channel);
    count_in(run, arrived, sum);
}

/* ---- others ---- */

#ifdef HAVE_BOOST
static void open_boost(struct run *run)
{
    run->queue = boost_open(run->depth, run->block);
}

static void put_boost(struct run *run, const void *bytes)
{
    boost_put(run->queue, bytes, run->block);
}

static void get_boost(struct run *run, void *bytes)
{
    boost_get(run->queue, bytes, run->block);
}
#endif

#ifdef HAVE_CK
struct small {
    char bytes[SMALL];
};
CK_RING_PROTOTYPE(small, small)

struct ck {
    ck_ring_t ring;
    struct small messages[COUNT];
};

static void open_ck(struct run *run)
{
    if (run->block != SMALL || run->senders != 1 || run->receivers != 1)
        tool_usage("ck: one sender, one receiver, 32 bytes");
    struct ck *ck = run->queue = tool_shared(sizeof(*ck));
    ck_ring_init(&ck->ring, COUNT);
}

static void put_ck(struct run *run, const void *bytes)
{
    struct ck *ck = run->queue;
    struct small message;
    memcpy(&message, bytes, sizeof(message));
    while (!CK_RING_ENQUEUE_SPSC(small, &ck->ring, ck->messages, &message))
        ck_pr_stall();
}

static void get_ck(struct run *run, void *bytes)
{
    struct ck *ck = run->queue;
    while (!CK_RING_DEQUEUE_SPSC(small, &ck->ring, ck->messages, (struct small *)bytes))
        ck_pr_stall();
}
#endif

static void open_mq(struct run *run)
{
    char name[32];
    struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = (long)run->block};
    snprintf(name, sizeof(name), "/leat-bench-%d", (int)getpid());
    run->pair[0] = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
    if (run->pair[0] < 0)
        tool_fail("mq_open");
    mq_unlink(name);
}

static void put_mq(struct run *run, const void *bytes)
{
    if (mq_send(run->pair[0], bytes, run->block, 0) < 0)
        tool_fail("mq_send");
}

static void get_mq(struct run *run, void *bytes)
{
    if (mq_receive(run->pair[0], bytes, run->block, NULL) < 0)
        tool_fail("mq_receive");
}

static void open_ring(struct run *run)
{
    run->ring = tool_shared(sizeof(*run->ring));
    *run->ring = (struct ring){.bytes = tool_shared(HOLDS), .size = HOLDS, .spins = true};
}

static void put_ring(struct run *run, const void *bytes)
{
    ring_write(run->ring, bytes, run->block);
}

static void get_ring(struct run *run, void *bytes)
{
    const void *from;
    for (size_t got = 0; got < run->block;) {
        size_t n = ring_peek(run->ring, &from);
        n = n < run->block - got ? n : run->block - got;
        memcpy((char *)bytes + got, from, n);
        ring_consume(run->ring, n);
        got += n;
    }
}

static void open_socket(struct run *run)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, run->pair) < 0)
        tool_fail("socketpair");
}

static void put_socket(struct run *run, const void *bytes)
{
    if (send(run->pair[0], bytes, run->block, 0) != (ssize_t)run->block)
        tool_fail("send");
}

static void get_socket(struct run *run, void *bytes)
{
    if (recv(run->pair[1], bytes, run->block, 0) != (ssize_t)run->block)
        tool_fail("recv");
}

static void open_pipe(struct run *run)
{
    if (pipe(run->pair) < 0 || fcntl(run->pair[1], F_SETPIPE_SZ, HOLDS) < 0)
        tool_fail("pipe");
}

static void pipe_sends(struct run *run, uint64_t count)
{
    for (; count > 0; count--) {
        touch_pages(run->bytes, run->block, count);
        if (write(run->pair[1], run->bytes, run->block) != (ssize_t)run->block)
            tool_fail("write");
    }
}

static void pipe_receives(struct run *run)
{
    uint64_t arrived = 0, sum = 0;
    ssize_t n;
    close(run->pair[1]);
    for (size_t got = 0; (n = read(run->pair[0], run->bytes + got, run->block - got)) > 0;) {
        got += (size_t)n;
        if (got < run->block)
            continue;
        sum += add_up(run->bytes, got, PAGE_OF);
        arrived++;
        got = 0;
    }
    count_in(run, arrived, sum);
}

/* ---- processes ---- */

static void put_all(const struct way *way, struct run *run, uint64_t count)
{
    while (count-- > 0)
        way->put(run, run->bytes);
}

static void get_all(const struct way *way, struct run *run)
{
    uint64_t arrived = 0, sum = 0, first;
    for (;; arrived++) {
        way->get(run, run->bytes);
        memcpy(&first, run->bytes, sizeof(first));
        if (first == OVER)
            break;
        sum += add_up(run->bytes, run->block, sizeof(uint64_t));
    }
    count_in(run, arrived, sum);
}

static void child(const struct way *way, struct run *run, bool sends, uint64_t count)
{
    if (sends && way->send)
        way->send(run, count);
    else if (sends)
        put_all(way, run, count);
    else if (way->receive)
        way->receive(run);
    else
        get_all(way, run);
    _exit(0);
}

static pid_t begin(const struct way *way, struct run *run, bool sends, uint64_t count)
{
    pid_t pid = fork();
    if (pid < 0)
        tool_fail("fork");
    if (pid == 0)
        child(way, run, sends, count);
    return pid;
}

static void wait_for(pid_t pid)
{
    int status;
    if (waitpid(pid, &status, 0) < 0 || status != 0)
        tool_usage(USAGE " (a process failed)");
}

static int go(const struct way *way, struct run *run)
{
    pid_t sender[8] = {0}, receiver[8] = {0};
    way->open(run);
    for (unsigned i = 0; i < run->receivers; i++)
        receiver[i] = begin(way, run, false, 0);
    for (unsigned i = 0; i < run->senders; i++)
        sender[i] = begin(way, run, true, run->messages / run->senders);
    leat_channel_close(run->creator);
    if (run->n)
        close_sets(run);
    if (way->receive == pipe_receives)
        close(run->pair[1]);
    for (unsigned i = 0; i < run->senders; i++)
        wait_for(sender[i]);
    memset(run->bytes, 0xff, sizeof(uint64_t));
    for (unsigned i = 0; way->put && i < run->receivers; i++)
        way->put(run, run->bytes);
    for (unsigned i = 0; i < run->receivers; i++)
        wait_for(receiver[i]);
    uint64_t arrived = atomic_load(&run->tally->arrived);
    if (arrived == run->messages && atomic_load(&run->tally->sum) > 0)
        return 0;
    fprintf(stderr, "channels: %llu messages arrived\n", (unsigned long long)arrived);
    return 1;
}

static const struct way ways[] = {
    {.name = "send", .open = open_channel, .send = channel_sends, .receive = channel_receives},
    {.name = "batch", .open = open_channel, .send = batch_sends, .receive = batch_receives},
    {.name = "lend", .open = open_channel, .send = lend_sends, .receive = lend_receives},
#ifdef HAVE_BOOST
    {.name = "boost", .open = open_boost, .put = put_boost, .get = get_boost},
#endif
#ifdef HAVE_CK
    {.name = "ck", .open = open_ck, .put = put_ck, .get = get_ck},
#endif
    {.name = "mq", .open = open_mq, .put = put_mq, .get = get_mq},
    {.name = "ring", .open = open_ring, .put = put_ring, .get = get_ring},
    {.name = "seqpacket", .open = open_socket, .put = put_socket, .get = get_socket},
    {.name = "pipe", .open = open_pipe, .send = pipe_sends, .receive = pipe_receives},
};

int main(int argc, char **argv)
{
    struct run run = {.n = 0};
    if (argc != 6)
        tool_usage(USAGE);
    run.senders = (unsigned)tool_number(argv[2]);
    run.receivers = (unsigned)tool_number(argv[3]);
    run.block = (size_t)tool_number(argv[4]);
    if (run.senders < 1 || run.senders > 8 || run.receivers < 1 || run.receivers > 8 || run.block < sizeof(uint64_t))
        tool_usage(USAGE);
    run.messages = tool_number(argv[5]) / run.block / run.senders * run.senders;
    run.depth = run.block <= HOLDS / COUNT ? COUNT : run.block < HOLDS / 2 ? HOLDS / run.block : 4;
    run.tally = tool_shared(sizeof(*run.tally));
    run.bytes = tool_buffer((strcmp(argv[1], "batch") == 0 ? BATCH : 1) * run.block);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(ways[i].name, argv[1]) == 0)
            return go(&ways[i], &run);
    tool_usage(USAGE ", and a way that this build has");
}
