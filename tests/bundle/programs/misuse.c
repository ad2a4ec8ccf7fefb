/* What init and the check say of values and files that do not fit: a line for each. */
#include <stdio.h>

#include "digits.h"

static void say(int32_t code) { printf("%d %s\n", (int)code, digits_last_error()); }

int main(int argc, char **argv) {
    digits_values small = {.size = 8}, flagged = {.size = sizeof flagged, .flags = 1};
    digits_values good = {.size = sizeof good};
    const char *path = argc > 1 ? argv[1] : NULL;
    say(digits_init(NULL, path));
    say(digits_init(&small, path));
    say(digits_init(&flagged, path));
    say(digits_init(&good, argc > 1 ? NULL : "a file"));
    for (int i = 2; i < argc; i++) say(digits_selftest(argv[i]));
    return 0;
}
