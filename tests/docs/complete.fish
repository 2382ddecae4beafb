# complete.fish LINE...: what completing at the end of each line offers, after a line "== LINE".
source completions/mxprobe.fish
for line in $argv
    echo "== $line"
    # fish gives the whole word, "--tls=auto", and a description behind a tab.
    complete -C $line | string replace -r '\t.*' '' | string replace -r '^--[^=]*=' ''
end
