// What `mirbft-sim --figures` prints.
#ifndef MIRBFT_EXAMPLES_SIM_FIGURES_HPP
#define MIRBFT_EXAMPLES_SIM_FIGURES_HPP

namespace simulation {

/// Measures the protocol in virtual time, with its improvements and without; about two minutes.
void print_figures();

}  // namespace simulation

#endif
