/* SPDX-License-Identifier: MIT */
#include "signals.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static leat_pipeline *running;
static volatile sig_atomic_t noted;
static int wish[2] = {-1, -1}; /* SIGUSR1 writes a byte into it, and the command prints a line of progress */

static void on_end(int number)
{
    noted = number;
    if (running)
        leat_pipeline_cancel(running);
}

static void on_usr1(int number)
{
    (void)number;
    int saved = errno;
    ssize_t n = write(wish[1], "", 1);
    (void)n; /* if the pipe is full, its reader has a request already */
    errno = saved;
}

bool signals_is_ignored(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void signals_catch(leat_pipeline *pipeline)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_end, .sa_flags = pipeline ? 0 : (int)SA_RESETHAND};
    running = pipeline;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (!signals_is_ignored(numbers[i])) /* nohup ignores SIGHUP */
            sigaction(numbers[i], &action, NULL);
    }
}

void signals_release(void)
{
    running = NULL;
}

int signals_noted(void)
{
    return noted;
}

void signals_raise(int number)
{
    signal(number, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}

int signals_wish(void)
{
    if (wish[0] < 0 && pipe(wish) < 0) /* called before the process has threads or children */
        return -1;
    for (int i = 0; i < 2; i++) {
        fcntl(wish[i], F_SETFL, O_NONBLOCK);
        fcntl(wish[i], F_SETFD, FD_CLOEXEC);
    }
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_usr1, .sa_flags = SA_RESTART}, NULL);
    return wish[0];
}
