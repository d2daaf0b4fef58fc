/* SPDX-License-Identifier: MIT */
/* emscripten: it has no processes to share memory with
 * One that is killed after each so many-th instruction of sending, or receiving, a message that is longer than the
 * ring, while its partner does the other half: that message is whole or lost, the others come, and nobody is held up.
 */
/* labels: plain slow
 * timeout: 300 */
#include "channel/channel.h"
#include "channels.h"
#include "stepping.h"

#define MOST 30000
#define LONG 600 /* bytes, through a ring of 256 */
#define RING 256

struct scene {
    struct set set[2]; /* of the child that is killed, and of its partner */
    leat_channel *sender, *receiver;
    atomic_bool *got; /* by number */
};

static int send_one(leat_channel *c, uint32_t number, size_t n)
{
    uint8_t bytes[LONG];
    message_fill(bytes, n, 0, number);
    return leat_channel_send(c, bytes, n, 20000);
}

/* Until the end; each number once, in its order. */
static int receive_all(leat_channel *c, atomic_bool *got)
{
    uint8_t bytes[LONG];
    struct message_head h;
    uint32_t last = 0;
    size_t n;
    int r;
    while ((r = leat_channel_receive(c, bytes, sizeof(bytes), &n, 20000)) == 0) {
        if (!message_holds(bytes, n, &h) || h.number <= last || h.number > 5)
            return 3;
        last = h.number;
        atomic_store(&got[last], true);
    }
    return r == -ENODATA || r == -EOWNERDEAD ? 0 : 4;
}

static leat_channel *become(struct scene *s, int which)
{
    leat_channel_close(s->sender);
    leat_channel_close(s->receiver);
    leat_channel *c = set_attach(&s->set[which]);
    set_close(&s->set[0]);
    set_close(&s->set[1]);
    return c;
}

static int partner_receives(void *user)
{
    struct scene *s = user;
    leat_channel *c = become(s, 1);
    return c ? receive_all(c, s->got) : 2;
}

static int partner_sends(void *user)
{
    leat_channel *c = become(user, 1);
    int r = c ? 0 : 2;
    for (uint32_t number = 1; r == 0 && number <= 3; number++)
        r = send_one(c, number, number == 2 ? 32 : LONG) < 0 ? 3 : 0;
    leat_channel_close(c);
    return r;
}

static int tracee_sends(void *user)
{
    leat_channel *c = become(user, 0);
    if (!c || step_begin() < 0)
        return 77;
    send_one(c, 3, LONG);
    return step_end();
}

static int tracee_receives(void *user)
{
    leat_channel *c = become(user, 0);
    uint8_t bytes[LONG];
    size_t n;
    if (!c || step_begin() < 0)
        return 77;
    leat_channel_receive(c, bytes, sizeof(bytes), &n, 20000);
    return step_end();
}

static void bury(leat_channel *c)
{
    atomic_store(&c->looked_ns, 0);
    peers_bury_crashed(c, &(struct channel_limit){0});
}

static struct scene scene_of(enum leat_channel_end end)
{
    struct scene s = {.sender = channel_make(0, 0, RING)};
    s.receiver = other_end(s.sender);
    s.set[0] = set_of(s.sender, end);
    s.set[1] = set_of(s.sender, end == LEAT_CHANNEL_SENDER ? LEAT_CHANNEL_RECEIVER : LEAT_CHANNEL_SENDER);
    s.got = shared_memory(6 * sizeof(*s.got));
    atomic_store(returned, false);
    return s;
}

/* 1 and 2 were sent before, 3 by who is killed, 4 and 5 come afterwards. */
static int kill_sender(unsigned steps)
{
    struct scene s = scene_of(LEAT_CHANNEL_SENDER);
    assert_int_equal(send_one(s.sender, 1, 32), 0);
    assert_int_equal(send_one(s.sender, 2, 32), 0);
    pid_t partner = in_child(partner_receives, &s), child = in_child(tracee_sends, &s);
    set_close(&s.set[0]);
    set_close(&s.set[1]);
    leat_channel_close(s.receiver);
    int done = step(child, steps);
    bury(s.sender);
    assert_int_equal(send_one(s.sender, 4, 32), 0);
    assert_int_equal(send_one(s.sender, 5, LONG), 0);
    leat_channel_close(s.sender);
    assert_int_equal(status_of(partner), 0);
    for (int number = 1; number <= 5; number++)
        assert_true(atomic_load(&s.got[number]) || (number == 3 && done <= 0));
    munmap(s.got, 6 * sizeof(*s.got));
    return done;
}

static int kill_receiver(unsigned steps)
{
    struct scene s = scene_of(LEAT_CHANNEL_RECEIVER);
    pid_t partner = in_child(partner_sends, &s), child = in_child(tracee_receives, &s);
    set_close(&s.set[0]);
    set_close(&s.set[1]);
    leat_channel_close(s.sender);
    int done = step(child, steps);
    bury(s.receiver);
    assert_int_equal(receive_all(s.receiver, s.got), 0);
    assert_int_equal(status_of(partner), 0);
    assert_true(atomic_load(&s.got[2]) && atomic_load(&s.got[3]));
    bool first = atomic_load(&s.got[1]);
    assert_false(first && done == 1);
    assert_true(info_of(s.receiver).lost <= !first);
    leat_channel_close(s.receiver);
    munmap(s.got, 6 * sizeof(*s.got));
    return done;
}

static void all_steps(int (*kill_after)(unsigned steps))
{
    unsigned stride = getenv("LEAT_SOAK_SECONDS") ? 7 : 97, steps = 0;
    int done = 0;
    step_prepare();
    while (steps < MOST && (done = kill_after(steps)) == 0)
        steps += stride;
    if (done < 0) {
        print_message("skipped: a process may not be traced here\n");
        skip();
    }
    print_message("%u instructions\n", steps);
    assert_int_equal(done, 1);
    assert_true(steps > 500);
}

static void test_sender(void **state UNUSED)
{
    all_steps(kill_sender);
}

static void test_receiver(void **state UNUSED)
{
    all_steps(kill_receiver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sender), cmocka_unit_test(test_receiver)};
    return channels_missing() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
