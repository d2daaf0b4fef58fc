/* SPDX-License-Identifier: MIT */
/* Reads what a store answers about the object that a sink writes: whether it exists, and whether it has the bytes that
 * were sent. */
#include "base/text.h"
#include "store/sink.h"
#include <errno.h>
#include <stdio.h>

/* Removes the quotes of an ETag. */
static void strip(const char *etag, char ret[ETAG_MAX])
{
    size_t n = strlen(etag);
    bool quoted = n >= 2 && etag[0] == '"' && etag[n - 1] == '"';
    snprintf(ret, ETAG_MAX, "%.*s", (int)(quoted ? n - 2 : n), quoted ? etag + 1 : etag);
}

static bool is_md5(const char *text)
{
    return strspn(text, "0123456789abcdef") == 32 && (text[32] == '\0' || text[32] == '-');
}

/* Returns the checksum of the kind that was sent, if the answer has it. */
static const struct sent_digest *find_checksum(const struct crc_kind *kind, const struct answer *answer)
{
    char header[40];
    snprintf(header, sizeof(header), "x-amz-checksum-%s", kind ? kind->name : "sha256");
    return answer->digests.is_composite ? NULL : digests_find(&answer->digests, header);
}

static bool is_crc(const struct sent_digest *sent, const struct crc_kind *kind, uint64_t crc)
{
    uint8_t bytes[8];
    crc_bytes(kind, crc, bytes);
    return memcmp(sent->bytes, bytes, kind->bytes) == 0;
}

static bool is_sha256(const struct sent_digest *sent, const char *sha256)
{
    char hex[2 * DIGEST_BYTES_MAX + 1];
    text_hex(sent->bytes, sent->n, hex);
    return strcmp(hex, sha256) == 0;
}

bool sink_wants_md5(const struct part *part, const struct answer *answer)
{
    char etag[ETAG_MAX];
    strip(answer->etag, etag);
    return !find_checksum(part->crc_kind, answer) && !answer->digests.is_encrypted && is_md5(etag) && etag[32] == '\0';
}

/* A store that returns the checksum has compared it. */
const char *sink_check_part(struct part *part, const struct answer *answer)
{
    const struct sent_digest *sent = find_checksum(part->crc_kind, answer);
    if (sent && part->crc_kind)
        return is_crc(sent, part->crc_kind, part->crc) ? NULL
                                                       : "the store has other bytes than were sent, by their checksum";
    if (sent)
        return is_sha256(sent, part->sha256) ? NULL : "the store has other bytes than were sent, by their SHA-256";
    int r = sink_wants_md5(part, answer) ? part_md5(part) : 0;
    if (r < 0)
        return "the bytes that were sent can't be read again, to compare their MD5";
    char etag[ETAG_MAX];
    strip(answer->etag, etag);
    return r == 1 && strcmp(etag, part->md5) != 0 ? "the store has other bytes than were sent, by their MD5" : NULL;
}

bool sink_check_crc(struct sink *s, const struct answer *answer, uint64_t crc)
{
    const struct crc_kind *kind = s->object->crc_kind;
    const struct sent_digest *sent = kind ? find_checksum(kind, answer) : NULL;
    struct node_traffic *t = &s->traffic;
    if (kind && !sent)
        snprintf(t->unverified, sizeof(t->unverified), "the store says no x-amz-checksum-%s", kind->name);
    if (!sent || !is_crc(sent, kind, crc))
        return !sent;
    snprintf(t->verified, sizeof(t->verified), "%s (%s)", kind->name, sent->header);
    return true;
}

static int make_head(void *user, struct http_request *ret)
{
    const struct sink *s = user;
    return s->object->store->head(s->object, ret);
}

/* Without the permission to list, S3 answers 403 for an object that does not exist. */
void look_take(struct sink *s)
{
    const struct exchange *x = &s->control;
    if (exchange_has_succeeded(x)) {
        error_advise(&s->failure, LEAT_ADVICE_REPLACE);
        sink_fail(s, -EEXIST, "HEAD", "The object exists already");
    } else if (x->code < 0 || (x->answer.status != 404 && x->answer.status != 410 && x->answer.status != 403))
        sink_fail_by(s, x, "HEAD");
    sink_end(s, &s->control);
    s->control_step = CONTROL_NONE;
}

void look_start(struct sink *s)
{
    s->control_step = CONTROL_LOOKING;
    sink_start(s, &s->control, make_head, s);
}

void verify_ask(struct sink *s)
{
    sink_start(s, &s->control, make_head, s);
}

int verify_object(struct sink *s, const char *etag)
{
    char found[ETAG_MAX];
    const struct answer answer = s->control.answer;
    int code = s->control.code;
    bool succeeded = exchange_has_succeeded(&s->control);
    sink_end(s, &s->control);
    if (!succeeded)
        return code < 0 ? -EIO : answer.status == 404 ? -ENOENT : -EACCES;
    strip(answer.etag, found);
    bool same = sink_check_crc(s, &answer, s->expected_crc);
    if (!same || (answer.has_length && answer.length != s->total))
        return -EBADMSG;
    if (!etag[0] || !is_md5(found) || answer.digests.is_encrypted)
        return s->is_made ? 0 : -ENODATA;
    return strcmp(found, etag) == 0 ? 0 : -EBADMSG;
}
