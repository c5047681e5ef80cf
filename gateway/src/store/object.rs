//! Reads, writes and deletes objects.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use object_store::path::Path;
use object_store::signer::Signer as _;
use object_store::{
    Attribute, Attributes, GetOptions, GetRange, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions,
    UpdateVersion,
};
use tokio::sync::mpsc;

use super::Store;
use super::error::{StoreError, StoreErrorKind};

/// Pieces of an object that wait for its reader.
const MAX_PIECES: usize = 2;

/// How an object is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// The content type.
    pub kind: &'static str,
    /// The value of `Cache-Control`.
    pub cache: &'static str,
}

impl Content {
    pub(super) fn attributes(self) -> Attributes {
        let entries = [(Attribute::ContentType, self.kind), (Attribute::CacheControl, self.cache)];
        entries.into_iter().collect()
    }
}

/// What is in an object's place before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// Anything.
    Any,
    /// Nothing.
    Nothing,
    /// The version with this tag.
    Version(String),
}

/// An object that was read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The bytes.
    pub bytes: Bytes,
    /// The tag of this version.
    pub tag: String,
}

/// The bytes of an object, piece by piece.
#[derive(Debug)]
pub struct ObjectReader {
    /// The size of the whole object.
    pub size: u64,
    /// The range that is read.
    pub range: Range<u64>,
    pieces: mpsc::Receiver<Result<Bytes, StoreError>>,
}

impl ObjectReader {
    /// Returns the next bytes; `None` at the end.
    ///
    /// # Errors
    /// The store breaks off.
    pub async fn next(&mut self) -> Option<Result<Bytes, StoreError>> {
        self.pieces.recv().await
    }
}

fn missing_tag() -> StoreError {
    StoreError::new(StoreErrorKind::Refused, "the store gives its objects no tags (ETag)")
}

impl Store {
    pub(super) fn path(&self, name: &str) -> Result<Path, StoreError> {
        let key = self.0.place.key(name);
        Path::parse(&key).map_err(|error| StoreError::new(StoreErrorKind::Refused, &error.to_string()))
    }

    /// Writes an object. Returns the tag of the new version.
    ///
    /// # Errors
    /// The store refuses, is away, or something else than `expect` is there.
    pub async fn put(
        &self,
        name: &str,
        bytes: Bytes,
        content: Content,
        expect: Expect,
    ) -> Result<String, StoreError> {
        let path = self.path(name)?;
        let mode = match expect {
            Expect::Any => PutMode::Overwrite,
            Expect::Nothing => PutMode::Create,
            Expect::Version(tag) => PutMode::Update(UpdateVersion { e_tag: Some(tag), version: None }),
        };
        let options = PutOptions { mode, attributes: content.attributes(), ..PutOptions::default() };
        let client = self.0.client.clone();
        let put = async move { client.put_opts(&path, bytes.into(), options).await };
        self.0.thread.run(put).await.map_err(StoreError::of_write)?.e_tag.ok_or_else(missing_tag)
    }

    /// Reads a small object; `None` if it does not exist. At most `max` bytes are read.
    ///
    /// # Errors
    /// The store refuses or is away, or the object is larger.
    pub async fn get(&self, name: &str, max: u64) -> Result<Option<Found>, StoreError> {
        let (path, client) = (self.path(name)?, self.0.client.clone());
        let read = async move {
            let got = client.get(&path).await?;
            let (tag, size) = (got.meta.e_tag.clone(), got.meta.size);
            // The rest of a larger object is not read.
            let bytes = if size > max { Bytes::new() } else { got.bytes().await? };
            Ok((size, tag, bytes))
        };
        match self.0.thread.run(read).await {
            Ok((size, ..)) if size > max => {
                let words = format!("the object {name:?} has {size} bytes, more than {max}");
                Err(StoreError::new(StoreErrorKind::Refused, &words))
            }
            Ok((_, tag, bytes)) => Ok(Some(Found { bytes, tag: tag.ok_or_else(missing_tag)? })),
            Err(error) if error.kind == StoreErrorKind::Missing => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the size of an object.
    ///
    /// # Errors
    /// The object does not exist, or the store refuses or is away.
    pub async fn size(&self, name: &str) -> Result<u64, StoreError> {
        let (path, client) = (self.path(name)?, self.0.client.clone());
        Ok(self.0.thread.run(async move { client.head(&path).await }).await?.size)
    }

    /// Reads a part of an object, as its reader takes it.
    ///
    /// # Errors
    /// The object does not exist, or the store refuses or is away.
    pub async fn read(&self, name: &str, range: Range<u64>) -> Result<ObjectReader, StoreError> {
        let (path, client) = (self.path(name)?, self.0.client.clone());
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let got = self.0.thread.run(async move { client.get_opts(&path, options).await }).await?;
        let (size, range) = (got.meta.size, got.range.clone());
        let (send, pieces) = mpsc::channel(MAX_PIECES);
        self.spawn(async move {
            let mut stream = got.into_stream();
            loop {
                // A reader that has gone ends the request.
                let piece = tokio::select! {
                    piece = stream.next() => piece,
                    () = send.closed() => return,
                };
                let Some(piece) = piece else { return };
                let last = piece.is_err();
                if send.send(piece.map_err(StoreError::from)).await.is_err() || last {
                    return;
                }
            }
        });
        Ok(ObjectReader { size, range, pieces })
    }

    /// Deletes an object. An object that does not exist is no error.
    ///
    /// # Errors
    /// The store refuses or is away.
    pub async fn delete(&self, name: &str) -> Result<(), StoreError> {
        let (path, client) = (self.path(name)?, self.0.client.clone());
        match self.0.thread.run(async move { client.delete(&path).await }).await {
            Err(error) if error.kind != StoreErrorKind::Missing => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns an address by which anybody can read an object for a time.
    ///
    /// # Errors
    /// The name is not valid.
    pub async fn signed_url(&self, name: &str, valid: Duration) -> Result<String, StoreError> {
        let (path, client) = (self.path(name)?, self.0.client.clone());
        let sign = async move { client.signed_url(http::Method::GET, &path, valid).await };
        Ok(self.0.thread.run(sign).await?.to_string())
    }
}
