//! Settings of the object store.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::flags;

/// Settings of the object store.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct StoreSettings {
    /// Object store with the interface of Amazon S3, to which recordings are uploaded: s3://BUCKET or
    /// s3://BUCKET/PREFIX; empty: none
    #[arg(
        long,
        env = "LIANMAI_STORE_URL",
        value_name = "URL",
        default_value = "",
        help_heading = "Object store"
    )]
    pub store_url: String,

    /// Address of the store's server, such as <https://s3.example.com>; empty: that of Amazon in store_region
    #[arg(
        long,
        env = "LIANMAI_STORE_ENDPOINT",
        value_name = "URL",
        default_value = "",
        help_heading = "Object store"
    )]
    pub store_endpoint: String,

    /// Region that the store expects in signatures
    #[arg(
        long,
        env = "LIANMAI_STORE_REGION",
        value_name = "TEXT",
        default_value = "us-east-1",
        help_heading = "Object store"
    )]
    pub store_region: String,

    /// Name of the store's access key
    #[arg(
        long,
        env = "LIANMAI_STORE_ACCESS_KEY",
        value_name = "TEXT",
        default_value = "",
        hide_env_values = true,
        help_heading = "Object store"
    )]
    pub store_access_key: String,

    /// The secret part of the store's access key; set it by a variable, in the settings file, or by
    /// store_secret_key_file
    #[arg(
        long,
        env = "LIANMAI_STORE_SECRET_KEY",
        value_name = "TEXT",
        default_value = "",
        hide_env_values = true,
        help_heading = "Object store"
    )]
    pub store_secret_key: String,

    /// File that contains the secret part of the store's access key
    #[arg(long, env = "LIANMAI_STORE_SECRET_KEY_FILE", value_name = "FILE", default_value = "",
          value_parser = flags::path, help_heading = "Object store")]
    pub store_secret_key_file: PathBuf,

    /// Address under which viewers and CDNs find the store's content of store_url; empty: the content is not public
    #[arg(
        long,
        env = "LIANMAI_STORE_PUBLIC_URL",
        value_name = "URL",
        default_value = "",
        help_heading = "Object store"
    )]
    pub store_public_url: String,

    /// Upload finished recordings
    #[arg(long, env = "LIANMAI_STORE_RECORDS", value_name = "BOOL", default_value = "true", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = flags::switch(),
          help_heading = "Object store")]
    pub store_records: bool,

    /// Seconds for which an uploaded recording stays on this machine, too
    #[arg(
        long,
        env = "LIANMAI_STORE_KEEP_LOCAL",
        value_name = "SECONDS",
        default_value_t = 3600,
        help_heading = "Object store"
    )]
    pub store_keep_local: u64,

    /// Send viewers of uploaded recordings to the store by signed addresses; false: the gateway passes the bytes on
    #[arg(long, env = "LIANMAI_STORE_REDIRECT", value_name = "BOOL", default_value = "false", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = flags::switch(),
          help_heading = "Object store")]
    pub store_redirect: bool,

    /// Upload the HLS segments and playlists of all streams, for CDNs
    #[arg(long, env = "LIANMAI_STORE_HLS", value_name = "BOOL", default_value = "false", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = flags::switch(),
          help_heading = "Object store")]
    pub store_hls: bool,
}

impl Default for StoreSettings {
    fn default() -> Self {
        flags::defaults()
    }
}
