//! Mixes the audio of the inputs.
