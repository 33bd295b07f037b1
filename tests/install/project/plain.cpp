// Links no component, so nothing that needs one may be mentioned; strict, so our headers are, too.
#include <mirbft/mirbft.hpp>

#if defined(MIRBFT_WITH_OPENSSL) || defined(MIRBFT_WITH_SODIUM)
#error "a component was opened that nobody asked for"
#endif

int main() { return mirbft::Quorum(4).strong() == 3 ? 0 : 1; }
