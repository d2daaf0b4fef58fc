/* What all endpoints share: a node, a reference count, the name that was given. Every maker of endpoints begins with
 * these calls, in whichever room it is. */
#ifndef NODE_ENDPOINT_H
#define NODE_ENDPOINT_H

#include "node/node.h"

/* Fills the common part: one reference, kind, a copy of the spec. -ENOMEM. */
int endpoint_init(leat_endpoint *endpoint, const struct node_ops *ops, const char *spec, enum leat_direction direction,
                  void (*free)(leat_endpoint *));

/* Fills side, node and operation of an error in opening; returns code. "cannot open" is no operation: name the call. */
int endpoint_error(struct node *node, struct leat_error *error, int code, const char *operation, const char *hint);

#endif
