/* SPDX-License-Identifier: MIT */
/* Errors: the first counts, long ones are cut, and structs of older and newer callers keep their sizes. */
#include "base/error.h"
#include "base/quote.h"
#include "unit/unit.h"

static void the_first_failure_counts(void **state UNUSED)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_int_equal(error_set(&error, -ENOSPC, "%s %d", "first", 1), -ENOSPC);
    assert_int_equal(error_set(&error, -EIO, "second"), -EIO); /* the caller's code is returned all the same */
    assert_int_equal(error_at(&error, -EIO, LEAT_SIDE_SINK, "n", "write", "third"), -EIO);
    assert_int_equal(error.code, -ENOSPC);
    assert_int_equal(error.side, LEAT_SIDE_NONE);
    assert_string_equal(error.text, "first 1");
    assert_string_equal(error.node, "");
    assert_string_equal(error.operation, "");
}

static void the_place_is_kept(void **state UNUSED)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    assert_int_equal(error_at(&error, -EIO, LEAT_SIDE_SINK, "out", "write", "%s", "100% of it"), -EIO);
    assert_int_equal(error.side, LEAT_SIDE_SINK);
    assert_string_equal(error.node, "out");
    assert_string_equal(error.operation, "write");
    assert_string_equal(error.text, "100% of it");
}

/* A name of `n` bytes that come in no order. */
static void fill_name(char *name, size_t n)
{
    for (size_t i = 0; i < n; i++)
        name[i] = (char)(1 + (i * 7 + i / 255) % 255);
    name[n] = '\0';
}

static void a_long_name_is_shortened_in_the_middle(void **state UNUSED)
{
    struct {
        struct leat_error error;
        char behind[16];
    } s = {.error = {.size = sizeof(s.error)}};
    char name[600];
    for (size_t n = 0; n < sizeof(name); n++) {
        fill_name(name, n);
        error_node(&s.error, name);
        error_operation(&s.error, name);
        const char *node = s.error.node, *gap = strstr(node, "...");
        assert_int_equal(strcmp(node, name) == 0, n < sizeof(s.error.node));
        if (n < sizeof(s.error.node))
            continue;
        assert_non_null(gap);
        size_t head = (size_t)(gap - node), tail = strlen(gap) - 3;
        assert_true(head >= 123 && head <= 126 && tail >= 123 && tail <= 126); /* half the room, less a character */
        assert_memory_equal(node, name, head);
        assert_string_equal(gap + 3, name + n - tail);
        assert_true(strlen(s.error.operation) < sizeof(s.error.operation) && strstr(s.error.operation, "..."));
    }
    assert_int_equal(s.behind[0], 0);
}

static void no_character_is_cut_in_two(void **state UNUSED)
{
    static const char *const characters[] = {"\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    for (size_t c = 0; c < COUNT(characters); c++)
        for (size_t before = 0; before < 8; before++) {
            struct leat_error error = LEAT_INIT(struct leat_error);
            char name[1200] = "xxxxxxxx", masked[sizeof(error.node)];
            for (name[before] = '\0'; strlen(name) < 1100;)
                strcat(name, characters[c]);
            strcat(name, &"yyyyyyy"[before % 7]);
            error_node(&error, name);
            memcpy(masked, error.node, sizeof(masked));
            quote_mask(masked);
            assert_string_equal(masked, error.node);
            assert_true(strlen(error.node) > 240);
        }
}

static void only_what_is_missing_is_completed(void **state UNUSED)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    error_complete(&error, "node", NULL);
    error_complete(&error, "other", "read");
    error_complete(&error, "third", "write");
    assert_string_equal(error.node, "node");
    assert_string_equal(error.operation, "read");
    error_node(&error, error.node); /* in its own place */
    assert_string_equal(error.node, "node");
    error_node(&error, NULL);
    assert_string_equal(error.node, "");
    error_node(NULL, "node");
    error_operation(NULL, "read");
    error_complete(NULL, "node", "read");
}

static void advice_belongs_to_the_failure_that_counts(void **state UNUSED)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    error_advise(&error, LEAT_ADVICE_FORCE);
    error_set(&error, -EACCES, "first");
    error_advise(&error, LEAT_ADVICE_REPLACE);
    error_set(&error, -EEXIST, "second");
    assert_int_equal(error.code, -EACCES);
    assert_int_equal(error.advice, LEAT_ADVICE_FORCE);
    error_advise(NULL, LEAT_ADVICE_FORCE);
}

static void a_place_belongs_to_the_failure_that_counts(void **state UNUSED)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    error_place(&error, 7, 1ULL << 40);
    error_at(&error, -EIO, LEAT_SIDE_SINK, "first", "write", "first");
    error_place(&error, 8, 9);
    error_at(&error, -EPERM, LEAT_SIDE_SINK, "second", "write", "second");
    assert_int_equal(error.index, 7);
    assert_int_equal(error.offset, 1ULL << 40);
}

/* A note is whole, however long the sentence and the name are. */
static void a_note_is_not_cut(void **state UNUSED)
{
    static const char note[] = "the store may have the object, or its parts, to go on from";
    char name[101] = "", sentence[301] = "";
    memset(name, 'n', 100);
    memset(sentence, 's', 300);
    for (size_t names = 0; names <= 100; names++)
        for (size_t n = 0; n <= 300; n++) {
            struct leat_error error = LEAT_INIT(struct leat_error);
            char *end;
            error_set(&error, -EIO, "%.*s", (int)n, sentence);
            error_note(&error, name + names, note);
            assert_non_null(end = strstr(error.text, note));
            assert_int_equal(strlen(end), strlen(note));
            assert_true(n > 100 || strspn(error.text, "s") == n);
            error_note(&error, "other", "an unfinished upload");
            assert_non_null(strstr(error.text, note));
            assert_non_null(strstr(error.text, "; 'other': an unfinished upload"));
            error_note(&error, name, note); /* without room it is cut */
            assert_true(strlen(error.text) < sizeof(error.text));
        }
    struct leat_error error = LEAT_INIT(struct leat_error);
    error_set(&error, -EIO, "%.*s%s", 104, sentence, "\xc3\xbc\xc3\xbc and more of it");
    error_note(&error, "\x1b[1m ", note);
    assert_non_null(strstr(error.text, "?[1m"));
    assert_null(strstr(error.text, "\xc3;")); /* no half of a letter is left */
}

static void nowhere_to_say_it_is_fine(void **state UNUSED)
{
    assert_int_equal(error_set(NULL, -EIO, "x"), -EIO);
    assert_int_equal(error_at(NULL, -EIO, LEAT_SIDE_NONE, "", "", "x"), -EIO);
}

static void a_long_sentence_is_cut(void **state UNUSED)
{
    struct {
        struct leat_error error;
        char behind[16];
    } s = {.error = {.size = sizeof(s.error)}};
    char text[1000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    error_set(&s.error, -EIO, "%s", text);
    assert_int_equal(strlen(s.error.text), sizeof(s.error.text) - 1);
    assert_int_equal(s.behind[0], 0);
}

struct options {
    size_t size;
    uint64_t a, b, c;
};

static void options_of_an_older_caller_are_zero_filled(void **state UNUSED)
{
    struct options theirs = {.size = offsetof(struct options, b), .a = 1, .b = 99, .c = 99}, ours;
    memset(&ours, 0x5a, sizeof(ours));
    assert_int_equal(options_copy(&ours, sizeof(ours), &theirs), 0);
    assert_int_equal(ours.size, sizeof(ours));
    assert_true(ours.a == 1 && ours.b == 0 && ours.c == 0);
}

static void options_of_a_newer_caller_may_ask_for_nothing_more(void **state UNUSED)
{
    struct {
        struct options known;
        uint64_t unknown[4];
    } theirs = {.known = {.size = sizeof(theirs), .a = 1, .b = 2, .c = 3}};
    struct {
        struct options options;
        uint64_t behind;
    } ours = {.behind = 42};
    assert_int_equal(options_copy(&ours.options, sizeof(ours.options), &theirs), 0);
    assert_int_equal(ours.options.size, sizeof(ours.options));
    assert_true(ours.options.a == 1 && ours.options.b == 2 && ours.options.c == 3 && ours.behind == 42);
    ((char *)theirs.unknown)[sizeof(theirs.unknown) - 1] = 1;
    memset(&ours.options, 0x5a, sizeof(ours.options));
    assert_int_equal(options_copy(&ours.options, sizeof(ours.options), &theirs), -E2BIG);
    assert_true(ours.options.a == 1 && ours.options.c == 3 && ours.behind == 42); /* what a failure has to release */
}

static void a_size_that_cannot_be_is_refused(void **state UNUSED)
{
    struct options ours, theirs = {.a = 1};
    for (theirs.size = 0; theirs.size < sizeof(theirs.size); theirs.size++) {
        memset(&ours, 0x5a, sizeof(ours));
        assert_int_equal(options_copy(&ours, sizeof(ours), &theirs), -EINVAL);
        assert_true(ours.size == sizeof(ours) && ours.a == 0 && ours.c == 0);
        assert_int_equal(return_sized(&theirs, &ours, sizeof(ours)), -EINVAL);
        assert_int_equal(theirs.a, 1);
    }
    theirs.size = SIZE_MAX; /* nothing behind it is looked at */
    assert_int_equal(options_copy(&ours, sizeof(ours), &theirs), -E2BIG);
}

static void no_options_are_defaults(void **state UNUSED)
{
    struct options ours = {.a = 1};
    assert_int_equal(options_copy(&ours, sizeof(ours), NULL), 0);
    assert_true(ours.size == sizeof(ours) && ours.a == 0 && ours.c == 0);
}

static void an_older_caller_gets_what_it_has_room_for(void **state UNUSED)
{
    struct options ours = {.size = sizeof(ours), .a = 1, .b = 2, .c = 3};
    struct options theirs = {.size = offsetof(struct options, c), .c = 99};
    return_sized(&theirs, &ours, sizeof(ours));
    assert_int_equal(theirs.size, offsetof(struct options, c));
    assert_true(theirs.a == 1 && theirs.b == 2 && theirs.c == 99);
    theirs.size = sizeof(theirs.size);
    return_sized(&theirs, &ours, sizeof(ours));
    assert_int_equal(theirs.size, sizeof(theirs.size));
}

static void a_newer_caller_keeps_its_size(void **state UNUSED)
{
    struct options ours = {.size = sizeof(ours), .a = 1, .b = 2, .c = 3};
    struct {
        struct options known;
        uint64_t unknown;
    } theirs = {.known = {.size = sizeof(theirs)}, .unknown = 42};
    return_sized(&theirs, &ours, sizeof(ours));
    assert_int_equal(theirs.known.size, sizeof(theirs));
    assert_true(theirs.known.a == 1 && theirs.known.c == 3 && theirs.unknown == 42);
}

static void errno_values_have_names(void **state UNUSED)
{
    static const int own[] = {E2BIG, EBADMSG, EBUSY, ECANCELED, EMLINK, ENOBUFS, EPROTO, ESTALE, ETIMEDOUT};
    for (size_t i = 0; i < COUNT(own); i++)
        if (strcmp(leat_errno_name(own[i]), "E?") == 0)
            fail_msg("%s has no name", strerror(own[i]));
    assert_string_equal(leat_errno_name(ENOSPC), "ENOSPC");
    assert_string_equal(leat_errno_name(-ENOSPC), "ENOSPC");
    assert_string_equal(leat_errno_name(-EOPNOTSUPP), "EOPNOTSUPP");
    assert_string_equal(leat_errno_name(0), "E?");
    assert_string_equal(leat_errno_name(99999), "E?");
}

static void error_texts_are_sentences(void **state UNUSED)
{
    char text[100], small[4];
    assert_string_equal(error_text(-ENOSPC, text, sizeof(text)), "No space left on device");
    assert_string_equal(error_text(ENOSPC, text, sizeof(text)), "No space left on device");
    error_text(-99999, text, sizeof(text)); /* some systems have a sentence even for that */
    assert_true(strcmp(text, "error 99999") == 0 || !strchr(text, '9'));
    assert_true(text[0] != '\0');
    assert_true(strlen(error_text(-ENOSPC, small, sizeof(small))) < sizeof(small));
}

static void the_version_is_the_build_s(void **state UNUSED)
{
    assert_string_equal(leat_version(), LEAT_VERSION);
    char macros[32];
    snprintf(macros, sizeof(macros), "%d.%d.%d", LEAT_VERSION_MAJOR, LEAT_VERSION_MINOR, LEAT_VERSION_PATCH);
    assert_string_equal(leat_version(), macros);
#if LEAT_VERSION_NUMBER < 100
    fail_msg("LEAT_VERSION_NUMBER is less than that of the first version");
#endif
}

static void texts_are_freed(void **state UNUSED)
{
    leat_free(NULL);
    char *text = malloc(100);
    assert_non_null(text);
    leat_free(text); /* LeakSanitizer and valgrind would tell */
}

/* 0.1.0 serves what was compiled with 0.1.0, and says why not of anything else. */
static void headers_of_another_version_are_refused(void **state UNUSED)
{
    assert_int_equal(LEAT_CHECK_VERSION(), 0);
    assert_int_equal(leat_version_check(LEAT_VERSION_NUMBER + 1), -ENOSYS);
    assert_int_equal(leat_version_check(LEAT_VERSION_NUMBER + 100), -ENOSYS);
    assert_int_equal(leat_version_check(LEAT_VERSION_NUMBER + 10000), -ENOSYS);
    assert_int_equal(leat_version_check(INT32_MAX), -ENOSYS);
    assert_int_equal(leat_version_check(LEAT_VERSION_NUMBER - 100), -EPROTO);
    assert_int_equal(leat_version_check(-1), -EINVAL);
    assert_int_equal(leat_version_check(INT32_MIN), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_freed),
        cmocka_unit_test(the_first_failure_counts),
        cmocka_unit_test(the_place_is_kept),
        cmocka_unit_test(a_place_belongs_to_the_failure_that_counts),
        cmocka_unit_test(a_long_name_is_shortened_in_the_middle),
        cmocka_unit_test(no_character_is_cut_in_two),
        cmocka_unit_test(only_what_is_missing_is_completed),
        cmocka_unit_test(advice_belongs_to_the_failure_that_counts),
        cmocka_unit_test(a_note_is_not_cut),
        cmocka_unit_test(nowhere_to_say_it_is_fine),
        cmocka_unit_test(a_long_sentence_is_cut),
        cmocka_unit_test(options_of_an_older_caller_are_zero_filled),
        cmocka_unit_test(options_of_a_newer_caller_may_ask_for_nothing_more),
        cmocka_unit_test(a_size_that_cannot_be_is_refused),
        cmocka_unit_test(no_options_are_defaults),
        cmocka_unit_test(an_older_caller_gets_what_it_has_room_for),
        cmocka_unit_test(a_newer_caller_keeps_its_size),
        cmocka_unit_test(errno_values_have_names),
        cmocka_unit_test(error_texts_are_sentences),
        cmocka_unit_test(the_version_is_the_build_s),
        cmocka_unit_test(headers_of_another_version_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
