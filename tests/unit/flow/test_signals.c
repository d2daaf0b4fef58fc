/* SPDX-License-Identifier: MIT */
/* What a handler of signals may call: leat_pipeline_cancel and leat_endpoint_notify interrupt a pipeline at any moment,
 * in the thread that runs it.
 * engines: uring
 * emscripten: no signal interrupts a thread there */
#include "unit/flow/pipelines.h"
#include <sys/time.h>

#define PERIOD_US 250
#define PAUSES    3 /* of the source in a round: it waits for as many signals */

static leat_pipeline *volatile cancelled; /* by each signal, unless it is NULL */
static leat_endpoint *volatile notified;  /* in the same way */
static volatile sig_atomic_t signals, failures, goes_on;
static atomic_int ready; /* the thread of the pipeline reads it, too */

/* The timer is set again at the end of each signal: so the pipeline goes on, however slow the machine is. */
static void set_timer(long us)
{
    struct itimerval once = {.it_value.tv_usec = us};
    setitimer(ITIMER_REAL, &once, NULL);
}

static void interrupt_it(int number UNUSED)
{
    int before = errno;
    signals++;
    atomic_store(&ready, 1);
    errno = ENOTTY;
    if (notified && leat_endpoint_notify(notified) != 0)
        failures++;
    if (cancelled && leat_pipeline_cancel(cancelled) != 0)
        failures++;
    failures += errno != ENOTTY;
    if (goes_on)
        set_timer(PERIOD_US);
    errno = before;
}

static int read_between_signals(void *user, void *bytes, size_t n UNUSED, size_t *ret_n)
{
    unsigned *pauses = user;
    if (*pauses < PAUSES && !atomic_exchange(&ready, 0))
        return -EAGAIN;
    *ret_n = (*pauses)++ < PAUSES;
    memset(bytes, 'a', *ret_n);
    return 0;
}

static leat_pipeline *pipeline_of_signals(unsigned *pauses, char to[PAUSES], size_t *ret_size)
{
    leat_endpoint *source;
    struct leat_endpoint_callbacks callbacks = {.size = sizeof(callbacks), .read = read_between_signals};
    assert_int_equal(leat_endpoint_from_callbacks(&source, &callbacks, pauses, NULL), 0);
    notified = source;
    return pipeline_of(NULL, source, to_bytes(to, PAUSES, ret_size));
}

/* One pipeline from its making to its end. `thread`: it runs on a thread of its own. */
static int one_round(bool cancels, bool thread)
{
    unsigned pauses = 0;
    char to[PAUSES];
    size_t size = 77;
    leat_pipeline *p = pipeline_of_signals(&pauses, to, &size);
    cancelled = cancels ? p : NULL;
    if (thread)
        assert_int_equal(leat_pipeline_start(p), 0);
    int r = thread ? leat_pipeline_wait(p, -1, NULL) : leat_pipeline_run(p, NULL);
    cancelled = NULL;
    notified = NULL;
    leat_pipeline_free(p);
    assert_true(r == 0 || (r == -ECANCELED && cancels));
    assert_int_equal(size, r == 0 ? PAUSES : 77);
    return r;
}

static void rounds(bool cancels)
{
    unit_needs(unit_signals_come(), "signals");
#ifdef __SANITIZE_THREAD__ /* puts a signal off until a call that it knows, and a wait in a ring is none */
    unit_needs(!getenv("LEAT_TEST_ENGINE"), "signals during a wait of io_uring");
#endif
    struct sigaction action = {.sa_handler = interrupt_it};
    int64_t until = clock_ns() + 300000000;
    sigemptyset(&action.sa_mask);
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    signals = failures = 0;
    goes_on = 1;
    set_timer(PERIOD_US);
    int n = 0, cut = 0;
    for (; n < 4 || clock_ns() < until; n++)
        cut += one_round(cancels, n % 2) < 0;
    goes_on = 0;
    set_timer(0);
    signal(SIGALRM, SIG_IGN); /* also the one that may be on its way */
    assert_int_equal(failures, 0);
    assert_true(signals > 0);
    assert_true(!cancels || cut > 0);
}

static void a_handler_notifies(void **state UNUSED)
{
    rounds(false);
}

static void a_handler_cancels(void **state UNUSED)
{
    rounds(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_notifies),
        cmocka_unit_test(a_handler_cancels),
    };
    return cmocka_run_group_tests_name("signals", tests, NULL, NULL);
}
