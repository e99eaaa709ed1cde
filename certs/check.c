#include "certs/check.h"
