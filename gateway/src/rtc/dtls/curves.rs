//! Verifies signatures of certificates on the elliptic curves P-224 and P-521, which `rtc-dtls` lacks.
//!
//! In TLS 1.2 a signature scheme names ECDSA and a hash. The curve is that of the certificate (RFC 5246 7.4.1.4.1),
//! so the length of the public key tells it.

use std::sync::Arc;

use aws_lc_rs::signature::{
    ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1, UnparsedPublicKey, VerificationAlgorithm,
};
use p224::ecdsa::signature::hazmat::PrehashVerifier as _;
use p224::ecdsa::{DerSignature, VerifyingKey};
use rtc_dtls::crypto_provider::providers::{AwsLcRsCrypto, AwsLcRsProvider};
use rtc_dtls::crypto_provider::{
    ActiveKeyExchange, AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CbcAlgorithm, CbcCipher,
    CryptoAlgorithm, CryptoError, HashAlgorithm, HmacAlgorithm, KeyExchangeAlgorithm, Mac, PublicKey,
    RTCCrypto, RTCCryptoProvider, RTCRandom, SignatureScheme, SigningKey, StreamCipher,
    StreamCipherAlgorithm,
};

/// Bytes of an uncompressed public key (SEC 1) on P-224, which is GnuTLS's default.
const P224_KEY: usize = 57;
/// Bytes of an uncompressed public key on P-521.
const P521_KEY: usize = 133;

/// The library's aws-lc provider, with two more curves for verification.
#[derive(Default)]
pub(super) struct Curves {
    base: AwsLcRsProvider,
    crypto: Crypto,
}

impl RTCCryptoProvider for Curves {
    fn name(&self) -> &'static str {
        "aws-lc-rs, P-224, P-521"
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        &self.crypto
    }

    fn random(&self) -> &dyn RTCRandom {
        self.base.random()
    }
}

#[derive(Default)]
struct Crypto(AwsLcRsCrypto);

impl Crypto {
    /// The algorithm to verify with a P-521 key; none for other schemes.
    fn p521(scheme: SignatureScheme) -> Option<&'static dyn VerificationAlgorithm> {
        match scheme {
            SignatureScheme::EcdsaP256Sha256 => Some(&ECDSA_P521_SHA256_ASN1),
            SignatureScheme::EcdsaP384Sha384 => Some(&ECDSA_P521_SHA384_ASN1),
            _ => None,
        }
    }

    /// The digest that an ECDSA scheme signs; none for other schemes.
    fn digest(scheme: SignatureScheme, message: &[u8]) -> Option<aws_lc_rs::digest::Digest> {
        let algorithm = match scheme {
            SignatureScheme::EcdsaP256Sha256 => &aws_lc_rs::digest::SHA256,
            SignatureScheme::EcdsaP384Sha384 => &aws_lc_rs::digest::SHA384,
            _ => return None,
        };
        Some(aws_lc_rs::digest::digest(algorithm, message))
    }
}

impl RTCCrypto for Crypto {
    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        key: PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        match key.bytes.len() {
            P224_KEY if let Some(digest) = Self::digest(scheme, message) => {
                let key =
                    VerifyingKey::from_sec1_bytes(key.bytes).map_err(|_| CryptoError::InvalidPublicKey)?;
                let signature =
                    DerSignature::try_from(signature).map_err(|_| CryptoError::InvalidSignature)?;
                key.verify_prehash(digest.as_ref(), &signature).map_err(|_| CryptoError::InvalidSignature)
            }
            P521_KEY if let Some(algorithm) = Self::p521(scheme) => {
                UnparsedPublicKey::new(algorithm, key.bytes)
                    .verify(message, signature)
                    .map_err(|_| CryptoError::InvalidSignature)
            }
            _ => self.0.verify_signature(scheme, key, message, signature),
        }
    }

    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        self.0.supports(algorithm)
    }

    fn hash(&self, algorithm: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.0.hash(algorithm, data)
    }

    fn block_encrypt(
        &self,
        algorithm: BlockCipherAlgorithm,
        key: &[u8],
        block: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.0.block_encrypt(algorithm, key, block)
    }

    fn new_hmac(&self, algorithm: HmacAlgorithm, key: &[u8]) -> Result<Box<dyn Mac>, CryptoError> {
        self.0.new_hmac(algorithm, key)
    }

    fn new_stream_cipher(
        &self,
        algorithm: StreamCipherAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn StreamCipher>, CryptoError> {
        self.0.new_stream_cipher(algorithm, key)
    }

    fn new_aead(&self, algorithm: AeadAlgorithm, key: &[u8]) -> Result<Box<dyn AeadCipher>, CryptoError> {
        self.0.new_aead(algorithm, key)
    }

    fn new_cbc(&self, algorithm: CbcAlgorithm, key: &[u8]) -> Result<Box<dyn CbcCipher>, CryptoError> {
        self.0.new_cbc(algorithm, key)
    }

    fn start_key_exchange(
        &self,
        algorithm: KeyExchangeAlgorithm,
    ) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        self.0.start_key_exchange(algorithm)
    }

    fn generate_signing_key(&self, scheme: SignatureScheme) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.0.generate_signing_key(scheme)
    }

    fn import_signing_key(
        &self,
        scheme: SignatureScheme,
        pkcs8: &[u8],
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.0.import_signing_key(scheme, pkcs8)
    }
}
