/* SPDX-License-Identifier: MIT */
/* Reads the XML documents of stores with expat. */
#ifndef STORE_XML_H
#define STORE_XML_H

#include <stddef.h>

struct xml_ops {
    /* Called at the end of an element. `path` has the names of the enclosing elements and its own: "Error/Code". `text`
     * is its own text, at most XML_TEXT_MAX - 1 bytes. */
    void (*element)(void *user, const char *path, const char *text);
};

#define XML_PATH_MAX 256
#define XML_TEXT_MAX 4096 /* a key has up to 1024 bytes, each encoded as up to three */

/* Loads expat. A request whose answer has to be understood is sent only afterwards. Returns 0, -ELIBACC, or a lack of
 * memory or descriptors; then *ret_why is a sentence. */
int xml_need(const char **ret_why);

/* Reads a document of n bytes. Elements before a failure have been reported. Returns 0; -EBADMSG if it is not XML, is
 * cut, is nested too deeply or has a document type, which could define entities without end; -E2BIG if a text is too
 * long; -ENOMEM; or -ELIBACC without expat. */
int xml_read(const char *bytes, size_t n, const struct xml_ops *ops, void *user);

#endif
