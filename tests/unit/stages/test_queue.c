/* SPDX-License-Identifier: MIT */
/* The queue before a stage: its limits, in items and in bytes, control items, and its end. One thread. */
#include "stages/queue.h"
#include "unit/unit.h"

static char things[100];

static struct stage_item thing(unsigned number, size_t bytes)
{
    return (struct stage_item){&things[number], bytes};
}

static int push(struct item_queue *queue, unsigned number, size_t bytes)
{
    struct stage_item item = thing(number, bytes);
    size_t n = 7;
    int r = item_queue_push(queue, &item, 1, &n, -1, NULL);
    assert_int_equal(n, r == 0);
    return r;
}

static int pop(struct item_queue *queue, struct hand *hand, uint32_t wanted)
{
    hand->wanted = wanted;
    return item_queue_pop(queue, hand, -1, NULL);
}

static void an_item_keeps_its_place_until_it_is_released(void **state UNUSED)
{
    struct item_queue queue;
    struct hand hand = {.n = 0};
    assert_int_equal(item_queue_init(&queue, 3, 0, 1, 1), 0);
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(push(&queue, i, 0), 0);
        assert_int_equal(push(&queue, 3, 0), -EAGAIN);
        assert_int_equal(pop(&queue, &hand, 2), 0);
        assert_int_equal(hand.n, 2);
        assert_int_equal(hand.first, round * 3);
        assert_int_equal(push(&queue, 3, 0), -EAGAIN); /* two are in the hand */
        assert_int_equal(pop(&queue, &hand, 2), 0);
        assert_int_equal(hand.n, 1);
        assert_ptr_equal(hand.items[0].item, &things[2]);
        assert_int_equal(pop(&queue, &hand, 2), -EAGAIN);
        assert_int_equal(hand.n, 0);
    }
    assert_int_equal(queue.most, 3);
    item_queue_destroy(&queue);
}

static void bytes_are_limited_and_a_larger_item_passes_alone(void **state UNUSED)
{
    struct item_queue queue;
    struct hand hand = {.n = 0};
    assert_int_equal(item_queue_init(&queue, 10, 8, 1, 1), 0);
    assert_int_equal(push(&queue, 1, 5), 0);
    assert_int_equal(push(&queue, 2, 4), -EAGAIN);
    assert_int_equal(push(&queue, 2, 3), 0);
    assert_int_equal(push(&queue, 3, 1), -EAGAIN);
    assert_int_equal(push(&queue, 3, 0), 0);
    assert_int_equal(pop(&queue, &hand, 1), 0);
    assert_int_equal(push(&queue, 4, 1), -EAGAIN); /* bytes in the hand count */
    assert_int_equal(pop(&queue, &hand, 10), 0);
    assert_int_equal(hand.n, 2);
    assert_int_equal(push(&queue, 4, ITEM_CONTROL - 1), -EAGAIN);
    assert_int_equal(pop(&queue, &hand, 10), -EAGAIN);
    assert_int_equal(push(&queue, 4, ITEM_CONTROL - 1), 0);
    assert_int_equal(push(&queue, 5, 1), -EAGAIN);
    assert_int_equal(pop(&queue, &hand, 10), 0);
    item_queue_release(&queue, hand.n, hand.bytes);
    assert_int_equal(push(&queue, 5, 1), 0);
    item_queue_destroy(&queue);
}

static void nobody_is_left_without_a_share(void **state UNUSED)
{
    struct item_queue queue;
    struct hand hand[4] = {{.n = 0}};
    assert_int_equal(item_queue_init(&queue, 64, 0, 4, 1), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(push(&queue, i, 0), 0);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(pop(&queue, &hand[i], 64), 0);
        assert_int_equal(hand[i].n, 1);
    }
    item_queue_destroy(&queue);
}

static void a_control_item_is_alone(void **state UNUSED)
{
    struct item_queue queue;
    struct hand before = {.n = 0}, at = {.n = 0}, after = {.n = 0};
    assert_int_equal(item_queue_init(&queue, 8, 0, 1, 1), 0);
    push(&queue, 1, 0);
    push(&queue, 2, ITEM_CONTROL);
    push(&queue, 3, 0);
    assert_int_equal(pop(&queue, &before, 8), 0);
    assert_int_equal(before.n, 1);
    assert_int_equal(pop(&queue, &at, 8), -EAGAIN); /* what was before it is not through */
    item_queue_release(&queue, before.n, before.bytes);
    assert_int_equal(pop(&queue, &at, 8), 0);
    assert_true(at.control && at.n == 1);
    assert_int_equal(pop(&queue, &after, 8), -EAGAIN); /* nor is this */
    item_queue_release(&queue, at.n, at.bytes);
    assert_int_equal(pop(&queue, &after, 8), 0);
    assert_ptr_equal(after.items[0].item, &things[3]);
    item_queue_destroy(&queue);
}

static void an_end_a_close_and_a_cancel_are_told_apart(void **state UNUSED)
{
    struct item_queue queue;
    struct stage_item left;
    struct hand hand = {.n = 0};
    assert_int_equal(item_queue_init(&queue, 8, 0, 1, 2), 0);
    push(&queue, 1, 0);
    item_queue_end_producer(&queue);
    assert_int_equal(push(&queue, 2, 0), 0); /* there is another one */
    item_queue_end_producer(&queue);
    assert_int_equal(push(&queue, 3, 0), -EPIPE);
    assert_int_equal(pop(&queue, &hand, 8), 0);
    assert_int_equal(hand.n, 2);
    assert_int_equal(pop(&queue, &hand, 8), 1);

    item_queue_reset(&queue, 1);
    push(&queue, 1, 0);
    item_queue_close(&queue);
    assert_int_equal(push(&queue, 2, 0), -EPIPE);
    assert_int_equal(pop(&queue, &hand, 8), 1); /* with something in it that nobody wants */
    assert_true(item_queue_drop(&queue, &left));
    assert_false(item_queue_drop(&queue, &left));
    item_queue_cancel(&queue);
    assert_int_equal(push(&queue, 2, 0), -ECANCELED);
    assert_int_equal(pop(&queue, &hand, 8), -ECANCELED);
    item_queue_destroy(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_keeps_its_place_until_it_is_released),
        cmocka_unit_test(bytes_are_limited_and_a_larger_item_passes_alone),
        cmocka_unit_test(nobody_is_left_without_a_share),
        cmocka_unit_test(a_control_item_is_alone),
        cmocka_unit_test(an_end_a_close_and_a_cancel_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
