# SPDX-License-Identifier: Apache-2.0
# Completion of sdpod-oci for fish: sdpod-oci itself knows what may come next.

function __sdpod_oci_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case :file
                __fish_complete_path "$current"
            case :directory
                __fish_complete_directories "$current"
            case '*'
                echo $line
        end
    end
end

complete -c sdpod-oci -f -a '(__sdpod_oci_complete)'
