/* SPDX-License-Identifier: Apache-2.0 */
/* Transports, by a table. */
#include "image/transport.h"

#include "base/str.h"
#include "spec/reference.h"

typedef struct TransportRow {
        const char *prefix;
        TransportKind kind;
        const char *refused; /* the reason; NULL: it is there */
        bool no_reference;   /* all of it is the path */
} TransportRow;

static const TransportRow rows[] = {
        { "docker://", TRANSPORT_DOCKER, NULL, false },
        { "containers-storage:", TRANSPORT_STORAGE, NULL, false },
        { "oci:", TRANSPORT_OCI, NULL, false },
        { "oci-archive:", TRANSPORT_OCI_ARCHIVE, NULL, false },
        { "docker-archive:", TRANSPORT_DOCKER_ARCHIVE, NULL, false },
        { "dir:", TRANSPORT_DIRECTORY, NULL, true },
        { "docker-daemon:", 0, "sdpod does not speak to a Docker daemon; save it as a docker-archive and give it to 'docker load'", false },
        { "ostree:", 0, "sdpod has no OSTree repositories", false },
        { "sif:", 0, "sdpod does not read SIF files", false },
        { "tarball:", 0, "use 'sdpod import'", false },
};

static const TransportRow *find(const char *text) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (str_after(text, rows[i].prefix))
                        return rows + i;
        return NULL;
}

bool transport_is_given(const char *text) {
        return find(text);
}

void transport_done(Transport *transport) {
        free(transport->path);
        free(transport->reference);
        *transport = (Transport){};
}

static int check_docker_archive(const Transport *t, Error *reterr) {
        _cleanup_reference_ Reference reference = {};

        if (!t->reference || *t->reference == '@')
                return 0;
        int r = reference_parse(t->reference, &reference, reterr);
        if (r >= 0 && reference.digest)
                r = error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use 'docker-archive:%s:%s': a name in it has a tag, not a digest",
                              t->path, t->reference);
        return r;
}

int transport_parse(const char *text, Transport *ret, Error *reterr) {
        _cleanup_transport_ Transport t = {};
        const TransportRow *row = find(text);
        const char *details = row ? text + strlen(row->prefix) : text, *colon;

        if (row && row->refused)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot use '%.200s': %s", text, row->refused);
        t.kind = row ? row->kind : TRANSPORT_DOCKER;
        if (!*details)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '%.200s': nothing is named", text);
        if (t.kind == TRANSPORT_DOCKER || t.kind == TRANSPORT_STORAGE)
                t.reference = strdup(details);
        else {
                colon = row->no_reference ? NULL : strchr(details, ':');
                t.path = colon ? strndup(details, (size_t) (colon - details)) : strdup(details);
                if (colon && colon[1] && !(t.reference = strdup(colon + 1)))
                        return error_oom(reterr);
        }
        if (!t.path && !t.reference)
                return error_oom(reterr);
        if (t.path && !*t.path)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '%.200s': no file is named", text);
        int r = t.kind == TRANSPORT_DOCKER_ARCHIVE ? check_docker_archive(&t, reterr) : 0;
        if (r < 0)
                return r;
        *ret = t;
        t = (Transport){};
        return 0;
}
