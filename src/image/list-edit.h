/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the manifest lists of the store. */
#pragma once

#include "image/list.h"

/* What is changed, under images.lock. */
typedef struct ListEdit {
        const Store *store;
        LayoutEdit layout;       /* without lock and directory where it is only read */
        json_t *document;        /* the list */
        char old_digest[DIGEST_LENGTH + 1]; /* "": a new one */
        char *name;              /* of a new one */
} ListEdit;

#define LIST_EDIT_NULL ((ListEdit){ .layout = LAYOUT_EDIT_NULL })

/* Finds the list that `reference` names, or, with `create`, makes one of that name: -EEXIST where the name is taken, unless
 * `amend` is set and it is a list. Takes images.lock. */
int list_edit_open(const Store *store, const char *reference, bool create, bool amend, ListEdit *ret, Error *reterr);
void list_edit_done(ListEdit *edit);
#define _cleanup_list_edit_ _cleanup_(list_edit_done)

/* The same without the lock, only to read it. */
int list_open(const Store *store, const char *reference, ListEdit *ret, Error *reterr);

/* Puts an entry in the place of one with its digest, or behind the others. The reference is taken over. */
int list_edit_put(ListEdit *edit, json_t *entry, Error *reterr);

/* The entry of a digest ("sha256:..."), borrowed; NULL: none. */
json_t *list_edit_find(const ListEdit *edit, const char *digest, size_t *ret_position);

/* Writes the list and what names it. */
int list_edit_save(ListEdit *edit, Error *reterr);

/* Takes the list out of index.json; its blobs go with the next removal of an image. */
int list_edit_remove(ListEdit *edit, Error *reterr);
