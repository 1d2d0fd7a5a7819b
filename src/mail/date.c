#include "mail/date.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "util/strlist.h"

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

/* The value without comments, as words; a comma stands between two. */
static void split_words(const char *value, struct strlist *words)
{
    struct buf text = {0};
    unsigned int depth = 0;

    for (; *value != '\0'; value++) {
        bool outside = depth == 0 && *value != '(';

        if (*value == '(')
            depth++;
        else if (*value == ')' && depth > 0)
            depth--;
        buf_add_char(&text, !outside || *value == ',' || isspace((unsigned char)*value) ? ' ' : *value);
    }
    strlist_split(words, buf_text(&text));
    buf_free(&text);
}

/* A number of `least` to `most` digits at *p, which is moved behind it; -1: there is none. */
static int take_number(const char **p, unsigned int least, unsigned int most)
{
    unsigned int digits = 0;
    int number = 0;

    for (; digits < most && isdigit((unsigned char)**p); digits++)
        number = number * 10 + *(*p)++ - '0';
    return digits < least || isdigit((unsigned char)**p) ? -1 : number;
}

static int whole_number(const char *word, unsigned int least, unsigned int most)
{
    int number = take_number(&word, least, most);

    return *word == '\0' ? number : -1;
}

/* "15:12" or "15:12:02". */
static bool read_time(const char *word, struct tm *tm)
{
    tm->tm_hour = take_number(&word, 2, 2);
    if (*word++ != ':')
        return false;
    tm->tm_min = take_number(&word, 2, 2);
    tm->tm_sec = *word == ':' ? (word++, take_number(&word, 2, 2)) : 0;
    return *word == '\0' && tm->tm_hour >= 0 && tm->tm_hour < 24 && tm->tm_min >= 0 && tm->tm_min < 60 &&
           tm->tm_sec >= 0 && tm->tm_sec <= 60;
}

/* Years of two or three digits are those of RFC 5322 4.3. */
static bool read_day(const char *day, const char *month, const char *year, struct tm *tm)
{
    int number = whole_number(year, 2, 4);

    tm->tm_mday = whole_number(day, 1, 2);
    for (tm->tm_mon = 0; tm->tm_mon < 12 && strcasecmp(months[tm->tm_mon], month) != 0;)
        tm->tm_mon++;
    if (strlen(year) == 2 && number < 50)
        number += 2000;
    else if (strlen(year) < 4)
        number += 1900;
    tm->tm_year = number - 1900;
    return tm->tm_mday >= 1 && tm->tm_mday <= 31 && tm->tm_mon < 12 && number >= 1900;
}

/* Minutes east of Greenwich. */
static bool read_zone(const char *word, int *minutes_r)
{
    static const struct {
        const char *name;
        int hours;
    } zones[] = {{"UT", 0},   {"GMT", 0},  {"UTC", 0},  {"EST", -5}, {"EDT", -4}, {"CST", -6},
                 {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};
    int number;

    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
        if (strcasecmp(zones[i].name, word) == 0) {
            *minutes_r = zones[i].hours * 60;
            return true;
        }
    number = *word == '+' || *word == '-' ? whole_number(word + 1, 4, 4) : -1;
    *minutes_r = (number / 100 * 60 + number % 100) * (*word == '-' ? -1 : 1);
    return number >= 0 && number % 100 < 60;
}

/* The words behind a day of the week, which says nothing new. */
static bool read_words(const struct strlist *words, struct tm *tm, int *minutes_r)
{
    char **word = words->items;
    size_t count = words->count;

    if (count == 6) {
        word++;
        count--;
    }
    return count == 5 && read_day(word[0], word[1], word[2], tm) && read_time(word[3], tm) &&
           read_zone(word[4], minutes_r);
}

static void write_utc(time_t moment, struct buf *out)
{
    struct tm tm;

    gmtime_r(&moment, &tm);
    buf_printf(out, "%s, %02d %s %04d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
               tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

bool date_utc(const char *value, struct buf *out)
{
    struct strlist words = {0};
    struct tm tm = {0};
    int minutes = 0;
    bool good;

    split_words(value, &words);
    good = read_words(&words, &tm, &minutes);
    if (good && minutes == 0 && strchr(value, '(') == NULL)
        buf_add_text(out, value);
    else if (good)
        write_utc(timegm(&tm) - minutes * 60, out);
    strlist_free(&words);
    return good;
}
