#!/bin/sh
# store-target.sh DIRECTORY [sendmail arguments]: stands for a target's sendmail. Stores each hand-off as DIRECTORY/N.args (one argument a
# line) and DIRECTORY/N.eml. With a file DIRECTORY/fail it refuses: its content is the exit status; a recipient named in
# DIRECTORY/fail-for is refused with 75.
dir=$1
shift
if [ -s "$dir/fail" ]; then
    cat > /dev/null
    echo "refused by the test"
    exit "$(cat "$dir/fail")"
fi
if [ -s "$dir/fail-for" ]; then
    for arg; do
        if [ "$arg" = "$(cat "$dir/fail-for")" ]; then
            cat > /dev/null
            exit 75
        fi
    done
fi
n=1
while ! mkdir "$dir/$n.lock" 2> /dev/null; do n=$((n + 1)); done
for arg; do printf '%s\n' "$arg"; done > "$dir/$n.args"
cat > "$dir/$n.eml"
exit 0
