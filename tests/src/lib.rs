//! Shared by the tests: starts and stops real servers and clients.
