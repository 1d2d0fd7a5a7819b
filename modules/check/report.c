#include "modules/check/report.h"

#include <stdarg.h>
#include <stdio.h>

void report_good(struct report *report, const char *name)
{
    printf("ok %u - %s\n", ++report->checks, name);
}

void report_bad(struct report *report, const char *name, const char *format, ...)
{
    va_list ap;

    report->findings++;
    printf("not ok %u - %s\n#   ", ++report->checks, name);
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    putchar('\n');
}

void report_skip(struct report *report, const char *name, const char *why)
{
    report->skipped++;
    printf("ok %u - %s # SKIP %s\n", ++report->checks, name, why);
}

void report_end(const struct report *report, const char *module, const char *role)
{
    printf("1..%u\n", report->checks);
    printf("# %s, role %s: %u checks, %u skipped, %s", module, role, report->checks, report->skipped,
           report->findings == 0 ? "no findings\n" : "");
    if (report->findings > 0)
        printf("%u finding%s\n", report->findings, report->findings == 1 ? "" : "s");
}
