//! Uploads large objects in parts.

use bytes::Bytes;
use object_store::PutMultipartOptions;
use object_store::multipart::{MultipartStore as _, PartId};

use super::error::StoreError;
use super::{Content, Store};

/// Minimum size of a part that is not the last one (Amazon S3).
pub const MIN_PART: u64 = 5 << 20;

/// A part that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part(pub String);

impl Store {
    /// Begins to upload an object in parts. Returns the id of the upload.
    ///
    /// # Errors
    /// The store refuses or is away.
    pub async fn begin_parts(&self, name: &str, content: Content) -> Result<String, StoreError> {
        let (path, client) = (self.path(name)?, self.0.client.clone());
        let options =
            PutMultipartOptions { attributes: content.attributes(), ..PutMultipartOptions::default() };
        let begin = async move { client.create_multipart_opts(&path, options).await };
        self.0.thread.run(begin).await.map_err(StoreError::of_write)
    }

    /// Uploads a part: the number of the first one is 0.
    ///
    /// # Errors
    /// The store refuses, does not know the upload (any more), or is away.
    pub async fn put_part(
        &self,
        name: &str,
        id: &str,
        number: usize,
        bytes: Bytes,
    ) -> Result<Part, StoreError> {
        let (path, client, id) = (self.path(name)?, self.0.client.clone(), id.to_owned());
        let put = async move { client.put_part(&path, &id, number, bytes.into()).await };
        Ok(Part(self.0.thread.run(put).await?.content_id))
    }

    /// Makes an object of the parts.
    ///
    /// # Errors
    /// The same as [`Store::put_part`].
    pub async fn finish_parts(&self, name: &str, id: &str, parts: &[Part]) -> Result<(), StoreError> {
        let (path, client, id) = (self.path(name)?, self.0.client.clone(), id.to_owned());
        let parts = parts.iter().map(|part| PartId { content_id: part.0.clone() }).collect();
        let finish = async move { client.complete_multipart(&path, &id, parts).await.map(drop) };
        self.0.thread.run(finish).await
    }

    /// Gives an upload up, so that its parts use no space.
    ///
    /// # Errors
    /// The store refuses or is away.
    pub async fn abort_parts(&self, name: &str, id: &str) -> Result<(), StoreError> {
        let (path, client, id) = (self.path(name)?, self.0.client.clone(), id.to_owned());
        self.0.thread.run(async move { client.abort_multipart(&path, &id).await }).await
    }
}
