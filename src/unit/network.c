/* SPDX-License-Identifier: Apache-2.0 */
/* [Network]: `sdpod network create`, once. */
#include "unit/convert.h"

static size_t collect(Convert *c, UnitKey key, Words *words, const UnitEntry **ret_last) {
        UnitSelect select = UNIT_SELECT(key);
        const UnitEntry *e;

        for (size_t i = unit_lines_begin(&c->unit->file, &select);
             (e = unit_lines_next(&c->unit->file, &select, &i));) {
                words_add(words, e->value);
                *ret_last = e;
        }
        return words->n;
}

/* The first gateway and the first range belong to the first subnet, and so on. */
static int call_subnets(Convert *c) {
        _cleanup_words_ Words subnets = {}, gateways = {}, ranges = {};
        const UnitEntry *subnet = NULL, *gateway = NULL, *range = NULL;
        size_t n = collect(c, KEY_Subnet, &subnets, &subnet);

        (void) collect(c, KEY_Gateway, &gateways, &gateway);
        (void) collect(c, KEY_IPRange, &ranges, &range);
        if (subnets.failed || gateways.failed || ranges.failed)
                return -ENOMEM;
        if (n == 0 && (gateway || range))
                return convert_fail(c, gateway ? gateway : range, "cannot set gateway or range without subnet");
        if (gateways.n > n)
                return convert_fail(c, gateway, "cannot set more gateways than subnets");
        if (ranges.n > n)
                return convert_fail(c, range, "cannot set more ranges than subnets");
        for (size_t i = 0; i < n; i++) {
                convert_add_two(c, "--subnet", subnets.items[i]);
                if (i < gateways.n)
                        convert_add_two(c, "--gateway", gateways.items[i]);
                if (i < ranges.n)
                        convert_add_two(c, "--ip-range", ranges.items[i]);
        }
        return 0;
}

static const UnitRow rows[] = {
        { KEY_DisableDNS, KIND_BOOL, "--disable-dns" },
        { KEY_Internal, KIND_BOOL, "--internal" },
        { KEY_IPv6, KIND_BOOL, "--ipv6" },
        { KEY_Driver, KIND_STRING, "--driver" },
        { KEY_IPAMDriver, KIND_STRING, "--ipam-driver" },
        { KEY_InterfaceName, KIND_STRING, "--interface-name" },
        { KEY_DNS, KIND_LINES, "--dns" },
        { KEY_Subnet, KIND_ALWAYS, .call = call_subnets },
        { KEY_Options, KIND_PAIRS, "--opt" },
        { KEY_Label, KIND_PAIRS, "--label" },
        { KEY_PodmanArgs, KIND_CALL, .call = convert_call_podman_args },
        { KEY_ContainersConfModule, KIND_ELSEWHERE },
        { KEY_Gateway, KIND_ELSEWHERE },
        { KEY_GlobalArgs, KIND_ELSEWHERE },
        { KEY_IPRange, KIND_ELSEWHERE },
        { KEY_NetworkDeleteOnStop, KIND_ELSEWHERE },
        { KEY_NetworkName, KIND_ELSEWHERE },
        { KEY_ServiceName, KIND_ELSEWHERE },
};

static int convert_network(Convert *c) {
        bool delete = false;
        int r = convert_bool(c, KEY_NetworkDeleteOnStop, &delete);

        if (r >= 0 && delete)
                r = convert_add_exec_words(c, "ExecStopPost", "", "network", "rm", c->name);
        return r < 0 ? r : convert_create(c, "network");
}

const UnitTypeInfo unit_network_info = {
        .name = "network",
        .group = "Network",
        .infix = "-network",
        .order = 2,
        .rows = rows,
        .n_rows = ELEMENTSOF(rows),
        .convert = convert_network,
};
