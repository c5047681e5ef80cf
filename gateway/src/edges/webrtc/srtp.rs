//! SRTP for str0m, watched: it tells which datagrams were authenticated, shows RTCP before str0m reads it, and
//! replaces what str0m has no setting for in RTCP that is sent.
//!
//! str0m says nothing of RTCP that it takes, and only ICE's checks count as a sign of life for it. Here its
//! ciphers are wrapped: whatever one of them decrypts was sent by the peer (RFC 3711, RFC 7714). str0m handles a
//! datagram within one call, on one thread, so a counter of this thread tells whether that call decrypted any.

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
    static READER: RefCell<Option<Reader>> = const { RefCell::new(None) };
}

/// Whom RTCP is shown to: it is of this time and begins with these bytes, which are not encrypted.
struct Reader {
    resends: Resends,
    at: Instant,
    head: [u8; 8],
}

/// Does `handle`, in which str0m takes in the datagram `bytes`. RTCP of it is shown to `resends` first.
pub(super) fn reading<T>(
    resends: Option<&mut Resends>,
    bytes: &[u8],
    at: Instant,
    handle: impl FnOnce() -> T,
) -> T {
    // RTCP by its packet type (RFC 5761 4).
    let head = bytes.first_chunk().filter(|head| head[0] >> 6 == 2 && (192..224).contains(&head[1]));
    let (Some(resends), Some(head)) = (resends, head) else { return handle() };
    let reader = Reader { resends: std::mem::take(resends), at, head: *head };
    READER.with_borrow_mut(|slot| *slot = Some(reader));
    let done = handle();
    if let Some(reader) = READER.take() {
        *resends = reader.resends;
    }
    done
}

/// Shows decrypted RTCP to who reads it.
fn show(decrypted: &mut [u8]) {
    READER.with_borrow_mut(|slot| {
        if let Some(Reader { resends, at, head }) = slot {
            resends.read(*head, decrypted, *at);
        }
    });
}

/// How many packets were authenticated on this thread so far.
pub(super) fn authenticated() -> u64 {
    AUTHENTICATED.get()
}

/// This provider with ciphers that are watched.
pub(super) fn watched(provider: CryptoProvider) -> CryptoProvider {
    CryptoProvider { srtp_provider: &Watched, ..provider }
}

fn seen<T, E>(decrypted: Result<T, E>) -> Result<T, E> {
    if decrypted.is_ok() {
        AUTHENTICATED.set(AUTHENTICATED.get().wrapping_add(1));
    }
    decrypted
}

/// str0m's own SRTP with watched ciphers.
#[derive(Debug)]
struct Watched;

impl Watched {
    fn inner(&self) -> &'static dyn SrtpProvider {
        from_feature_flags().srtp_provider
    }
}

impl SrtpProvider for Watched {
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
        self.inner().srtp_aes_128_ecb_round(key, input, output);
    }
    fn srtp_aes_256_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        self.inner().srtp_aes_256_ecb_round(key, input, output);
    }
}

/// One direction's cipher. It is asked to decrypt what was authenticated already (CM) or authenticates it (GCM).
#[derive(Debug)]
struct Cipher<C: ?Sized>(Box<C>);

impl SupportedAes128CmSha1_80 for Watched {
    fn create_cipher(&self, key: [u8; 16], encrypt: bool) -> Box<dyn Aes128CmSha1_80Cipher> {
        Box::new(Cipher(self.inner().aes_128_cm_sha1_80().create_cipher(key, encrypt)))
    }
}

impl SupportedAeadAes128Gcm for Watched {
    fn create_cipher(&self, key: [u8; 16], encrypt: bool) -> Box<dyn AeadAes128GcmCipher> {
        Box::new(Cipher(self.inner().aead_aes_128_gcm().create_cipher(key, encrypt)))
    }
}

impl SupportedAeadAes256Gcm for Watched {
    fn create_cipher(&self, key: [u8; 32], encrypt: bool) -> Box<dyn AeadAes256GcmCipher> {
        Box::new(Cipher(self.inner().aead_aes_256_gcm().create_cipher(key, encrypt)))
    }
}

impl Aes128CmSha1_80Cipher for Cipher<dyn Aes128CmSha1_80Cipher> {
    fn encrypt(&mut self, iv: &[u8; 16], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        self.0.encrypt(iv, &cname::replace(input), output)
    }
    fn decrypt(&mut self, iv: &[u8; 16], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        seen(self.0.decrypt(iv, input, output))?;
        // (The output is longer: the cipher works in blocks.)
        output.get_mut(..input.len()).into_iter().for_each(show);
        Ok(())
    }
}

macro_rules! watch_aead {
    ($cipher:ident) => {
        impl $cipher for Cipher<dyn $cipher> {
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
                let size = seen(self.0.decrypt(iv, aads, input, output))?;
                output.get_mut(..size).into_iter().for_each(show);
                Ok(size)
            }
        }
    };
}

watch_aead!(AeadAes128GcmCipher);
watch_aead!(AeadAes256GcmCipher);
