/* SPDX-License-Identifier: Apache-2.0 */
/* Options that fill a ContainerConfig, for several verbs. The options struct of each begins with the config, so that the offsets
 * of these rows count from any of them. */
#pragma once

#include "base/option.h"
#include "spec/container.h"

/* Limits; health checks and restart policy of a container that is made (the help says the defaults, and Docker's other names are
 * known), and of one that is there. */
extern const Option config_limit_rows[], config_life_rows[], config_life_change_rows[];

/* For rows of a verb's own: set_NAME(), from an expression over `c` (the config), `value` and `reterr`. */
#define CONFIG_SETTER(name, expression)                                                         \
        static int set_##name(void *options, const char *value, Error *reterr) {                \
                ContainerConfig *c = options;                                                   \
                return (expression);                                                            \
        }
/* The same, of several values in one, a line of CSV. */
#define CONFIG_LIST(name, expression)                                                           \
        static int one_##name(ContainerConfig *c, const char *value, Error *reterr) {           \
                return (expression);                                                            \
        }                                                                                       \
        CONFIG_SETTER(name, config_each_field(c, value, one_##name, reterr))
/* Both by a parser of that name. */
#define CONFIG_PARSED(name) CONFIG_SETTER(name, parse_##name(c, value, reterr))
#define CONFIG_PARSED_LIST(name) CONFIG_SETTER(name, config_each_field(c, value, parse_##name, reterr))

#define SET(setter) .kind = OPTION_SET, .set = set_##setter
#define WORDS(list) .complete = COMPLETE_WORDS, .words = list

/* Calls a parser for each field of a line of CSV. */
int config_each_field(ContainerConfig *config, const char *value, int (*parse)(ContainerConfig *, const char *, Error *), Error *reterr);

/* What rows of several verbs say. */
extern const char config_no_cgroup_v1[];
extern const char *const config_restart_words[], *const config_userns_words[];

/* Whether limits can be had together; sets the swap that goes with a memory limit. `parse` says which were on the command line. */
int config_check_resources(ContainerConfig *config, const OptionParse *parse, Error *reterr);

/* Whether what the command line says of health checks can be. */
int config_check_health(const ContainerHealth *health, const OptionParse *parse, Error *reterr);
