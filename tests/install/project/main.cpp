// Uses a component. The narrowing would not compile if our warnings reached users.
#include <iostream>

#include <mirbft/mirbft.hpp>

int main(int argc, char**) {
  const short narrow = argc;
  mirbft::Sha256 hasher;
  hasher.update(mirbft::bytes_of(narrow == 1 ? "abc" : "abcd"));
  std::cout << "outside: " << mirbft::hex(hasher.finish()) << '\n';
}
