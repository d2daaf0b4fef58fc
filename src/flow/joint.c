/* SPDX-License-Identifier: MIT */
#include "flow/joint.h"
#include <errno.h>

/* ---- the sink ---- */

static ssize_t not_now(struct node *node)
{
    node->port.blocked = true;
    return -EAGAIN;
}

/* After -EAGAIN the route makes the write again with the same bytes, which stay where they are until the write takes
 * them. */
static ssize_t offer(void *user, void *bytes, size_t n)
{
    struct joint *joint = user;
    switch (atomic_load(&joint->state)) {
    case JOINT_EMPTY:
        joint->offer = bytes;
        joint->offered = n;
        joint->used = 0;
        atomic_store(&joint->state, JOINT_OFFERED);
        port_notify(&joint->out->port);
        return not_now(joint->into);
    case JOINT_USED:
        atomic_store(&joint->state, JOINT_EMPTY);
        return (ssize_t)joint->used;
    default:
        return not_now(joint->into);
    }
}

static int complete(struct node *node, uint64_t delivered UNUSED, struct leat_error *error UNUSED)
{
    struct joint *joint = (struct joint *)((char *)node - offsetof(struct joint, end[LEAT_WRITE]));
    atomic_store(&joint->complete, true);
    port_notify(&joint->out->port);
    return 0;
}

/* ---- the source ---- */

/* Returns the code that the read gives. -EAGAIN of a filter becomes -EIO, because after -EAGAIN the hop would wait for
 * the port, and no side would notify it any more. */
static int failure(const struct joint *joint)
{
    return joint->error.code == -EAGAIN ? -EIO : joint->error.code;
}

static int fail(struct joint *joint, int code, const char *what)
{
    char buffer[128];
    const char *name = joint->filter->ops->name;
    error_at(&joint->error, code, LEAT_SIDE_FILTER, name, "transform", "%s",
             what ? what : error_text(code, buffer, sizeof(buffer)));
    joint->error.side = LEAT_SIDE_FILTER;
    joint->error.index = (uint32_t)joint->index;
    error_complete(&joint->error, name, "transform");
    joint->error.offset = atomic_load(&joint->filter->bytes);
    return failure(joint);
}

/* Returns a sentence that says how the answer of the filter breaks its contract, or NULL if it does not. */
static const char *broken_word(int answer, const struct filter_buffers *b, bool moved)
{
    if (answer == LEAT_FILTER_DONE)
        return b->in_n ? "It says that it is done, and has not taken all" : NULL;
    if (answer == LEAT_FILTER_FULL)
        return moved ? NULL : "It says that the output is full, which has room";
    return answer == LEAT_FILTER_ENDED ? NULL : "It gives an answer that there is not";
}

/* Calls the filter until the output is full, the input is used up, or the filter has ended. */
static int drive(struct joint *joint, struct filter_buffers *b, int mode)
{
    int answer;
    do {
        size_t in_n = b->in_n, out_n = b->out_n;
        answer = joint->filter->ops->transform(joint->filter, b, mode, &joint->error);
        filter_count(joint->filter, in_n - b->in_n);
        if (answer < 0)
            return fail(joint, answer, NULL);
        const char *broken = broken_word(answer, b, in_n != b->in_n || out_n != b->out_n);
        if (broken)
            return fail(joint, -EPROTO, broken);
    } while (answer == LEAT_FILTER_FULL && b->out_n);
    return answer;
}

/* Records how much of the offer the filter has used, of which `left` bytes are left. The sink takes the used bytes once
 * the offer is used up, or the filter has ended after it used some of them. If the filter ended without using any byte
 * of the offer, there is nothing to take. */
static void use(struct joint *joint, size_t left, int answer)
{
    joint->used = joint->offered - left;
    if (left && (answer != LEAT_FILTER_ENDED || !joint->used))
        return;
    atomic_store(&joint->state, JOINT_USED);
    port_notify(&joint->into->port);
}

static ssize_t take(void *user, void *bytes, size_t n)
{
    struct joint *joint = user;
    bool complete = atomic_load(&joint->complete); /* before the state: no offer follows it */
    bool offered = atomic_load(&joint->state) == JOINT_OFFERED;
    struct filter_buffers b = {.in = (const uint8_t *)"", .out = bytes, .out_n = n};
    if (joint->error.code)
        return failure(joint);
    if (joint->over)
        return 0;
    if (!offered && !complete)
        return not_now(joint->out);
    if (offered) {
        b.in = joint->offer + joint->used;
        b.in_n = joint->offered - joint->used;
    }
    int answer = drive(joint, &b, offered ? LEAT_FILTER_MORE : LEAT_FILTER_FINISH);
    if (answer < 0)
        return answer;
    joint->over = answer == LEAT_FILTER_ENDED || (answer == LEAT_FILTER_DONE && !offered);
    if (offered)
        use(joint, b.in_n, answer);
    size_t given = n - b.out_n;
    return given || joint->over ? (ssize_t)given : not_now(joint->out);
}

/* ---- both ---- */

static int open_end(struct node *node, const struct node *source UNUSED, struct leat_error *error UNUSED)
{
    node_set_fd(node, -1, -1, NODE_WAIT_OWN);
    return 0;
}

static const struct node_ops into_ops = {.name = "joint", .open = open_end, .finish = complete};
static const struct node_ops out_ops = {.name = "joint", .open = open_end};

bool joint_hands_back(struct joint *joint)
{
    if (atomic_load(&joint->state) == JOINT_OFFERED && joint->used)
        atomic_store(&joint->state, JOINT_USED);
    bool used = atomic_load(&joint->state) == JOINT_USED;
    if (used)
        joint->into->port.blocked = false;
    return used;
}

void joint_make(struct joint *joint, leat_filter *filter, size_t index)
{
    const char *name = filter->ops->name;
    *joint = (struct joint){.filter = filter, .index = index, .error.size = sizeof(joint->error)};
    if (filter->ops->caps & FILTER_JOINS) {
        filter->ops->join(filter, &joint->into, &joint->out);
        return;
    }
    joint->end[LEAT_READ] = node_of_calls(&out_ops, name, LEAT_READ, joint);
    joint->end[LEAT_READ].call = take;
    joint->end[LEAT_WRITE] = node_of_calls(&into_ops, name, LEAT_WRITE, joint);
    joint->end[LEAT_WRITE].call = offer;
    joint->into = &joint->end[LEAT_WRITE];
    joint->out = &joint->end[LEAT_READ];
}
