/* The constants of the model, which follow the params in every table of them: as many as
   UPPER_CONSTANT_COUNT pointers. They belong to the library. Never fails. */
const void *const *NAME_constants(void);
