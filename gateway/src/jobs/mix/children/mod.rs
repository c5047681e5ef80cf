//! The child processes that decode the inputs and encode the mix.
