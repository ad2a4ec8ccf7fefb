/* Two bundles in one program: the check of each, and whether they share anything. */
#include <stdio.h>

#include "digits.h"
#include "kinds.h"

int main(int argc, char **argv) {
    int first = digits_selftest(argc > 1 ? argv[1] : NULL), second = kinds_selftest(NULL);
    if (first) fprintf(stderr, "%s\n", digits_last_error());
    if (second) fprintf(stderr, "%s\n", kinds_last_error());
    printf("%d %d %d\n", first, second, digits_pool() != kinds_pool());
    return 0;
}
