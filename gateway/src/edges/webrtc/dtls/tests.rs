//! Handshakes: with OpenSSL and every kind of certificate, with ourselves, and with damage on the way.

mod damage;
mod openssl;
mod pair;
