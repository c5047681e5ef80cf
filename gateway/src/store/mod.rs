//! The object store: recordings and HLS are uploaded to a bucket with the interface of Amazon S3.
//!
//! Start reading at [`Store`]. `connector` and `body` are the HTTP client below the library, `thread` is where its
//! work is done, and `place` says where in the store the content is.

mod body;
mod connector;
mod error;
mod object;
mod parts;
mod place;
mod settings;
#[cfg(test)]
mod tests;
mod thread;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

pub use self::error::{StoreError, StoreErrorKind};
pub use self::object::{Content, Expect, Found, ObjectReader};
pub use self::parts::{MIN_PART, Part};
pub use self::settings::StoreSettings;

use self::connector::Connector;
use self::place::Place;
use self::thread::StoreThread;
use crate::remote::{Dialer, RemoteSettings};
use crate::secret_file::{self, Readers};

/// Time after which a request is not repeated at once: those who send it try again later.
const RETRY_TIMEOUT: Duration = Duration::from_secs(30);

/// The content of [`Store`].
struct Inner {
    client: AmazonS3,
    place: Place,
    public_url: String,
    thread: StoreThread,
}

/// A bucket of an object store. Cloning shares it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.0.place)
    }
}

impl Store {
    /// Opens the store of the settings; `None` if they name none. Nothing is sent yet.
    ///
    /// # Errors
    /// A setting is missing or not valid; the text says which.
    pub fn open(settings: &StoreSettings, remote: &RemoteSettings) -> Result<Option<Self>, String> {
        let StoreSettings { store_url, store_endpoint, store_region, store_access_key, .. } = settings;
        if store_url.is_empty() {
            return Ok(None);
        }
        let place = Place::parse(store_url)?;
        let secret = secret_key(settings)?;
        if store_access_key.is_empty() || secret.is_empty() {
            return Err(
                "store_url needs store_access_key, and store_secret_key or store_secret_key_file".to_owned()
            );
        }
        let public_url = settings.store_public_url.trim_end_matches('/').to_owned();
        let is_address = |url: &str| url.starts_with("http://") || url.starts_with("https://");
        if !(public_url.is_empty() || is_address(&public_url)) {
            return Err(format!("store_public_url {public_url:?} must begin with https:// or http://"));
        }
        let retry = RetryConfig {
            backoff: BackoffConfig { init_backoff: Duration::from_millis(200), ..BackoffConfig::default() },
            max_retries: 1,
            retry_timeout: RETRY_TIMEOUT,
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&place.bucket)
            .with_region(store_region)
            .with_access_key_id(store_access_key)
            .with_secret_access_key(secret)
            .with_retry(retry)
            // Not every store deletes several objects with one request.
            .with_disable_bulk_delete(true)
            .with_client_options(ClientOptions::new().with_allow_http(true))
            .with_http_connector(Connector(Dialer::new(remote)?));
        if !store_endpoint.is_empty() {
            let endpoint = store_endpoint.trim_end_matches('/');
            if !is_address(endpoint) {
                return Err(format!("store_endpoint {endpoint:?} must begin with https:// or http://"));
            }
            // Some stores want the bucket in the host's name.
            let host = endpoint.split_once("://").map_or("", |(_, host)| host);
            let in_host = host.starts_with(&format!("{}.", place.bucket));
            builder = builder.with_endpoint(endpoint).with_virtual_hosted_style_request(in_host);
        }
        let client = builder.build().map_err(|error| format!("the object store cannot be used: {error}"))?;
        let thread = StoreThread::start().map_err(|error| format!("cannot start a thread: {error}"))?;
        Ok(Some(Self(Arc::new(Inner { client, place, public_url, thread }))))
    }

    /// Returns the address of the bucket and its prefix, for people.
    pub fn shown(&self) -> String {
        self.0.place.to_string()
    }

    /// Returns the public address of an object, if the store's content is public. `name` is escaped already.
    pub fn public_url(&self, name: &str) -> Option<String> {
        (!self.0.public_url.is_empty()).then(|| format!("{}/{name}", self.0.public_url))
    }

    /// Runs a task on the store's thread, until it ends or the store is dropped.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.thread.handle().spawn(task);
    }
}

fn secret_key(settings: &StoreSettings) -> Result<String, String> {
    let path = &settings.store_secret_key_file;
    if !settings.store_secret_key.is_empty() || path.as_os_str().is_empty() {
        return Ok(settings.store_secret_key.clone());
    }
    let text = secret_file::read_text(path, Readers::Owner)
        .map_err(|error| format!("cannot use {} (--store-secret-key-file): {error}", path.display()))?;
    Ok(text.trim().to_owned())
}
