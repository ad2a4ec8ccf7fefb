/* The memory that a call names, and the rules it must keep. */

static lxc_span lxc_span_of(const void *pointer, int64_t bytes) {
    uintptr_t begin = (uintptr_t)pointer;
    if (bytes == 0) return (lxc_span){0, 0};
    return (lxc_span){begin, begin + (uintptr_t)bytes};
}

/* Alignments are powers of two. */
static int lxc_is_aligned(const void *pointer, int32_t alignment) {
    return ((uintptr_t)pointer & ((uintptr_t)alignment - 1)) == 0;
}

/* Which leaves of a table a call reads. */
typedef enum lxc_reading { LXC_READS_ALL, LXC_READS_FROZEN, LXC_READS_WHAT_RUN_DOES } lxc_reading;

static int lxc_is_read(const lxc_leaf *leaf, lxc_reading reading) {
    if (reading == LXC_READS_FROZEN) return leaf->frozen;
    return reading == LXC_READS_ALL || !leaf->unread;
}

/* Fill `spans` with the leaves of a table that are all there and all aligned. Those that are
   not read are passed over. */
static int32_t lxc_gather(const lxc_group *group, const void *const *table,
                          const int64_t *bytes, lxc_reading reading, lxc_span *spans) {
    if (table == NULL && group->count > 0)
        return lxc_fail(LXC_ENULL, "the table of the %s is missing", group->label);
    for (int32_t i = 0; i < group->count; ++i) {
        const lxc_leaf *leaf = &group->leaves[i];
        const void *pointer = table[i];
        int64_t length = lxc_is_read(leaf, reading) ? bytes[i] : 0;
        if (length > 0 && pointer == NULL)
            return lxc_fail(LXC_ENULL, "%s is NULL", leaf->label);
        if (length > 0 && !lxc_is_aligned(pointer, leaf->alignment))
            return lxc_fail(LXC_EALIGNMENT, "%s is not aligned to its elements of %d bytes",
                            leaf->label, (int)leaf->alignment);
        spans[i] = lxc_span_of(pointer, length);
    }
    return LXC_OK;
}

/* The same for state that is written. A frozen leaf is not written if its pointer is NULL or
   that of the state that goes in. */
static int32_t lxc_gather_written(const lxc_group *group, void *const *table,
                                  const void *const *source, const int64_t *bytes,
                                  lxc_span *spans) {
    if (table == NULL && group->count > 0)
        return lxc_fail(LXC_ENULL, "the table of the %s that comes out is missing",
                        group->label);
    for (int32_t i = 0; i < group->count; ++i) {
        const lxc_leaf *leaf = &group->leaves[i];
        int unwritten = leaf->frozen && (table[i] == NULL || table[i] == source[i]);
        int64_t length = unwritten ? 0 : bytes[i];
        if (length > 0 && table[i] == NULL)
            return lxc_fail(LXC_ENULL, "%s has nowhere to come out", leaf->label);
        if (length > 0 && !lxc_is_aligned(table[i], leaf->alignment))
            return lxc_fail(LXC_EALIGNMENT, "%s comes out at a pointer that is not aligned",
                            leaf->label);
        spans[i] = lxc_span_of(table[i], length);
    }
    return LXC_OK;
}

static int32_t lxc_gather_buffer(const char *label, const void *pointer, int64_t bytes,
                                 lxc_span *span) {
    if (bytes > 0 && pointer == NULL) return lxc_fail(LXC_ENULL, "%s is NULL", label);
    if (bytes > 0 && !lxc_is_aligned(pointer, 64))
        return lxc_fail(LXC_EALIGNMENT, "%s is not aligned to 64 bytes", label);
    *span = lxc_span_of(pointer, bytes);
    return LXC_OK;
}

/* Find a span from `first_written` on that overlaps one before it. State leaf i may come out
   exactly where it went in: span `state_out + i` may equal span `state_in + i`. Return 1 and
   the two indices, or 0. */
static int lxc_find_overlap(const lxc_span *spans, int32_t count, int32_t first_written,
                            int32_t state_in, int32_t state_out, int32_t state_count,
                            int32_t *found) {
    for (int32_t i = first_written; i < count; ++i) {
        int is_state = i >= state_out && i < state_out + state_count;
        int32_t twin = is_state ? state_in + (i - state_out) : -1;
        for (int32_t j = 0; j < i; ++j) {
            if (spans[i].begin >= spans[j].end || spans[j].begin >= spans[i].end) continue;
            if (j == twin && spans[i].begin == spans[j].begin) continue;
            found[0] = i;
            found[1] = j;
            return 1;
        }
    }
    return 0;
}
