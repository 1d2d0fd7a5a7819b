/* julia: what the MTA calls once per message (julia(8)). */
#include "core/caller.h"
#include "core/exit.h"
#include "core/options.h"
#include "core/run.h"

int main(int argc, char **argv)
{
    struct options options = {0};
    struct outcome outcome;
    caller_note();
    exit_guard();
    outcome_done(&outcome);
    if (options_parse(&options, argc, argv, &outcome))
        run_options(&options, &outcome);
    bool explained = options.action == OPTIONS_EXPLAIN;
    options_free(&options);
    return exit_status(&outcome, explained);
}
