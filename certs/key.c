#include "certs/key.h"
