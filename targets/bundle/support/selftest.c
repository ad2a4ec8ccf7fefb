/* The check that a library brings. */

/* One block of memory, dealt out from its start; without a block only counted. */
typedef struct lxc_dealer {
    char *block;
    size_t used;
} lxc_dealer;

static void *lxc_deal(lxc_dealer *dealer, size_t bytes) {
    void *place = dealer->block == NULL ? NULL : dealer->block + dealer->used;
    dealer->used += lxc_aligned(bytes);
    return place;
}

static void **lxc_deal_leaves(lxc_dealer *dealer, int32_t count, const int64_t *bytes) {
    void **table = lxc_deal(dealer, (size_t)count * sizeof *table);
    for (int32_t i = 0; i < count; ++i) {
        void *place = lxc_deal(dealer, (size_t)bytes[i]);
        if (table != NULL) table[i] = place;
    }
    return table;
}

/* All that the call of a check needs beside the values. */
typedef struct lxc_trial {
    const int64_t *bytes;
    void **inputs;
    void **state_in;
    void **state_out;
    void **outputs;
    void *arena;
} lxc_trial;

static lxc_trial lxc_deal_trial(const lxc_model *model, lxc_dealer *dealer,
                                const int64_t *bytes) {
    lxc_places at = lxc_places_of(model);
    lxc_trial trial;
    trial.bytes = bytes;
    trial.inputs = lxc_deal_leaves(dealer, model->inputs.count, bytes);
    trial.state_in = lxc_deal_leaves(dealer, model->state.count, bytes + at.state);
    trial.state_out = lxc_deal_leaves(dealer, model->state.count, bytes + at.state);
    trial.outputs = lxc_deal_leaves(dealer, model->outputs.count, bytes + at.outputs);
    trial.arena = lxc_deal(dealer, (size_t)model->arena_bytes);
    return trial;
}

static void lxc_fill_trial(const lxc_bundle *bundle, const lxc_values *values,
                           const lxc_trial *trial) {
    const lxc_model *model = bundle->model;
    for (int32_t k = 0; k < model->inputs.count; ++k) {
        int64_t count = trial->bytes[k] / model->inputs.leaves[k].alignment;
        for (int64_t i = 0; i < count; ++i)
            lxc_put_drawn(trial->inputs[k], i, bundle->check->inputs[k], lxc_drawn(k, i));
    }
    for (int32_t k = 0; k < model->state.count; ++k) {
        if (values->state[k] != NULL) trial->state_in[k] = (void *)(uintptr_t)values->state[k];
        if (model->state.leaves[k].frozen) trial->state_out[k] = NULL;
    }
}

static int lxc_is_close(double found, double exact, double allowed) {
    if (isnan(exact)) return isnan(found);
    if (isinf(exact)) return found == exact;
    return fabs(found - exact) <= allowed;
}

static int32_t lxc_compare(const lxc_model *model, const lxc_trial *trial,
                           const lxc_expected *expected) {
    int32_t outputs = model->outputs.count, at = expected->place;
    int is_state = at >= outputs;
    const lxc_group *group = is_state ? &model->state : &model->outputs;
    void *const *table = is_state ? trial->state_out : trial->outputs;
    lxc_places places = lxc_places_of(model);
    const int64_t *bytes = trial->bytes + (is_state ? places.state : places.outputs);
    if (is_state) at -= outputs;
    int64_t elements = bytes[at] / group->leaves[at].alignment;
    for (int64_t i = 0, element = 0; i < expected->count; ++i) {
        double exact = expected->exact[i];
        double found = lxc_element(table[at], element, expected->kind);
        if (!lxc_is_close(found, exact, expected->allowed))
            return lxc_fail(LXC_ECHECK, "%s: element %lld is %.9g, not %.9g +- %.2g",
                            group->leaves[at].label, (long long)element, found, exact,
                            expected->allowed);
        element = (element + expected->stride) % elements;
    }
    return LXC_OK;
}

static int32_t lxc_try(const lxc_bundle *bundle, const lxc_values *values,
                       const lxc_trial *trial) {
    const lxc_model *model = bundle->model;
    lxc_fill_trial(bundle, values, trial);
    lxc_call call = {sizeof call,
                     0,
                     (const void *const *)trial->inputs,
                     values->params,
                     (const void *const *)trial->state_in,
                     trial->state_out,
                     trial->outputs,
                     values->prepared,
                     trial->arena,
                     bundle->check->dims,
                     NULL,
                     0,
                     0};
    int32_t code = bundle->run(&call);
    for (int32_t i = 0; code == LXC_OK && i < bundle->check->expected_count; ++i)
        code = lxc_compare(model, trial, &bundle->check->expected[i]);
    return code;
}

static int32_t lxc_try_in_memory(const lxc_bundle *bundle, const lxc_values *values,
                                 const int64_t *bytes) {
    lxc_dealer counter = {NULL, 0};
    lxc_deal_trial(bundle->model, &counter, bytes);
    lxc_dealer dealer = {lxc_take_memory(counter.used + 64), 0};
    if (dealer.block == NULL) return LXC_EMEMORY;
    lxc_trial trial = lxc_deal_trial(bundle->model, &dealer, bytes);
    int32_t code = lxc_try(bundle, values, &trial);
    munmap(dealer.block, counter.used + 64);
    return code;
}

static int32_t lxc_check_results(const lxc_bundle *bundle, const lxc_values *values) {
    const lxc_model *model = bundle->model;
    int32_t leaves = lxc_places_of(model).prepared + model->outputs.count;
    size_t size = ((size_t)leaves + 1) * sizeof(int64_t);
    int64_t *bytes = lxc_take_memory(size);
    if (bytes == NULL) return LXC_EMEMORY;
    int32_t code = LXC_EDIMENSION;
    if (model->leaf_bytes(bundle->check->dims, bytes) == 0)
        code = lxc_try_in_memory(bundle, values, bytes);
    munmap(bytes, size);
    return code;
}

int32_t lxc_selftest(const lxc_bundle *bundle, const char *path) {
    lxc_values values = {sizeof values, 0, NULL, NULL, NULL, NULL};
    int32_t code = lxc_init(bundle, &values, path);
    if (code != LXC_OK) return code;
    code = lxc_check_results(bundle, &values);
    lxc_release(&values);
    return code;
}
