/* SPDX-License-Identifier: MIT */
/* emscripten: it has no processes to share memory with
 * Processes that are killed at random moments while they send and receive, and an auditor that knows every message:
 * what was sent is received once, except for one message at most for each receiver that was killed in receive; what was
 * acquired comes again, and says so; nothing is torn or invented, nobody waits for the dead, and the memory is gone.
 * All of them are interrupted a thousand times a second.
 *
 * LEAT_SOAK_SECONDS: go on for so long, and for 10,000 kills. LEAT_SOAK_SEED repeats a run as far as the scheduler lets
 * it. */
/* timeout: 300
 * labels: uml slow */
#include "channels.h"
#include <poll.h>
#include <time.h>

#define SENDERS   2
#define RECEIVERS 2
#define LIVES     600   /* of senders, in one round */
#define NUMBERS   65536 /* messages that are recorded of each */

struct audit {
    atomic_bool stop;
    atomic_uint bad, doubled, disordered, received, failed;
    struct {
        atomic_uint tried, sent; /* numbers begin with 1 */
        _Atomic uint8_t seen[NUMBERS];
    } life[LIVES];
};

struct round {
    struct audit *audit;
    struct set set[2];
    leat_channel *creator;
    uint64_t message_size, ring_bytes, longest;
    bool acquires;
    uint32_t lives;
};

static uint32_t random_state;
static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

static size_t length_of(const struct round *r, uint32_t life, uint32_t number)
{
    return r->message_size ? r->message_size : MESSAGE_HEAD + mix(number, life) % (r->longest - MESSAGE_HEAD);
}

static leat_channel *become(struct round *r, enum leat_channel_end end)
{
    tick();
    leat_channel_close(r->creator);
    leat_channel *c = set_attach(&r->set[end]);
    set_close(&r->set[0]);
    set_close(&r->set[1]);
    return c;
}

static int send_messages(void *user)
{
    struct round *r = user;
    uint32_t life = r->lives;
    struct audit *a = r->audit;
    leat_channel *c = become(r, LEAT_CHANNEL_SENDER);
    uint8_t *bytes = malloc(r->longest);
    if (!c || !bytes)
        return 1;
    for (uint32_t number = 1; number < NUMBERS && !atomic_load(&a->stop); number++) {
        size_t n = length_of(r, life, number);
        message_fill(bytes, n, life, number);
        atomic_store(&a->life[life].tried, number);
        int code = leat_channel_send(c, bytes, n, 20000);
        if (code < 0) {
            fprintf(stderr, "send: %s\n", strerror(-code));
            return 2;
        }
        atomic_store(&a->life[life].sent, number);
    }
    while (!atomic_load(&a->stop))
        poll(NULL, 0, 1);
    leat_channel_close(c);
    free(bytes);
    return 0;
}

/* `last`: of each life, what this receiver had last. */
static void enter(struct audit *a, const struct round *r, const uint8_t *bytes, size_t n, bool again, uint32_t *last)
{
    struct message_head h;
    if (!message_holds(bytes, n, &h) || h.sender >= LIVES || h.number >= NUMBERS ||
        n != length_of(r, h.sender, h.number)) {
        atomic_fetch_add(&a->bad, 1);
        return;
    }
    if (atomic_fetch_add(&a->life[h.sender].seen[h.number], 1) && !again)
        atomic_fetch_add(&a->doubled, 1);
    if (!again && last[h.sender] >= h.number)
        atomic_fetch_add(&a->disordered, 1);
    if (!again)
        last[h.sender] = h.number;
    atomic_fetch_add(&a->received, 1);
}

static int receive_once(leat_channel *c, struct round *r, uint8_t *bytes, uint32_t *last)
{
    struct leat_message m;
    size_t n = 0;
    /* Without a copy there are no messages longer than the ring. */
    int code = r->acquires ? leat_channel_acquire(c, &m, 20000) : leat_channel_receive(c, bytes, r->longest, &n, 20000);
    if (code < 0)
        return code;
    if (!r->acquires) {
        enter(r->audit, r, bytes, n, false, last);
        return 0;
    }
    enter(r->audit, r, m.data, m.length, m.flags & LEAT_MESSAGE_AGAIN, last);
    return leat_channel_release(c, &m);
}

static int receive_messages(void *user)
{
    struct round *r = user;
    static uint32_t last[LIVES];
    leat_channel *c = become(r, LEAT_CHANNEL_RECEIVER);
    uint8_t *bytes = malloc(r->longest);
    int code;
    if (!c || !bytes)
        return 1;
    while ((code = receive_once(c, r, bytes, last)) == 0)
        ;
    if (code != -ENODATA && code != -EOWNERDEAD) {
        fprintf(stderr, "receive: %s\n", strerror(-code));
        return 2;
    }
    leat_channel_close(c);
    free(bytes);
    return 0;
}

static pid_t begin(struct round *r, unsigned slot)
{
    if (slot >= SENDERS)
        return in_child(receive_messages, r);
    r->lives++;
    return in_child(send_messages, r);
}

/* How many messages that were sent did nobody get? */
static unsigned count_missing(const struct round *r)
{
    unsigned missing = 0;
    for (uint32_t life = 0; life <= r->lives; life++) {
        uint32_t sent = atomic_load(&r->audit->life[life].sent), tried = atomic_load(&r->audit->life[life].tried);
        for (uint32_t number = 1; tried && number < NUMBERS; number++) {
            bool seen = atomic_load(&r->audit->life[life].seen[number]);
            missing += number <= sent && !seen;
            if (number > tried)
                assert_false(seen);
        }
    }
    return missing;
}

static void kill_for_a_while(struct round *r, unsigned kills)
{
    pid_t child[SENDERS + RECEIVERS];
    unsigned receivers_killed = 0;
    for (unsigned i = 0; i < SENDERS + RECEIVERS; i++)
        child[i] = begin(r, i);
    for (unsigned i = 0; i < kills && r->lives < LIVES - 1; i++) {
        struct timespec moment = {.tv_nsec = (long)draw(1500000)};
        nanosleep(&moment, NULL);
        unsigned slot = draw(SENDERS + RECEIVERS);
        kill(child[slot], SIGKILL);
        assert_int_equal(status_of(child[slot]), -SIGKILL);
        receivers_killed += slot >= SENDERS;
        child[slot] = begin(r, slot);
    }
    atomic_store(&r->audit->stop, true);
    leat_channel_close(r->creator);
    set_close(&r->set[LEAT_CHANNEL_SENDER]);
    struct leat_channel_info info = LEAT_INIT(struct leat_channel_info);
    for (unsigned i = 0; i < SENDERS + RECEIVERS; i++)
        assert_int_equal(status_of(child[i]), 0);
    assert_int_equal(leat_channel_inspect(r->set[1].fd[0], &info, NULL, NULL), 0);
    set_close(&r->set[LEAT_CHANNEL_RECEIVER]);
    assert_int_equal(atomic_load(&r->audit->bad), 0);
    assert_int_equal(atomic_load(&r->audit->doubled), 0);
    assert_int_equal(atomic_load(&r->audit->disordered), 0);
    assert_int_equal(info.lane[0].messages, 0);
    assert_int_equal(info.lane[0].held, 0);
    unsigned missing = count_missing(r);
    assert_true(info.lost <= receivers_killed);
    if (r->acquires)
        assert_int_equal(missing, 0);
    /* One that is killed between its receive and the record of it is no loss of the channel's. */
    if (missing > receivers_killed)
        fail_msg("%u messages are missing, %u receivers were killed", missing, receivers_killed);
}

static void round_of(uint64_t message_size, uint64_t count, uint64_t ring_bytes, uint64_t longest, bool acquires,
                     unsigned kills)
{
    struct round r = {.message_size = message_size, .ring_bytes = ring_bytes, .longest = longest, .acquires = acquires};
    r.audit = shared_memory(sizeof(*r.audit));
    r.creator = channel_make(message_size, count, ring_bytes);
    r.set[0] = set_of(r.creator, LEAT_CHANNEL_SENDER);
    r.set[1] = set_of(r.creator, LEAT_CHANNEL_RECEIVER);
    kill_for_a_while(&r, kills);
    munmap(r.audit, sizeof(*r.audit));
}

static unsigned all_rounds(unsigned kills)
{
    round_of(32, 64, 0, 32, false, kills);
    round_of(32, 64, 0, 32, true, kills);
    round_of(100, 1, 0, 100, false, kills);
    round_of(100, 1, 0, 100, true, kills);
    round_of(0, 0, 8192, 3000, false, kills);
    round_of(0, 0, 8192, 3000, true, kills);
    round_of(0, 0, 4096, 20000, false, kills); /* streamed, most of them */
    round_of(0, 0, 5, 300, false, kills);
    return 8 * kills;
}

static void test_killed(void **state UNUSED)
{
    const char *seconds = getenv("LEAT_SOAK_SECONDS"), *seed = getenv("LEAT_SOAK_SEED");
    int64_t end = clock_ns() + (seconds ? atoll(seconds) : 0) * 1000000000;
    random_state = seed ? (uint32_t)strtoul(seed, NULL, 0) : seconds ? (uint32_t)clock_ns() : 1;
    int before = unit_descriptors();
    unsigned kills = 0;
    do {
        if (seconds)
            printf("LEAT_SOAK_SEED=%u\n", random_state);
        kills += all_rounds(seconds ? 500 : getenv("LEAT_TEST_QUICK") ? 15 : 63);
    } while (clock_ns() < end || (seconds && kills < 10000));
    assert_int_equal(unit_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_killed)};
    return channels_missing() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
