/* SPDX-License-Identifier: Apache-2.0 */
/* The table of a secret's record. */
#include "spec/secret.h"

#include <string.h>

#include "spec/container.h"

const JsonField secret_fields[] = {
        JSON_FIELD(Secret, id, "id", JSON_FIELD_STRING),
        JSON_FIELD(Secret, name, "name", JSON_FIELD_STRING),
        JSON_FIELD(Secret, created_usec, "createdUSec", JSON_FIELD_INT64),
        JSON_FIELD(Secret, updated_usec, "updatedUSec", JSON_FIELD_INT64),
        JSON_FIELD(Secret, labels, "labels", JSON_FIELD_PAIRS),
        JSON_FIELD(Secret, encryption, "encryption", JSON_FIELD_STRING),
        JSON_FIELD(Secret, key, "key", JSON_FIELD_STRING),
        JSON_FIELD(Secret, data, "data", JSON_FIELD_STRING),
        {},
};

void secret_done(Secret *secret) {
        json_fields_done(secret_fields, secret);
}

bool secret_name_is_valid(const char *name) {
        return container_name_is_valid(name) && strlen(name) <= SECRET_NAME_MAX;
}
