/* SPDX-License-Identifier: MIT */
/* emscripten: it has no threads
 * A reader that gets stuck is left behind, and the others are read all the same. */
#include "child/marked.h"
#include "unit/unit.h"
#include <pthread.h>
#include <string.h>

#define N 6

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool released;
static unsigned waiting;

/* Odd numbers carry the mark; 3 and 4 let everybody wait. */
static bool has(pid_t pid, const char *mark)
{
    assert_string_equal(mark, "LEAT_EXEC=1");
    pthread_mutex_lock(&lock);
    waiting += pid == 3 || pid == 4;
    while ((pid == 3 || pid == 4) && !released)
        pthread_cond_wait(&changed, &lock);
    waiting -= pid == 3 || pid == 4;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return pid % 2;
}

static void one_that_is_stuck_is_told(void **state UNUSED)
{
    struct platform_process process[N];
    bool found[N] = {false};
    for (size_t i = 0; i < N; i++)
        process[i] = (struct platform_process){.pid = (pid_t)i + 1};
    char mark[] = "LEAT_EXEC=1";
    assert_int_equal(marked_find(process, 0, N, mark, has, found), 2);
    assert_int_equal(marked_find(process, 3, N, mark, has, found), 3);
    assert_int_equal(marked_find(process, 4, N, mark, has, found), N);
    memset(mark, 'x', sizeof(mark)); /* nobody has it any more */
    assert_true(found[0] && !found[1] && !found[2] && !found[3] && found[4] && !found[5]);
    pthread_mutex_lock(&lock);
    assert_int_equal(waiting, 2);
    released = true;
    pthread_cond_broadcast(&changed);
    while (waiting > 0)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    assert_true(!found[2]);
}

static void nothing_to_read(void **state UNUSED)
{
    struct platform_process process = {.pid = 1};
    bool found = false;
    assert_int_equal(marked_find(&process, 1, 1, "LEAT_EXEC=1", has, &found), 1);
    assert_int_equal(marked_find(&process, 0, 0, "LEAT_EXEC=1", has, &found), 0);
    assert_false(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_stuck_is_told),
        cmocka_unit_test(nothing_to_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
