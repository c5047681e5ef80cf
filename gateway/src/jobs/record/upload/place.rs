//! Where a recording is: on this machine, in the object store, or both.

use std::time::SystemTime;

/// How far the upload of a recording is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Upload {
    /// It is not to be uploaded.
    #[default]
    None,
    /// It waits for its turn, or after a failure.
    Waiting,
    /// It is being uploaded.
    Running,
    /// It is in the store since this time.
    Done {
        /// The end of the upload.
        since: SystemTime,
        /// The address of the bucket and its prefix.
        store: String,
    },
    /// It was given up.
    GivenUp,
}

impl Upload {
    /// Returns the name of the state in the API.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Waiting => "waiting",
            Self::Running => "uploading",
            Self::Done { .. } => "done",
            Self::GivenUp => "failed",
        }
    }
}

/// Where a recording is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whether the MP4 file is on this machine.
    pub local: bool,
    /// How far the upload is.
    pub upload: Upload,
    /// Why the last try to upload failed.
    pub failure: Option<String>,
}

impl Default for Place {
    fn default() -> Self {
        Self { local: true, upload: Upload::None, failure: None }
    }
}

impl Place {
    /// Returns whether the recording is in the store.
    pub const fn is_stored(&self) -> bool {
        matches!(self.upload, Upload::Done { .. })
    }
}
