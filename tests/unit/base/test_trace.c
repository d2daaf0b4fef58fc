/* SPDX-License-Identifier: MIT */
/* The trace: silent until a function is set, one function at a time, and no call of an earlier one.
 * labels: fork
 * emscripten: it has no processes */
#include "base/thread.h"
#include "base/trace.h"
#include "unit/unit.h"
#include <sched.h>
#include <sys/wait.h>

struct heard {
    atomic_uint records;
    int32_t category;
    uint32_t fields;
    char sentence[TRACE_SENTENCE_MAX], text[256];
    uint64_t number;
};

static void hear(void *user, const struct leat_trace_record *record)
{
    struct heard *h = user;
    h->category = record->category;
    h->fields = record->fields;
    snprintf(h->sentence, sizeof(h->sentence), "%s", record->sentence);
    for (uint32_t i = 0; i < record->fields; i++)
        if (record->field[i].text)
            snprintf(h->text, sizeof(h->text), "%s", record->field[i].text);
        else
            h->number = record->field[i].number;
    atomic_fetch_add(&h->records, 1);
}

static void tell(const char *text)
{
    const struct leat_trace_field field[] = {trace_text("text", text), trace_number("n", 7)};
    if (trace_is_on())
        trace_tell(LEAT_TRACE_ROUTE, field, COUNT(field), "the %s", "sentence");
}

static void it_is_silent_until_a_function_is_set(void **state UNUSED)
{
    struct heard h = {0};
    assert_false(trace_is_on());
    trace_tell(LEAT_TRACE_ROUTE, NULL, 0, "nobody hears it");
    assert_int_equal(leat_trace_set(hear, &h), 0);
    assert_true(trace_is_on());
    tell("a text");
    assert_int_equal(h.records, 1);
    assert_int_equal(h.category, LEAT_TRACE_ROUTE);
    assert_int_equal(h.fields, 2);
    assert_int_equal(h.number, 7);
    assert_string_equal(h.text, "a text");
    assert_string_equal(h.sentence, "the sentence");
    assert_int_equal(leat_trace_set(NULL, NULL), 0);
    assert_false(trace_is_on());
    tell("a text");
    assert_int_equal(h.records, 1);
    assert_int_equal(leat_trace_set(NULL, NULL), 0);
}

static void another_function_takes_over(void **state UNUSED)
{
    struct heard first = {0}, second = {0};
    assert_int_equal(leat_trace_set(hear, &first), 0);
    tell("");
    assert_int_equal(leat_trace_set(hear, &second), 0);
    tell("");
    tell("");
    assert_int_equal(leat_trace_set(NULL, NULL), 0);
    assert_int_equal(first.records, 1);
    assert_int_equal(second.records, 2);
}

static void hear_and_tell(void *user, const struct leat_trace_record *record)
{
    hear(user, record);
    tell("within");
    errno = EXDEV;
}

static void a_function_makes_no_records_and_no_errno(void **state UNUSED)
{
    struct heard h = {0};
    assert_int_equal(leat_trace_set(hear_and_tell, &h), 0);
    errno = EBADF;
    tell("");
    assert_int_equal(errno, EBADF);
    assert_int_equal(leat_trace_set(NULL, NULL), 0);
    assert_int_equal(h.records, 1);
}

static void hear_once(void *user, const struct leat_trace_record *record)
{
    hear(user, record);
    assert_int_equal(leat_trace_set(NULL, NULL), 0);
}

static void a_function_may_end_itself(void **state UNUSED)
{
    struct heard h = {0};
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(leat_trace_set(hear_once, &h), 0);
        tell("");
        tell("");
        assert_int_equal(h.records, i);
    }
}

static void urls_have_neither_login_nor_query(void **state UNUSED)
{
    static const char *const texts[][2] = {
        {"a@b?c", "a@b?c"},
        {"http://host/path", "http://host/path"},
        {"http://me:secret@host/p@th?sig=secret#x", "http://host/p@th"},
        {"s3://me:se@cret@host?secret", "s3://host"},
        {"exec:curl 'http://me:secret@a/b?secret' | x \"http://c/?secret\" y@z",
         "exec:curl 'http://a/b' | x \"http://c/\" y@z"},
        {"http://#", "http://"},
        {"http://", "http://"},
    };
    struct heard h = {0};
    assert_int_equal(leat_trace_set(hear, &h), 0);
    for (size_t i = 0; i < COUNT(texts); i++) {
        tell(texts[i][0]);
        assert_string_equal(h.text, texts[i][1]);
    }
    assert_int_equal(leat_trace_set(NULL, NULL), 0);
}

static void a_sentence_is_one_line(void **state UNUSED)
{
    struct heard h = {0};
    char text[2 * TRACE_SENTENCE_MAX];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(leat_trace_set(hear, &h), 0);
    trace_tell(LEAT_TRACE_HOP, NULL, 0, "%s", text);
    assert_int_equal(strlen(h.sentence), TRACE_SENTENCE_MAX - 1);
    trace_tell(LEAT_TRACE_HOP, NULL, 0, "a\nb\033c");
    assert_string_equal(h.sentence, "a?b?c");
    assert_int_equal(h.fields, 0);
    assert_int_equal(leat_trace_set(NULL, NULL), 0);
}

static void categories_have_names_without_gaps(void **state UNUSED)
{
    for (int32_t i = 0; i <= LEAT_TRACE_CHANNEL; i++)
        assert_true(strlen(leat_trace_name(i)) > 0);
    assert_null(leat_trace_name(LEAT_TRACE_CHANNEL + 1));
    assert_null(leat_trace_name(-1));
    assert_null(leat_trace_name(INT32_MAX));
}

/* ---- several threads ---- */

struct gate {
    atomic_bool entered, open, left;
};

static void wait_at_gate(void *user, const struct leat_trace_record *record UNUSED)
{
    struct gate *gate = user;
    atomic_store(&gate->entered, true);
    while (!atomic_load(&gate->open))
        sched_yield();
    atomic_store(&gate->left, true);
}

static void *tell_once(void *unused UNUSED)
{
    tell("");
    return NULL;
}

static void *open_later(void *user)
{
    struct gate *gate = user;
    for (int i = 0; i < 100; i++)
        sched_yield();
    atomic_store(&gate->open, true);
    return NULL;
}

static void a_call_that_runs_is_waited_for(void **state UNUSED)
{
    struct gate gate = {0};
    pthread_t thread[2];
    assert_int_equal(leat_trace_set(wait_at_gate, &gate), 0);
    assert_int_equal(thread_create(&thread[0], tell_once, NULL), 0);
    while (!atomic_load(&gate.entered))
        sched_yield();
    assert_int_equal(thread_create(&thread[1], open_later, &gate), 0);
    assert_int_equal(leat_trace_set(NULL, NULL), 0);
    assert_true(atomic_load(&gate.left));
    pthread_join(thread[0], NULL);
    pthread_join(thread[1], NULL);
}

/* A child does not wait for a thread that it does not have. */
static void a_child_waits_for_no_thread_of_its_parent(void **state UNUSED)
{
    struct gate gate = {0};
    struct heard h = {0};
    pthread_t thread;
    assert_int_equal(leat_trace_set(wait_at_gate, &gate), 0);
    assert_int_equal(thread_create(&thread, tell_once, NULL), 0);
    while (!atomic_load(&gate.entered))
        sched_yield();
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60);
        bool good = leat_trace_set(hear, &h) == 0;
        tell("");
        good = good && leat_trace_set(NULL, NULL) == 0 && h.records == 1;
        _exit(good ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    atomic_store(&gate.open, true);
    assert_int_equal(leat_trace_set(NULL, NULL), 0);
    pthread_join(thread, NULL);
}

static void touch(void *user, const struct leat_trace_record *record UNUSED)
{
    atomic_fetch_add((atomic_uint *)user, 1);
}

static void *tell_often(void *user)
{
    while (!atomic_load((atomic_bool *)user))
        tell("");
    return NULL;
}

/* What an earlier function used may be freed. A sanitizer would see a use of it. */
static void functions_change_while_threads_tell(void **state UNUSED)
{
    atomic_bool end = false;
    atomic_uint kept = 0;
    pthread_t thread[3];
    for (size_t i = 0; i < COUNT(thread); i++)
        assert_int_equal(thread_create(&thread[i], tell_often, &end), 0);
    for (unsigned i = 0; i < 300; i++) {
        atomic_uint *count = calloc(1, sizeof(*count));
        assert_non_null(count);
        assert_int_equal(leat_trace_set(touch, count), 0);
        for (unsigned k = 0; k < i % 3; k++)
            sched_yield();
        assert_int_equal(leat_trace_set(i % 2 ? NULL : touch, i % 2 ? NULL : &kept), 0);
        free(count);
    }
    atomic_store(&end, true);
    for (size_t i = 0; i < COUNT(thread); i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(leat_trace_set(NULL, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_silent_until_a_function_is_set),
        cmocka_unit_test(another_function_takes_over),
        cmocka_unit_test(a_function_makes_no_records_and_no_errno),
        cmocka_unit_test(a_function_may_end_itself),
        cmocka_unit_test(urls_have_neither_login_nor_query),
        cmocka_unit_test(a_sentence_is_one_line),
        cmocka_unit_test(categories_have_names_without_gaps),
        cmocka_unit_test(a_call_that_runs_is_waited_for),
        cmocka_unit_test(a_child_waits_for_no_thread_of_its_parent),
        cmocka_unit_test(functions_change_while_threads_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
