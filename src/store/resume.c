/* SPDX-License-Identifier: MIT */
/* Resumes an upload that an earlier run has left. A part counts as sent if three agree: the journal, which has its
 * SHA-256; the store, which lists it with the size and the ETag of the journal; and the bytes from the source, whose
 * SHA-256 is computed anyway. So the kind of source does not matter, nor whether it has changed: a part that differs is
 * sent. */
#include "store/sink.h"
#include "store/status.h"
#include <errno.h>
#include <stdio.h>

#define PAGE_MOST (4u * 1024 * 1024) /* of 1,000 parts */

static const struct multipart *kind_of(const struct sink *s)
{
    return s->object->store->multipart;
}

static int make_list(void *user, struct http_request *ret)
{
    const struct sink *s = user;
    return kind_of(s)->list(s->object, s->upload, s->listed_next, ret);
}

static void ask_for_page(struct sink *s)
{
    s->control_step = CONTROL_LISTING;
    s->control.page_most = PAGE_MOST;
    sink_start(s, &s->control, make_list, s);
}

/* Starts the upload from the beginning. Called only before the first part: after that, the journal's parts are read
 * while the transfer thread writes to the file. */
static void start_over(struct sink *s)
{
    s->upload[0] = '\0';
    s->listed_most = 0;
    journal_forget(&s->journal);
}

void resume_start(struct sink *s)
{
    s->is_resumed = true;
    if (!s->resume)
        return;
    char *url CLEANUP_FREE = kind_of(s)->url(s->object);
    struct leat_error error = {.size = sizeof(error)};
    int r = url ? journal_open(&s->journal, s->resume, url, &error) : -ENOMEM;
    if (r < 0) {
        sink_fail(s, r, "journal", url ? error.text : "out of memory");
        return;
    }
    if (!s->journal.upload || strlen(s->journal.upload) >= UPLOAD_MAX) {
        start_over(s);
        return;
    }
    const char *why;
    r = kind_of(s)->need(&why);
    if (r < 0) {
        sink_fail(s, r, "ListParts", why);
        return;
    }
    strcpy(s->upload, s->journal.upload);
    s->listed_next = 0;
    ask_for_page(s);
}

static void is_there(void *user, unsigned number, uint64_t size, const char *etag, bool has_sum)
{
    struct sink *s = user;
    struct journal_part *part = journal_part(&s->journal, number);
    s->listed_most = MAX(s->listed_most, number);
    if (part && part->size == size && strcmp(part->etag, etag) == 0) {
        part->is_there = true;
        part->has_sum = has_sum;
    }
}

void resume_take(struct sink *s)
{
    const struct exchange *x = &s->control;
    unsigned next = 0;
    s->control_step = CONTROL_NONE;
    if (x->code == 0 && x->answer.status == 404) /* the upload was aborted or completed in the meantime */
        start_over(s);
    else if (!exchange_has_succeeded(x))
        sink_fail_by(s, x, "ListParts");
    else if (kind_of(s)->listed(x->page ? x->page : "", x->page_length, is_there, s, &next) < 0 ||
             (next && next <= s->listed_next))
        sink_fail(s, -EBADMSG, "ListParts", "the server's list of parts makes no sense");
    sink_end(s, &s->control);
    free(s->control.page);
    s->control.page = NULL;
    s->control.page_most = s->control.page_length = 0;
    s->listed_next = next;
    if (next && !s->failure.code)
        ask_for_page(s);
}

bool resume_has(struct sink *s, const struct part *part)
{
    const struct journal_part *known = s->journal.fd < 0 ? NULL : journal_part(&s->journal, part->number);
    if (!known || !known->is_there || known->size != part->length || strcmp(known->sha256, part->sha256) != 0)
        return false;
    if (multipart_note(s, part, known->etag, known->has_sum) < 0)
        return false;
    s->traffic.parts_kept++;
    s->traffic.bytes_kept += part->length;
    return true;
}

void resume_check(struct sink *s)
{
    if (s->listed_most > s->numbers)
        sink_fail(s, -ESTALE, "PUT",
                  "the store has more parts from the run before than came now; they are given up, and the next run "
                  "begins anew");
}

void resume_note_upload(struct sink *s)
{
    if (s->journal.fd >= 0)
        atomic_store(&s->journal_code, journal_begin(&s->journal, s->upload));
}

void resume_note_part(struct exchange *x)
{
    struct part_slot *slot = x->user;
    struct sink *s = slot->sink;
    struct part *part = &slot->part;
    if (!exchange_has_succeeded(x) || sink_check_part(part, &x->answer) || !x->answer.etag[0])
        return;
    int r = journal_add(&s->journal, part->number, part->length, part->sha256, x->answer.etag), none = 0;
    if (r < 0)
        atomic_compare_exchange_strong(&s->journal_code, &none, r);
}

void resume_tell(struct sink *s)
{
    char buffer[128];
    int r = atomic_load(&s->journal_code);
    if (r < 0)
        sink_fail(s, r, "journal", error_text(r, buffer, sizeof(buffer)));
}

bool resume_keeps(const struct sink *s, int code)
{
    return s->journal.fd >= 0 && s->upload[0] && atomic_load(&s->journal_code) == 0 && code != -EBADMSG &&
           code != -ESTALE && code != -EEXIST;
}

void resume_end(struct sink *s, bool remove)
{
    journal_close(&s->journal, remove);
}
