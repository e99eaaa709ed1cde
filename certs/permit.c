#include "certs/permit.h"
