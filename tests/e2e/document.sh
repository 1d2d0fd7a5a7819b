# Commands in documents, run as they are printed. In an indented block a line that begins with "$ " is a command; the lines up to the
# next one are what it prints, with … for what differs (a line of only … : any lines). Blocks without "$ " are not for running.
#
#   document_run FILE HEADING     runs all commands of the section whose heading matches the extended regular expression
#
# The test may define:
#   document_here, document_there    filters: from the document's paths to this world's, and back for what was printed
#   document_before ABOUT            called before each block, with the paragraph that stands before it
#
# Each command runs in a shell of its own, as root, in $WORLD.

# shellcheck shell=bash
document_here() { cat; }
document_there() { cat; }
document_before() { :; }

document_run() { # document_run FILE HEADING
    local folder=$WORLD/document command about last='' page
    page=$(basename "$1")
    rm -rf "$folder"
    mkdir "$folder"
    python3 "$SOURCE/tests/lib/document.py" "$1" "$2" "$folder" || { ok 1 "$page: no commands in $2"; return; }
    for command in "$folder"/*.command; do
        about=$(cat "${command%.command}.about")
        [ "$about" = "$last" ] || document_before "$about"
        last=$about
        document_here <"$command" >"$folder/run"
        (cd "$WORLD" && bash "$folder/run") >"$folder/raw" 2>&1
        document_there <"$folder/raw" >"$folder/printed"
        python3 "$SOURCE/tests/lib/document.py" --same "${command%.command}.prints" "$folder/printed"
        ok $? "$page: $(head -n 1 "$command")" || diag 'printed:' "$(cat "$folder/printed")" 'the page says:' "$(cat "${command%.command}.prints")"
    done
}
