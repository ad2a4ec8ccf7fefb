#include <errno.h>
#include <math.h>
#include <sys/mman.h>
#include <sys/stat.h>
