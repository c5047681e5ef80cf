//! Handshakes with OpenSSL and every kind of certificate, between two associations, and over damaged networks.

mod damage;
mod openssl;
mod pair;
