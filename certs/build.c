#include "certs/build.h"
