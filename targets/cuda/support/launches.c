/* What an entry launches, written down: kernel after kernel with its arguments. */

#define LXC_MOST_ARGUMENTS 512 /* what a card takes, in 8 bytes each */

typedef struct lxc_launch_record {
    int32_t kernel;
    int32_t count;     /* of arguments */
    int64_t blocks;
    size_t first;      /* of its arguments */
} lxc_launch_record;

typedef struct lxc_launches {
    int64_t work; /* the entry's cell: its address is that of this struct */
    int32_t lacks_memory;
    int32_t has_too_many; /* arguments, for one kernel */
    int32_t copy; /* the number of the kernel that copies */
    const lxc_function *functions; /* of all kernels */
    lxc_launch_record *records;
    size_t count, room;
    int64_t *arguments;
    size_t argument_count, argument_room;
} lxc_launches;

static void lxc_forget_launches(lxc_launches *all) {
    free(all->records);
    free(all->arguments);
    memset(all, 0, sizeof *all);
}

static int lxc_has_room(void **memory, size_t *room, size_t needed, size_t size) {
    if (needed <= *room) return 1;
    size_t larger = needed * 2 + 64;
    void *moved = realloc(*memory, larger * size);
    if (moved == NULL) return 0;
    *memory = moved;
    *room = larger;
    return 1;
}

/* Called by entries. Launches of no blocks do nothing. */
int32_t lxc_launch(int64_t *cell, int64_t kernel, int64_t blocks, const int64_t *arguments,
                   int64_t count) {
    lxc_launches *all = (lxc_launches *)cell;
    if (blocks < 1 || all->lacks_memory) return 0;
    if (count > LXC_MOST_ARGUMENTS) return all->has_too_many = 1;
    if (!lxc_has_room((void **)&all->records, &all->room, all->count + 1,
                      sizeof *all->records) ||
        !lxc_has_room((void **)&all->arguments, &all->argument_room,
                      all->argument_count + (size_t)count, sizeof *all->arguments)) {
        return all->lacks_memory = 1;
    }
    memcpy(all->arguments + all->argument_count, arguments, (size_t)count * sizeof *arguments);
    all->records[all->count++] =
        (lxc_launch_record){(int32_t)kernel, (int32_t)count, blocks, all->argument_count};
    all->argument_count += (size_t)count;
    return 0;
}

/* Called by entries: tell whether the card holds so many blocks of a kernel at once. */
int32_t lxc_holds(const int64_t *cell, int64_t kernel, int64_t blocks) {
    return blocks <= ((const lxc_launches *)cell)->functions[kernel].most_blocks;
}

int32_t lxc_copy(int64_t *cell, int64_t destination, int64_t source, int64_t bytes) {
    const int64_t each = 128 * 64; /* bytes that a block copies before its threads go round */
    int64_t blocks = bytes < 1 ? 0 : 1 + (bytes - 1) / each;
    if (blocks > 4096) blocks = 4096;
    int64_t arguments[] = {destination, source, bytes, blocks};
    return lxc_launch(cell, ((lxc_launches *)cell)->copy, blocks, arguments, 4);
}

/* Fill a table of the addresses of the arguments of a launch. */
static void lxc_arguments_of(const lxc_launches *all, size_t number, void **table) {
    const lxc_launch_record *record = &all->records[number];
    for (int32_t i = 0; i < record->count; ++i) table[i] = all->arguments + record->first + i;
}

static int lxc_is_same_launch(const lxc_launches *one, const lxc_launches *other,
                              size_t number) {
    const lxc_launch_record *a = &one->records[number], *b = &other->records[number];
    return a->blocks == b->blocks &&
           memcmp(one->arguments + a->first, other->arguments + b->first,
                  (size_t)a->count * sizeof *one->arguments) == 0;
}

/* Tell whether both launch the same kernels in the same order. */
static int lxc_is_same_order(const lxc_launches *one, const lxc_launches *other) {
    if (one->count != other->count) return 0;
    for (size_t i = 0; i < one->count; ++i)
        if (one->records[i].kernel != other->records[i].kernel) return 0;
    return 1;
}
