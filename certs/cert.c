#include "certs/cert.h"
