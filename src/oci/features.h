#include "oci/not-there-yet.h"
