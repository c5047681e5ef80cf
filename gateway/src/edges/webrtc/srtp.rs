//! Wraps str0m's SRTP ciphers, for three things that str0m has no interface for: to count authenticated datagrams, to
//! filter received RTCP ([`Resends`]), and to replace the CNAME in sent RTCP ([`cname`]).
//!
//! str0m does not report received RTCP, and counts only ICE checks as a sign of life. But whatever one of its ciphers
//! decrypts was sent by the peer (RFC 3711, RFC 7714). str0m handles a datagram within one call on one thread, so a
//! counter of the thread tells whether that call has decrypted anything.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use str0m::crypto::{
    AeadAes128GcmCipher, AeadAes256GcmCipher, Aes128CmSha1_80Cipher, CryptoError, CryptoProvider,
    SrtpProvider, SupportedAeadAes128Gcm, SupportedAeadAes256Gcm, SupportedAes128CmSha1_80,
    from_feature_flags,
};

use super::cname;
use super::resends::Resends;

thread_local! {
    static AUTHENTICATED: Cell<u64> = const { Cell::new(0) };
    static RTCP_FILTER: RefCell<Option<RtcpFilter>> = const { RefCell::new(None) };
}

/// The filter for the RTCP packet that str0m handles now.
struct RtcpFilter {
    resends: Resends,
    /// When the packet came.
    at: Instant,
    /// Its first bytes, which are not encrypted.
    head: [u8; 8],
}

/// Calls `handle`, in which str0m handles the datagram `bytes`. If that is RTCP, `resends` filters it first.
pub(super) fn with_rtcp_filter<T>(
    resends: Option<&mut Resends>,
    bytes: &[u8],
    at: Instant,
    handle: impl FnOnce() -> T,
) -> T {
    // The packet type tells that it is RTCP (RFC 5761 4).
    let head = bytes.first_chunk().filter(|head| head[0] >> 6 == 2 && (192..224).contains(&head[1]));
    let (Some(resends), Some(head)) = (resends, head) else { return handle() };
    let filter = RtcpFilter { resends: std::mem::replace(resends, Resends::new(0)), at, head: *head };
    RTCP_FILTER.with_borrow_mut(|slot| *slot = Some(filter));
    let done = handle();
    if let Some(filter) = RTCP_FILTER.take() {
        *resends = filter.resends;
    }
    done
}

/// Filters a decrypted RTCP packet.
fn filter_rtcp(decrypted: &mut [u8]) {
    RTCP_FILTER.with_borrow_mut(|slot| {
        if let Some(RtcpFilter { resends, at, head }) = slot {
            resends.filter(*head, decrypted, *at);
        }
    });
}

/// The number of packets that were authenticated on this thread so far.
pub(super) fn authenticated_packets() -> u64 {
    AUTHENTICATED.get()
}

/// This provider with wrapped SRTP ciphers.
pub(super) fn observed(provider: CryptoProvider) -> CryptoProvider {
    CryptoProvider { srtp_provider: &ObservedSrtp, ..provider }
}

/// Counts a packet that could be decrypted.
fn count_authenticated<T, E>(decrypted: Result<T, E>) -> Result<T, E> {
    if decrypted.is_ok() {
        AUTHENTICATED.set(AUTHENTICATED.get().wrapping_add(1));
    }
    decrypted
}

/// str0m's own SRTP with wrapped ciphers.
#[derive(Debug)]
struct ObservedSrtp;

impl ObservedSrtp {
    fn original(&self) -> &'static dyn SrtpProvider {
        from_feature_flags().srtp_provider
    }
}

impl SrtpProvider for ObservedSrtp {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        &Self
    }
    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        &Self
    }
    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        &Self
    }
    fn srtp_aes_128_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        self.original().srtp_aes_128_ecb_round(key, input, output);
    }
    fn srtp_aes_256_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        self.original().srtp_aes_256_ecb_round(key, input, output);
    }
}

/// The cipher of one direction. What it is asked to decrypt was authenticated already (CM), or is authenticated by
/// decrypting (GCM).
#[derive(Debug)]
struct ObservedCipher<C: ?Sized>(Box<C>);

impl SupportedAes128CmSha1_80 for ObservedSrtp {
    fn create_cipher(&self, key: [u8; 16], encrypt: bool) -> Box<dyn Aes128CmSha1_80Cipher> {
        Box::new(ObservedCipher(self.original().aes_128_cm_sha1_80().create_cipher(key, encrypt)))
    }
}

impl SupportedAeadAes128Gcm for ObservedSrtp {
    fn create_cipher(&self, key: [u8; 16], encrypt: bool) -> Box<dyn AeadAes128GcmCipher> {
        Box::new(ObservedCipher(self.original().aead_aes_128_gcm().create_cipher(key, encrypt)))
    }
}

impl SupportedAeadAes256Gcm for ObservedSrtp {
    fn create_cipher(&self, key: [u8; 32], encrypt: bool) -> Box<dyn AeadAes256GcmCipher> {
        Box::new(ObservedCipher(self.original().aead_aes_256_gcm().create_cipher(key, encrypt)))
    }
}

impl Aes128CmSha1_80Cipher for ObservedCipher<dyn Aes128CmSha1_80Cipher> {
    fn encrypt(&mut self, iv: &[u8; 16], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        self.0.encrypt(iv, &cname::replace(input), output)
    }
    fn decrypt(&mut self, iv: &[u8; 16], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        count_authenticated(self.0.decrypt(iv, input, output))?;
        // The output is longer than the packet: the cipher works in blocks.
        output.get_mut(..input.len()).into_iter().for_each(filter_rtcp);
        Ok(())
    }
}

macro_rules! observe_aead {
    ($cipher:ident) => {
        impl $cipher for ObservedCipher<dyn $cipher> {
            fn encrypt(
                &mut self,
                iv: &[u8; 12],
                aad: &[u8],
                input: &[u8],
                output: &mut [u8],
            ) -> Result<(), CryptoError> {
                self.0.encrypt(iv, aad, &cname::replace(input), output)
            }
            fn decrypt(
                &mut self,
                iv: &[u8; 12],
                aads: &[&[u8]],
                input: &[u8],
                output: &mut [u8],
            ) -> Result<usize, CryptoError> {
                let size = count_authenticated(self.0.decrypt(iv, aads, input, output))?;
                output.get_mut(..size).into_iter().for_each(filter_rtcp);
                Ok(size)
            }
        }
    };
}

observe_aead!(AeadAes128GcmCipher);
observe_aead!(AeadAes256GcmCipher);
