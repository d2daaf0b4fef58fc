/* SPDX-License-Identifier: MIT */
/* The digests of a tree: gathered in any order, printed sorted by name, in a bounded memory. */
#ifndef CLI_TREES_LIST_H
#define CLI_TREES_LIST_H

struct tree_list;

/* `file`: where the list goes; NULL: standard output. Returns 0, or an exit code after a message. */
int tree_list_new(struct tree_list **ret, const char *file);
void tree_list_free(struct tree_list *list);

/* From now on names are those of files in the folder `source` and in its copy `target`, and are listed with the prefix:
 * "" or "FOLDER/". All are borrowed. */
void tree_list_folder(struct tree_list *list, const char *source, const char *target, const char *prefix);
/* Adds the digest of a file. A failure is said by tree_list_print. */
void tree_list_add(struct tree_list *list, const char *name, const char *hex);
/* Prints all of it in the form of sha256sum. Returns 0, or an exit code after a message. */
int tree_list_print(struct tree_list *list, const char *algorithm);

#endif
