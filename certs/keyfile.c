#include "certs/keyfile.h"
