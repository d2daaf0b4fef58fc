/* SPDX-License-Identifier: MIT */
/* emscripten: it has no processes to share memory with
 * A peer that is killed after each of the first instructions inside a call, one after the other: whatever it had begun
 * is either done or not begun, is counted, and is in nobody's way. Each third instruction, or with LEAT_SOAK_SECONDS
 * each. */
/* labels: plain slow
 * timeout: 200 */
#include "channel/channel.h"
#include "channels.h"
#include "stepping.h"

#define MOST 3000

/* One kind of call, made by a child in `child`, and what must hold afterwards. */
struct act {
    const char *name;
    enum leat_channel_end end;
    bool (*prepare)(leat_channel *c);
    void (*call)(leat_channel *c);
    /* `done`: the call had returned. */
    void (*check)(leat_channel *sender, leat_channel *receiver, bool done);
    uint64_t ring_bytes;
    bool back; /* 1 came back from somebody who left */
};

static struct leat_message held;
static uint8_t third[32]; /* what is sent */
static unsigned uncounted;

static void put_number(leat_channel *c, uint32_t number, size_t n)
{
    uint8_t bytes[256];
    message_fill(bytes, n, 0, number);
    assert_int_equal(leat_channel_send(c, bytes, n, 5000), 0);
}

/* The number of the next message, 0 if there is none. */
static uint32_t get_number(leat_channel *c, bool *ret_again)
{
    struct leat_message m;
    struct message_head h = {0};
    int r = leat_channel_acquire(c, &m, 0);
    if (r == -EAGAIN)
        return 0;
    assert_int_equal(r, 0);
    assert_true(message_holds(m.data, m.length, &h));
    if (ret_again)
        *ret_again = m.flags & LEAT_MESSAGE_AGAIN;
    assert_int_equal(leat_channel_release(c, &m), 0);
    return h.number;
}

static void check_empty(leat_channel *receiver, unsigned sent, unsigned lost)
{
    assert_int_equal(get_number(receiver, NULL), 0);
    struct leat_channel_info info = info_of(receiver);
    assert_int_equal(info.lane[0].messages, 0);
    assert_int_equal(info.lane[0].bytes, 0);
    assert_int_equal(info.lane[0].held, 0);
    assert_int_equal(info.lane[0].sent, sent);
    /* On its very way out a call has said already that the message is the caller's. */
    assert_true(info.lost == lost || info.lost == 0);
    uncounted += lost != info.lost;
    assert_int_equal(info.lane[0].senders, 1);
    assert_int_equal(info.lane[0].receivers, 1);
}

static void call_send(leat_channel *c)
{
    leat_channel_send(c, third, sizeof(third), -1);
}

static void call_publish(leat_channel *c)
{
    void *room;
    if (leat_channel_reserve(c, 32, &room, -1) < 0)
        return;
    memcpy(room, third, sizeof(third));
    leat_channel_publish(c, 32);
}

/* 1 and 2 were there, 3 may have come, 4 goes on. */
static void check_send(leat_channel *sender, leat_channel *receiver, bool done)
{
    put_number(sender, 4, 32);
    assert_int_equal(get_number(receiver, NULL), 1);
    assert_int_equal(get_number(receiver, NULL), 2);
    uint32_t number = get_number(receiver, NULL);
    bool came = number == 3;
    assert_true(came || !done);
    assert_int_equal(came ? get_number(receiver, NULL) : number, 4);
    check_empty(receiver, 3 + came, 0);
}

static void call_receive(leat_channel *c)
{
    uint8_t bytes[64];
    size_t n;
    leat_channel_receive(c, bytes, sizeof(bytes), &n, -1);
}

static void check_receive(leat_channel *sender, leat_channel *receiver, bool done)
{
    put_number(sender, 3, 32);
    uint32_t number = get_number(receiver, NULL);
    bool gone = number == 2;
    assert_true(gone || number == 1);
    assert_true(gone || !done);
    assert_int_equal(gone ? number : get_number(receiver, NULL), 2);
    assert_int_equal(get_number(receiver, NULL), 3);
    check_empty(receiver, 3, gone && !done);
}

static void call_receivev(leat_channel *c)
{
    uint8_t bytes[2][64];
    struct iovec to[2] = {{bytes[0], 64}, {bytes[1], 64}};
    size_t n;
    leat_channel_receivev(c, to, 2, &n, -1);
}

/* Both or none. */
static void check_receivev(leat_channel *sender, leat_channel *receiver, bool done)
{
    put_number(sender, 3, 32);
    uint32_t number = get_number(receiver, NULL);
    bool gone = number == 3;
    assert_true(gone || !done);
    if (!gone) {
        assert_int_equal(number, 1);
        assert_int_equal(get_number(receiver, NULL), 2);
        assert_int_equal(get_number(receiver, NULL), 3);
    }
    check_empty(receiver, 3, gone && !done ? 2 : 0);
}

static void call_acquire(leat_channel *c)
{
    leat_channel_acquire(c, &held, -1);
}

static void check_acquire(leat_channel *sender, leat_channel *receiver, bool done)
{
    bool again = false;
    put_number(sender, 3, 32);
    assert_int_equal(get_number(receiver, &again), 1);
    assert_true(again || !done);
    assert_int_equal(get_number(receiver, &again), 2);
    assert_false(again);
    assert_int_equal(get_number(receiver, NULL), 3);
    check_empty(receiver, 3, 0);
}

/* The same for who takes copies: nothing is left in their way. */
static void check_acquire_copies(leat_channel *sender, leat_channel *receiver, bool done UNUSED)
{
    uint8_t bytes[64];
    struct message_head h = {0};
    size_t n = 0;
    put_number(sender, 3, 32);
    for (uint32_t number = 1; number <= 3; number++) {
        assert_int_equal(leat_channel_receive(receiver, bytes, sizeof(bytes), &n, 0), 0);
        assert_true(message_holds(bytes, n, &h));
        assert_int_equal(h.number, number);
    }
    check_empty(receiver, 3, 0);
}

static bool prepare_held(leat_channel *c)
{
    return leat_channel_acquire(c, &held, 0) == 0;
}

static void call_release(leat_channel *c)
{
    leat_channel_release(c, &held);
}

static void check_release(leat_channel *sender, leat_channel *receiver, bool done)
{
    bool again = false;
    put_number(sender, 3, 32);
    uint32_t number = get_number(receiver, &again);
    assert_true(number == 2 || (number == 1 && again && !done));
    if (number == 1)
        assert_int_equal(get_number(receiver, &again), 2);
    assert_false(again);
    assert_int_equal(get_number(receiver, NULL), 3);
    check_empty(receiver, 3, 0);
}

static const struct act acts[] = {
    {"send", LEAT_CHANNEL_SENDER, NULL, call_send, check_send, 4096, false},
    {"send into a small ring", LEAT_CHANNEL_SENDER, NULL, call_send, check_send, 4 * 48, false},
    {"reserve and publish", LEAT_CHANNEL_SENDER, NULL, call_publish, check_send, 4096, false},
    {"receive", LEAT_CHANNEL_RECEIVER, NULL, call_receive, check_receive, 4096, false},
    {"receivev", LEAT_CHANNEL_RECEIVER, NULL, call_receivev, check_receivev, 4096, false},
    {"receive beside one that is held", LEAT_CHANNEL_RECEIVER, prepare_held, call_receive, NULL, 4096, false},
    {"receive what came back", LEAT_CHANNEL_RECEIVER, NULL, call_receive, check_receive, 4096, true},
    {"acquire", LEAT_CHANNEL_RECEIVER, NULL, call_acquire, check_acquire, 4096, false},
    {"acquire, then copies", LEAT_CHANNEL_RECEIVER, NULL, call_acquire, check_acquire_copies, 4096, false},
    {"acquire what came back", LEAT_CHANNEL_RECEIVER, NULL, call_acquire, check_acquire, 4096, true},
    {"release", LEAT_CHANNEL_RECEIVER, prepare_held, call_release, check_release, 4096, false},
};

struct scene {
    const struct act *act;
    struct set set;
    leat_channel *sender, *receiver;
};

/* The names of functions are looked up now, and not while the instructions are counted. */
static void warm_up(const struct act *act)
{
    leat_channel *sender = channel_make(0, 0, 4096), *receiver = other_end(sender);
    put_number(sender, 1, 32);
    put_number(sender, 2, 32);
    if (act->end == LEAT_CHANNEL_SENDER)
        act->call(sender);
    else {
        struct leat_message kept = held;
        if (act->call == call_release)
            leat_channel_acquire(receiver, &held, 0);
        act->call(receiver);
        held = kept;
    }
    leat_channel_close(sender);
    leat_channel_close(receiver);
}

static int tracee(void *user)
{
    struct scene *s = user;
    leat_channel_close(s->sender);
    leat_channel_close(s->receiver);
    leat_channel *c = set_attach(&s->set);
    set_close(&s->set);
    if (!c || (s->act->prepare && !s->act->prepare(c)))
        return 1;
    warm_up(s->act);
    if (step_begin() < 0)
        return 77;
    s->act->call(c);
    return step_end();
}

/* 1 is held by who died; 2 may be gone. */
static void check_beside(leat_channel *sender, leat_channel *receiver, bool done)
{
    bool again = false;
    put_number(sender, 3, 32);
    assert_int_equal(get_number(receiver, &again), 1);
    assert_true(again);
    uint32_t number = get_number(receiver, NULL);
    bool gone = number == 3;
    assert_true(gone || (number == 2 && !done));
    if (!gone)
        assert_int_equal(get_number(receiver, NULL), 3);
    check_empty(receiver, 3, gone && !done);
}

static int one(const struct act *act, unsigned steps)
{
    struct scene s = {.act = act, .sender = channel_make(0, 0, act->ring_bytes)};
    s.receiver = other_end(s.sender);
    s.set = set_of(s.sender, act->end);
    put_number(s.sender, 1, 32);
    put_number(s.sender, 2, 32);
    if (act->back) {
        struct leat_message m;
        leat_channel *other = set_attach(&s.set);
        assert_int_equal(leat_channel_acquire(other, &m, 0), 0);
        leat_channel_close(other);
    }
    atomic_store(returned, false);
    int done = step(in_child(tracee, &s), steps);
    set_close(&s.set);
    /* Now and then the locks of the dead are found by who needs them. */
    for (int i = 0; done >= 0 && i < 2; i++) {
        leat_channel *c = i ? s.receiver : s.sender;
        if (steps % 64) {
            atomic_store(&c->looked_ns, 0);
            peers_bury_crashed(c, &(struct channel_limit){0});
        }
    }
    if (done >= 0 && steps % 64 == 0) {
        /* What needs no lock of the dead one's is not helped by anybody, so the patience is waited for. */
        struct leat_message m;
        put_number(s.sender, 9, 32);
        while (leat_channel_acquire(s.receiver, &m, LEAT_CHANNEL_PATIENCE_MS * 2) == 0)
            assert_int_equal(leat_channel_release(s.receiver, &m), 0);
        assert_int_equal(info_of(s.receiver).lane[0].messages, 0);
    } else if (done >= 0)
        (act->check ? act->check : check_beside)(s.sender, s.receiver, done);
    leat_channel_close(s.sender);
    leat_channel_close(s.receiver);
    return done;
}

static void test_steps(void **state UNUSED)
{
    unsigned stride = getenv("LEAT_SOAK_SECONDS") ? 1 : 3;
    message_fill(third, sizeof(third), 0, 3);
    step_prepare();
    for (size_t i = 0; i < COUNT(acts); i++) {
        unsigned steps = 0;
        uncounted = 0;
        int done = 0;
        while (steps < MOST && (done = one(&acts[i], steps)) == 0)
            steps += stride;
        if (done < 0) {
            print_message("skipped: a process may not be traced here\n");
            skip();
        }
        print_message("%s: %u instructions\n", acts[i].name, steps);
        assert_int_equal(done, 1);
        assert_true(steps > 20);
        assert_true(uncounted < 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_steps)};
    return channels_missing() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
