/* SPDX-License-Identifier: MIT */
/* What all endpoints share: a node, a reference count, and the name that was given. The code of every kind of endpoint,
 * in whichever room it is, begins with these calls. */
#ifndef NODE_ENDPOINT_H
#define NODE_ENDPOINT_H

#include "node/node.h"

/* Fills the part that all endpoints share: one reference, the hooks, a copy of the spec, no descriptor. Returns 0 or
 * -ENOMEM. */
int endpoint_init(leat_endpoint *endpoint, const struct node_ops *ops, const char *spec, enum leat_direction direction,
                  void (*free)(leat_endpoint *));

/* Fills the side, node and operation of *error, and a sentence from the code and `hint`, which may be NULL. `operation`
 * is the name of the call that failed, not "cannot open". Returns the code. */
int endpoint_error(struct node *node, struct leat_error *error, int code, const char *operation, const char *hint);

#endif
