/* SPDX-License-Identifier: Apache-2.0 */
/* JSON written as YAML, for people. */
#pragma once

#include <jansson.h>
#include <stdio.h>

/* Writes a value as a YAML document: keys in the order of the alphabet, block style, strings quoted where they could be
 * read as something else. */
void yaml_print(const json_t *value, FILE *f);
