/* SPDX-License-Identifier: MIT */
/* The digests of a tree: gathered in any order, printed sorted by name. */
#ifndef CLI_TREES_LIST_H
#define CLI_TREES_LIST_H

struct tree_list;

/* NULL: there is no memory. */
struct tree_list *tree_list_new(void);
void tree_list_free(struct tree_list *list);

/* Adds the digest of the file PREFIX NAME. If memory runs out, tree_list_print says so. */
void tree_list_add(struct tree_list *list, const char *prefix, const char *name, const char *hex);
/* Prints all of it in the form of sha256sum. Returns 0, or an exit code after a message. */
int tree_list_print(struct tree_list *list, const char *algorithm);

#endif
