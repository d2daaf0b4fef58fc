/* SPDX-License-Identifier: MIT */
/* Handles signals that end the benchmark. The process dies of the signal when everything is cleaned up. */
#include "bench/bench.h"
#include <signal.h>
#include <stdatomic.h>

/* Peers read these, too. Both are lock-free atomics, since a signal handler uses them. */
static atomic_int ending_signal;
static leat_pipeline *_Atomic running;

static void on_end(int number)
{
    ending_signal = number;
    leat_pipeline *pipeline = running;
    if (pipeline)
        leat_pipeline_cancel(pipeline);
}

void stop_catch(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_end}, ignore = {.sa_handler = SIG_IGN};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction old;
        sigaction(numbers[i], NULL, &old);
        if (old.sa_handler != SIG_IGN) /* nohup ignores SIGHUP */
            sigaction(numbers[i], &action, NULL);
    }
    sigaction(SIGPIPE, &ignore, NULL);
}

bool stop_asked(void)
{
    return ending_signal != 0;
}

void stop_for(int number)
{
    ending_signal = number;
}

/* If a signal came before the pipeline is set, `ending_signal` has it and this call cancels; later signals cancel in
 * the handler. */
void stop_cancels(leat_pipeline *pipeline)
{
    running = pipeline;
    if (pipeline && ending_signal)
        leat_pipeline_cancel(pipeline);
}

void stop_raise(void)
{
    int number = ending_signal;
    if (!number)
        return;
    sigset_t set;
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}
