/* SPDX-License-Identifier: MIT */
/* leat bench --plot: a picture in SVG, for each row a bar for each contender. The colours follow the viewer's choice of
 * light or dark. */
#include "bench/bench.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 800,
    MARGIN = 16,
    LINE = 20,       /* from one bar to the next */
    BAR_LEFT = 260,  /* names stand to the left of it */
    BAR_WIDTH = 380, /* of the best contender */
    TITLE_LETTERS = 110,
    REASON_LETTERS = 75,
};

static struct plot {
    const char *file;
    FILE *to;
    FILE *body; /* what stands between the head and the end; in memory, since the head has the height */
    char *text;
    size_t size;
    int height; /* so far */
} plot;

static const char style[] = "<style>\n"
                            "svg { background: #ffffff; font: 13px sans-serif; }\n"
                            "text { fill: #222222; } .title { font-weight: bold; } .faint { fill: #6a6a6a; }\n"
                            ".bar { fill: #9db8d9; } .auto { fill: #1f5fa8; }\n"
                            "@media (prefers-color-scheme: dark) {\n"
                            "svg { background: #16181c; } text { fill: #e6e6e6; } .faint { fill: #9a9a9a; }\n"
                            ".bar { fill: #40618a; } .auto { fill: #7db4f5; }\n"
                            "}\n"
                            "</style>\n";

int plot_open(const char *file)
{
    plot.file = file;
    plot.to = fopen(file, "we");
    plot.body = plot.to ? open_memstream(&plot.text, &plot.size) : NULL;
    plot.height = MARGIN;
    if (plot.body)
        return 0;
    cli_warn("bench: --plot: %s: %s", cli_name(file), strerror(errno));
    if (plot.to)
        fclose(plot.to);
    plot.to = NULL;
    return EXIT_FAILED;
}

/* Writes at most so many bytes of a text; names in it were quoted, so every byte is a printable character or a part of
 * one, and no character is cut. */
static void put_text(const char *text, size_t most)
{
    size_t n = strlen(text);
    bool cut = n > most;
    if (cut)
        for (n = most; n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80;)
            n--;
    for (size_t i = 0; i < n; i++)
        if (text[i] == '&' || text[i] == '<' || text[i] == '>')
            fprintf(plot.body, "&#%d;", text[i]);
        else
            fputc(text[i], plot.body);
    if (cut)
        fputs("...", plot.body);
}

static void put_line(int x, const char *class, const char *anchor)
{
    fprintf(plot.body, "<text x=\"%d\" y=\"%d\" class=\"%s\" text-anchor=\"%s\">", x, plot.height + LINE - 6, class,
            anchor);
}

static void put_contender(const struct row *row, const struct contender *c)
{
    char block[LEAT_SIZE_TEXT_MAX] = "", figure[64];
    put_line(BAR_LEFT - 8, "name", "end");
    fprintf(plot.body, "%s %s %s</text>\n", c->route, c->engine, c->block ? size_text(c->block, block) : "");
    if (c->reason[0]) {
        put_line(BAR_LEFT, "faint", "start");
        put_text(c->reason, REASON_LETTERS);
    } else {
        int width = (int)(c->of_best * BAR_WIDTH + 0.5);
        fprintf(plot.body, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"%s\"/>\n", BAR_LEFT,
                plot.height + 3, width ? width : 1, LINE - 6, c->is_auto ? "auto" : "bar");
        snprintf(figure, sizeof(figure), row->latencies ? "%.2f us" : "%.2f GB/s",
                 row->latencies ? c->latency[P50] : c->speed.median);
        put_line(BAR_LEFT + width + 8, "figure", "start");
        fprintf(plot.body, "%s%s", figure, c->is_auto ? ", auto" : "");
    }
    fputs("</text>\n", plot.body);
    plot.height += LINE;
}

void plot_row(const struct row *row, const struct contender *const order[], size_t count)
{
    if (!plot.body || count == 0)
        return;
    put_line(MARGIN, "title", "start");
    put_text(row->name, TITLE_LETTERS);
    fputs("</text>\n", plot.body);
    plot.height += LINE;
    put_line(MARGIN, "faint", "start");
    put_text(row->title, TITLE_LETTERS);
    fprintf(plot.body, "; %u round%s%s</text>\n", row->rounds, row->rounds == 1 ? "" : "s",
            row->noisy ? "; too noisy to tell" : "");
    plot.height += LINE;
    for (size_t i = 0; i < count; i++)
        put_contender(row, order[i]);
    plot.height += LINE;
}

int plot_close(int code)
{
    if (!plot.to)
        return code;
    bool bad = ferror(plot.body);
    bad |= fclose(plot.body) != 0;
    fprintf(plot.to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n"
            "<title>leat bench</title>\n%s",
            WIDTH, plot.height, WIDTH, plot.height, style);
    if (!bad)
        fwrite(plot.text, 1, plot.size, plot.to);
    fputs("</svg>\n", plot.to);
    bad |= ferror(plot.to) != 0;
    bad |= fclose(plot.to) != 0;
    free(plot.text);
    plot.to = plot.body = NULL;
    if (!bad)
        return code;
    cli_warn("bench: --plot: %s: %s", cli_name(plot.file), strerror(errno));
    return code ? code : EXIT_FAILED;
}
