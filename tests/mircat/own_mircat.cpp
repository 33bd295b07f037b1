// A mircat that knows a user's own modules and events.
#include <mirbft/mircat/mircat.hpp>

#include "shop.hpp"

int main(int argc, char** argv) { return mirbft::mircat::run<shop::Replica>(argc, argv); }
