/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the value of each option of run that has a grammar, and as a whole command line, a word a line. */
#include "fuzz.h"

#include <string.h>

#include "base/str.h"
#include "cli/parse-env.h"
#include "cli/run-options.h"

/* One value to one row, over a config of its own. */
static void give(const Option *option, char *value) {
        RunOptions options = run_options_default;
        const OptionSet set = { run_option_tables, &options };
        char name[64];
        char *words[] = { name, value, (char *) "image", NULL }, *environment[] = { (char *) "A=1", (char *) "AB=2", NULL };
        Invocation in = { .name = "run", .command_line = words };
        _cleanup_error_ Error error = ERROR_NULL;

        (void) snprintf(name, sizeof(name), "--%s", option->name);
        in.parse = (OptionParse){ .sets = &set, .n_sets = 1, .words = words, .stop_at_argument = true };
        int r = options_parse(&in.parse, &error);
        in.arguments = in.parse.arguments;
        in.n_arguments = in.parse.n_arguments;
        /* Files are read by finish(); which one is not for the fuzzer to choose. */
        if (r >= 0 && !options.env_files && !options.label_files)
                r = run_options_finish(&options, &in, environment, &error);
        if ((r < 0) != (error.message != NULL))
                __builtin_trap(); /* every refusal has its reason */
        options_free(run_option_tables, &options);
        run_options_done(&options);
        options_parse_done(&in.parse);
}

static void give_line(char *text) {
        RunOptions options = run_options_default;
        const OptionSet set = { run_option_tables, &options };
        _cleanup_strv_ char **words = strv_split(text, "\n");
        OptionParse parse = { .sets = &set, .n_sets = 1, .words = words, .stop_at_argument = true };

        if (words)
                (void) options_parse(&parse, NULL);
        options_free(run_option_tables, &options);
        run_options_done(&options);
        options_parse_done(&parse);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);

        if (!text)
                return 0;
        for (const Option *const *t = run_option_tables; *t; t++)
                for (const Option *o = *t; o->name; o++)
                        if (option_takes_value(o) && o->kind != OPTION_REFUSED)
                                give(o, text);
        give_line(text);
        return 0;
}
