// The stock mircat. One that knows a Node of your own takes no more.
#include <mirbft/mircat/mircat.hpp>

int main(int argc, char** argv) { return mirbft::mircat::run<void>(argc, argv); }
