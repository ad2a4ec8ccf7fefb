"""Completion in bash, which splits a line at more places than there are words.

For bash `--target=x86`, `x=@images` and `model.py:net` are several words each, and what it
is offered takes the place of the last of them only.
"""

import os
import re

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    split_arg_string,
)

BREAKS = "=:@"
SCRIPT = r"""%(complete_func)s() {
    local IFS=$'\n' reply value
    COMPREPLY=()
    for reply in $(env COMP_WORDS="${COMP_LINE:0:COMP_POINT}" \
            COMP_WORDBREAKS="$COMP_WORDBREAKS" %(complete_var)s=bash_complete "$1"); do
        value="${reply#*,}"
        case "${reply%%%%,*}" in
            plain) COMPREPLY+=("$value") ;;
            dir) compopt -o dirnames ;;
            file) if [[ "$2" == @* ]]; then
                COMPREPLY+=($(compgen -P @ -f -- "${2#@}"))
            else
                compopt -o default
            fi ;;
        esac
        [[ "$value" == *[=@] ]] && compopt -o nospace
    done
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class Bash(BashComplete):
    """Completes the line in front of the cursor, by its words as the shell passes them."""

    source_template = SCRIPT

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words that are complete, and the one that is not."""
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)[1:]
        if not words or (line[-1].isspace() and not line.endswith("\\ ")):
            return words, ""
        return words[:-1], words[-1]

    def format_completion(self, item: CompletionItem) -> str:
        """Return what takes the place of the piece behind the last break."""
        _, word = self.get_completion_args()
        breaks = re.escape("".join(os.environ.get("COMP_WORDBREAKS", BREAKS).split()))
        *_, piece = re.split(f"[{breaks}]", word)
        front = word.removesuffix(piece)
        places = range(len(front) + 1)
        kept = next(
            front[place:] for place in places if item.value.startswith(front[place:])
        )
        return f"{item.type},{item.value.removeprefix(kept)}"
