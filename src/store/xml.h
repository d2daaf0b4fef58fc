/* Reading the XML of stores, by expat, which is loaded by the first document. */
#ifndef STORE_XML_H
#define STORE_XML_H

#include <stddef.h>

struct xml_ops {
    /* An element ended. `path`: its name behind those around it, "Error/Code". `text`: its own text, of at most
     * XML_TEXT_MAX - 1 bytes. */
    void (*element)(void *user, const char *path, const char *text);
};

#define XML_PATH_MAX 256
#define XML_TEXT_MAX 4096 /* a key has up to 1,024 bytes, each of which may be encoded as three */

/* Reads the document. What was read before a failure has been reported. -EBADMSG: it is no XML, is cut, has a document
 * type (which could define entities without end), or is nested too deeply; -E2BIG: a text is too long; -ENOMEM;
 * -ELIBACC: expat is not there. */
int xml_read(const char *bytes, size_t n, const struct xml_ops *ops, void *user);

#endif
