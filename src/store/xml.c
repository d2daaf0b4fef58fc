/* SPDX-License-Identifier: MIT */
#include "store/xml.h"
#include "base/base.h"
#include "base/library.h"
#include "base/loader.h"
#include <expat.h>
#include <limits.h>

static struct {
    XML_Parser (*create)(const XML_Char *encoding);
    void (*release)(XML_Parser);
    void (*set_user)(XML_Parser, void *);
    void (*set_elements)(XML_Parser, XML_StartElementHandler, XML_EndElementHandler);
    void (*set_text)(XML_Parser, XML_CharacterDataHandler);
    void (*set_doctype)(XML_Parser, XML_StartDoctypeDeclHandler);
    enum XML_Status (*parse)(XML_Parser, const char *, int, int);
    enum XML_Status (*stop)(XML_Parser, XML_Bool);
} expat;

int xml_need(const char **ret_why)
{
    static const char *const names[] = {"libexpat.so.1", "libexpat.so", NULL};
    static const struct loader_symbol symbols[] = {
        {"XML_ParserCreate", &expat.create},
        {"XML_ParserFree", &expat.release},
        {"XML_SetUserData", &expat.set_user},
        {"XML_SetElementHandler", &expat.set_elements},
        {"XML_SetCharacterDataHandler", &expat.set_text},
        {"XML_SetStartDoctypeDeclHandler", &expat.set_doctype},
        {"XML_Parse", &expat.parse},
        {"XML_StopParser", &expat.stop},
    };
    static struct loader loader = {
        .names = names,
        .symbols = symbols,
        .count = COUNT(symbols),
        .missing = "libexpat.so.1 is not there (package libexpat1, expat or the like)",
        .other = "libexpat lacks a function",
        .poor = "libexpat can't be loaded, for want of memory or descriptors",
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
    return loader_need(&loader, ret_why);
}

struct xml_reader {
    XML_Parser parser;
    const struct xml_ops *ops;
    void *user;
    char path[XML_PATH_MAX];
    char text[XML_TEXT_MAX];
    size_t path_length, text_length;
    int code;
};

static void stop(struct xml_reader *r, int code)
{
    r->code = code;
    expat.stop(r->parser, XML_FALSE);
}

/* A stopped parser still reports the end of an empty element, so each handler checks the code first. */
static void begins(void *user, const XML_Char *name, const XML_Char **attributes UNUSED)
{
    struct xml_reader *r = user;
    if (r->code)
        return;
    size_t n = strlen(name), slash = r->path_length > 0;
    if (n + slash >= XML_PATH_MAX - r->path_length) {
        stop(r, -EBADMSG);
        return;
    }
    if (slash)
        r->path[r->path_length++] = '/';
    memcpy(r->path + r->path_length, name, n + 1);
    r->path_length += n;
    r->text_length = 0;
}

static void ends(void *user, const XML_Char *name)
{
    struct xml_reader *r = user;
    if (r->code)
        return;
    r->text[r->text_length] = '\0';
    r->ops->element(r->user, r->path, r->text);
    r->text_length = 0;
    size_t n = strlen(name);
    r->path_length -= n + (r->path_length > n);
    r->path[r->path_length] = '\0';
}

static void text_came(void *user, const XML_Char *bytes, int n)
{
    struct xml_reader *r = user;
    if (r->code)
        return;
    if ((size_t)n >= XML_TEXT_MAX - r->text_length) {
        stop(r, -E2BIG);
        return;
    }
    memcpy(r->text + r->text_length, bytes, (size_t)n);
    r->text_length += (size_t)n;
}

static void doctype_came(void *user, const XML_Char *name UNUSED, const XML_Char *system UNUSED,
                         const XML_Char *public UNUSED, int internal UNUSED)
{
    stop(user, -EBADMSG);
}

int xml_read(const char *bytes, size_t n, const struct xml_ops *ops, void *user)
{
    const char *why;
    int needed = xml_need(&why);
    if (needed < 0)
        return needed;
    if (n > INT_MAX)
        return -E2BIG;
    struct xml_reader r = {.ops = ops, .user = user, .parser = expat.create(NULL)};
    if (!r.parser)
        return -ENOMEM;
    expat.set_user(r.parser, &r);
    expat.set_elements(r.parser, begins, ends);
    expat.set_text(r.parser, text_came);
    expat.set_doctype(r.parser, doctype_came);
    if (expat.parse(r.parser, bytes, (int)n, 1) != XML_STATUS_OK && r.code == 0)
        r.code = -EBADMSG;
    expat.release(r.parser);
    return r.code;
}

static const char *xml_version(void)
{
    return TEXT(XML_MAJOR_VERSION) "." TEXT(XML_MINOR_VERSION) "." TEXT(XML_MICRO_VERSION);
}

const struct library library_expat = {"libexpat", "Answers of S3 servers", xml_version, true};
