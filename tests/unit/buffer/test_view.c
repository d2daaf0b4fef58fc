/* SPDX-License-Identifier: MIT */
/* Views of one piece and of several: parts, copies, order, searches; they last as long as they are held. */
#include "unit/unit.h"
#include <leat/stream.h>

#define LONG 3000 /* more than LEAT_VIEW_SMALL */

static char text[LONG];

static int make_text(void **state UNUSED)
{
    for (size_t i = 0; i < LONG; i++)
        text[i] = (char)('a' + i * i % 23);
    return 0;
}

/* All of it, in chunks of this size; the stream is gone. */
static struct leat_view view_of(size_t chunk)
{
    struct leat_pool_options options = {.size = sizeof(options), .chunk_min = chunk, .chunk_max = chunk};
    struct leat_view view;
    leat_stream *stream;
    leat_pool *pool;
    assert_int_equal(leat_pool_new(&pool, &options, NULL), 0);
    assert_int_equal(leat_stream_new(&stream, pool, NULL, NULL), 0);
    assert_int_equal(leat_stream_append(stream, text, LONG), 0);
    assert_int_equal(leat_stream_take(stream, LONG, &view), 0);
    leat_stream_free(stream);
    leat_pool_free(pool);
    return view;
}

static void pieces_are_all_there_in_order(void **state UNUSED)
{
    for (size_t chunk = 1; chunk <= 4096; chunk *= 2) {
        static struct iovec pieces[LONG];
        struct leat_view view = view_of(chunk);
        size_t n, at = 0;
        assert_int_equal(leat_view_iov(&view, pieces, LONG, &n), 0);
        assert_int_equal(n, (LONG + chunk - 1) / chunk);
        assert_true((view.data != NULL) == (n == 1));
        for (size_t i = 0; i < n; at += pieces[i++].iov_len)
            assert_memory_equal(pieces[i].iov_base, text + at, pieces[i].iov_len);
        assert_int_equal(at, LONG);
        if (n > 1) { /* it says how many there are, though there was no room */
            pieces[1].iov_len = 77;
            assert_int_equal(leat_view_iov(&view, pieces, 1, &n), 0);
            assert_int_equal(n, (LONG + chunk - 1) / chunk);
            assert_int_equal(pieces[1].iov_len, 77);
        }
        assert_int_equal(leat_view_join(&view), 0);
        assert_memory_equal(view.data, text, LONG);
        leat_view_release(&view);
        assert_true(view.data == NULL && view.length == 0 && view.owner == NULL);
        leat_view_release(&view);
    }
}

static void parts_outlive_the_whole(void **state UNUSED)
{
    static const size_t cuts[][2] = {{0, 0},  {0, 1},     {0, LONG},  {LONG, 0},   {1, LONG - 1},
                                     {99, 2}, {100, 100}, {50, 1100}, {999, 1025}, {LONG - 1, 1}};
    for (size_t i = 0; i < COUNT(cuts); i++)
        for (size_t chunk = 1; chunk <= 4096; chunk *= 8) {
            struct leat_view view = view_of(chunk), part, again;
            char copy[LONG];
            assert_int_equal(leat_view_slice(&view, cuts[i][0], cuts[i][1], &part), 0);
            leat_view_release(&view);
            assert_int_equal(leat_view_ref(&part, &again), 0);
            leat_view_release(&part);
            assert_int_equal(again.length, cuts[i][1]);
            assert_int_equal(leat_view_copy(&again, 0, copy, LONG), cuts[i][1]);
            assert_memory_equal(copy, text + cuts[i][0], cuts[i][1]);
            if (cuts[i][1] <= LEAT_VIEW_SMALL)
                assert_non_null(again.data);
            leat_view_release(&again);
        }
}

static void what_is_not_there_is_no_part(void **state UNUSED)
{
    struct leat_view view = view_of(64), part;
    assert_int_equal(leat_view_slice(&view, LONG + 1, 0, &part), -ERANGE);
    assert_int_equal(leat_view_slice(&view, LONG, 1, &part), -ERANGE);
    assert_int_equal(leat_view_slice(&view, 1, SIZE_MAX, &part), -ERANGE);
    assert_int_equal(leat_view_copy(&view, LONG, &part, 1), 0);
    leat_view_release(&view);
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void order_does_not_depend_on_pieces(void **state UNUSED)
{
    for (size_t chunk = 1; chunk <= 4096; chunk *= 8)
        for (size_t other = 2; other <= 4096; other *= 8) {
            struct leat_view a = view_of(chunk), b = view_of(other), part;
            char changed[LONG];
            assert_int_equal(leat_view_compare(&a, &b), 0);
            assert_int_equal(leat_view_slice(&a, 0, LONG - 1, &part), 0);
            assert_int_equal(sign(leat_view_compare(&part, &b)), -1);
            assert_int_equal(sign(leat_view_compare(&b, &part)), 1);
            leat_view_release(&part);
            memcpy(changed, text, LONG);
            changed[2000]++;
            assert_int_equal(sign(leat_view_compare_bytes(&a, changed, LONG)), -1);
            changed[1000]--;
            assert_int_equal(sign(leat_view_compare_bytes(&a, changed, LONG)), 1);
            leat_view_release(&a);
            leat_view_release(&b);
        }
    struct leat_view none = {NULL, 0, NULL};
    assert_int_equal(leat_view_compare(&none, &none), 0);
}

static void find_looks_across_pieces(void **state UNUSED)
{
    size_t at = 0;
    for (size_t chunk = 1; chunk <= 4096; chunk *= 4) {
        struct leat_view view = view_of(chunk);
        text[1500] = '!'; /* the views have copies */
        assert_int_equal(leat_view_find(&view, "!", 1, 0, &at), -ENODATA);
        leat_view_release(&view);
        view = view_of(chunk);
        assert_int_equal(leat_view_find(&view, text + 1490, 20, 0, &at), 0);
        assert_int_equal(at, 1490);
        assert_int_equal(leat_view_find(&view, text + 1490, 20, 1491, &at), -ENODATA);
        assert_int_equal(leat_view_find(&view, text + LONG - 5, 5, LONG - 5, &at), 0);
        assert_int_equal(leat_view_find(&view, "a", 1, LONG, &at), -ENODATA);
        assert_int_equal(leat_view_find(&view, "", 0, 0, &at), -EINVAL);
        leat_view_release(&view);
        make_text(NULL);
    }
}

static void a_borrowed_view_is_not_kept(void **state UNUSED)
{
    leat_stream *stream;
    struct leat_view line, other;
    assert_int_equal(leat_stream_new(&stream, NULL, NULL, NULL), 0);
    assert_int_equal(leat_stream_append(stream, "one\ntwo\n", 8), 0);
    assert_int_equal(leat_stream_take_line(stream, LEAT_STREAM_BORROW, &line), 0);
    assert_null(line.owner);
    assert_memory_equal(line.data, "one", 3);
    assert_int_equal(leat_view_ref(&line, &other), -EINVAL);
    assert_int_equal(leat_view_slice(&line, 0, 1, &other), -EINVAL);
    assert_int_equal(leat_stream_append_view(stream, &line), -EINVAL);
    leat_view_release(&line);
    leat_stream_free(stream);
}

/* From one stream to another, without a copy. */
static void a_view_goes_on_in_another_stream(void **state UNUSED)
{
    leat_stream *to;
    struct leat_view view = view_of(128), back;
    struct leat_stream_usage stats = LEAT_INIT(struct leat_stream_usage);
    assert_int_equal(leat_stream_new(&to, NULL, NULL, NULL), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(leat_stream_append_view(to, &view), 0);
    struct iovec first, second;
    size_t n;
    leat_view_iov(&view, &first, 1, &n);
    assert_int_equal(leat_stream_take(to, LONG, &back), 0);
    leat_view_iov(&back, &second, 1, &n);
    assert_ptr_equal(first.iov_base, second.iov_base);
    assert_int_equal(leat_view_compare(&view, &back), 0);
    leat_view_release(&view);
    leat_view_release(&back);
    assert_int_equal(leat_stream_take(to, LONG, &back), 0);
    assert_int_equal(leat_view_compare_bytes(&back, text, LONG), 0);
    leat_stream_stats(to, &stats);
    assert_int_equal(stats.bytes_copied, 0);
    leat_stream_free(to);
    leat_view_release(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_all_there_in_order),    cmocka_unit_test(parts_outlive_the_whole),
        cmocka_unit_test(what_is_not_there_is_no_part),     cmocka_unit_test(order_does_not_depend_on_pieces),
        cmocka_unit_test(find_looks_across_pieces),         cmocka_unit_test(a_borrowed_view_is_not_kept),
        cmocka_unit_test(a_view_goes_on_in_another_stream),
    };
    return cmocka_run_group_tests(tests, make_text, NULL);
}
