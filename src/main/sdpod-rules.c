/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-rules: puts the ruleset on its standard input into the kernel's tables of its network namespace (libnftables(3)), as one
 * transaction. Started by sdpod inside the router's namespace; of no use by hand. */
#include <nftables/libnftables.h>
#include <stdio.h>

#include "base/io.h"
#include "base/log.h"

enum { RULES_LIMIT = 16 * 1024 * 1024 };

int main(void) {
        _cleanup_free_ char *text = NULL;

        log_set_program("sdpod-rules");
        int r = io_read_all(0, RULES_LIMIT, &text, /* ret_size= */ NULL);
        struct nft_ctx *nft = r < 0 ? NULL : nft_ctx_new(NFT_CTX_DEFAULT);

        if (!nft)
                return 1;
        (void) nft_ctx_set_error(nft, stdout);
        r = nft_run_cmd_from_buffer(nft, text);
        nft_ctx_free(nft);
        return r == 0 ? 0 : 1;
}
