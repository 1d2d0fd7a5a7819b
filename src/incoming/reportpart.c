#include "incoming/reportpart.h"

#include <stdlib.h>
#include <string.h>

#include "delivery/report.h"
#include "mail/qp.h"

#define TEMPLATE "incoming-report"
#define NAME     "smime-report"
#define BOUNDARY "=_julia_report" /* no line of quoted-printable text has "=_" in it */

static void put_leaf(struct buf *out, const struct config *config, const char *subtype, const char *type,
                     const char *text, const char *eol)
{
    struct qp_encoder encoder = {.eol = eol};

    buf_printf(out, "Content-Type: text/%s; charset=utf-8%s", subtype, eol);
    buf_printf(out, "Content-Transfer-Encoding: quoted-printable%s", eol);
    buf_printf(out, "Content-Disposition: inline; filename=\"" NAME ".%s\"%s", type, eol);
    buf_printf(out, "Content-Description: S/MIME report%sContent-Language: %s%s%s", eol, config->language,
               eol, eol);
    qp_encode_update(&encoder, text, strlen(text), out);
    qp_encode_final(&encoder, out);
}

/* The text in HTML, for want of a template. */
static char *preformatted(const char *text)
{
    struct buf html = {0};

    buf_add_text(&html, "<!DOCTYPE html>\n<html><body><pre style=\"white-space:pre-wrap\">\n");
    report_escape(&html, text);
    buf_add_text(&html, "</pre></body></html>\n");
    return buf_take(&html);
}

void reportpart_write(const struct finding *finding, const struct config *config, const char *eol,
                      struct buf *out)
{
    const char *const *values = (const char *const *)finding->values.items;
    const char *const *blocks = (const char *const *)finding->blocks.items;
    char *text = report_text(config->templates, config->language, TEMPLATE, values, blocks), *html;

    if (config->report == CONFIG_REPORT_TEXT) {
        put_leaf(out, config, "plain", "txt", text, eol);
        free(text);
        return;
    }
    html = report_html(config->templates, config->language, TEMPLATE, values, blocks);
    if (html == NULL)
        html = preformatted(text);
    buf_printf(out, "Content-Type: multipart/alternative; boundary=\"" BOUNDARY "\"%s", eol);
    buf_printf(out, "Content-Description: S/MIME report%s%s--" BOUNDARY "%s", eol, eol, eol);
    put_leaf(out, config, "plain", "txt", text, eol);
    buf_printf(out, "%s--" BOUNDARY "%s", eol, eol);
    put_leaf(out, config, "html", "html", html, eol);
    buf_printf(out, "%s--" BOUNDARY "--%s", eol, eol);
    free(html);
    free(text);
}
