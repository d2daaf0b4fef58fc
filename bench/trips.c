/* SPDX-License-Identifier: MIT */
/* trips WAY BYTES: messages of 32 bytes go there and back between two processes, BYTES one way, each after the one
 * before.
 *
 *   awake      libleat, a duplex channel
 *   asleep     so on one processor, where nobody can wait but asleep
 *   futex      the same by a bare futex: nothing is carried but the turn
 *   idle       nothing goes: somebody waits for a message for 2 s
 *   idle-poll  or for the end of a poll */
#include "bench/system.h"
#include "tool.h"
#include <leat/leat.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define USAGE "trips awake|asleep|futex|idle|idle-poll BYTES"
#define BLOCK 32

struct run {
    uint64_t messages;
    _Atomic uint32_t *turn; /* shared */
    leat_channel *here, *there;
    char bytes[BLOCK];
};

static void open_duplex(struct run *run)
{
    struct leat_channel_options options = LEAT_INIT(struct leat_channel_options);
    int fds[LEAT_CHANNEL_FDS];
    size_t n = LEAT_CHANNEL_FDS;
    options.message_size = BLOCK;
    options.duplex = 1;
    tool_must(leat_channel_open(&run->here, &options, NULL), "leat_channel_open");
    tool_must(leat_channel_export(run->here, fds, &n), "leat_channel_export");
    tool_must(leat_channel_attach(&run->there, fds, n), "leat_channel_attach");
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
}

static void get(struct run *run, leat_channel *channel)
{
    tool_must(leat_channel_receive(channel, run->bytes, BLOCK, NULL, -1), "leat_channel_receive");
}

static void put(struct run *run, leat_channel *channel)
{
    tool_must(leat_channel_send(channel, run->bytes, BLOCK, -1), "leat_channel_send");
}

static void ask(struct run *run)
{
    leat_channel_close(run->there);
    for (uint64_t i = 0; i < run->messages; i++) {
        put(run, run->here);
        get(run, run->here);
    }
    leat_channel_close(run->here);
}

static void answer(struct run *run)
{
    leat_channel_close(run->here);
    for (uint64_t i = 0; i < run->messages; i++) {
        get(run, run->there);
        put(run, run->there);
    }
    leat_channel_close(run->there);
}

/* `mine`: the turns that are waited for, odd or even. */
static void take_turns(struct run *run, uint32_t mine)
{
    uint32_t value = mine;
    for (uint64_t i = 0; i < run->messages; i++, value += 2) {
        for (uint32_t now; (now = atomic_load(run->turn)) != value;)
            syscall(SYS_futex, run->turn, FUTEX_WAIT, now, NULL, NULL, 0);
        atomic_store(run->turn, value + 1);
        syscall(SYS_futex, run->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

static int trips(struct run *run, bool futex)
{
    int status;
    if (!futex)
        open_duplex(run);
    pid_t pid = fork();
    if (pid < 0)
        tool_fail("fork");
    if (futex)
        take_turns(run, pid == 0);
    else if (pid == 0)
        answer(run);
    else
        ask(run);
    if (pid == 0)
        _exit(0);
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}

static int idle(struct run *run)
{
    open_duplex(run);
    int r = leat_channel_receive(run->here, run->bytes, BLOCK, NULL, 2000);
    leat_channel_close(run->there);
    leat_channel_close(run->here);
    return r == -ETIMEDOUT ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        tool_usage(USAGE);
    const char *way = argv[1];
    struct run run = {.messages = tool_number(argv[2]) / BLOCK, .turn = tool_shared(sizeof(*run.turn))};
    if (strcmp(way, "idle") == 0)
        return idle(&run);
    if (strcmp(way, "idle-poll") == 0)
        return poll(NULL, 0, 2000);
    bool futex = strcmp(way, "futex") == 0, asleep = futex || strcmp(way, "asleep") == 0;
    if (!asleep && strcmp(way, "awake") != 0)
        tool_usage(USAGE);
    if (asleep && system_pin(0) < 0)
        tool_usage("trips: a processor to stay on");
    return trips(&run, futex);
}
