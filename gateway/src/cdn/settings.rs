//! Settings of the CDN.

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::flags;

/// How the addresses of a CDN are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CdnSign {
    /// Not at all.
    #[default]
    None,
    /// `?txSecret=…&txTime=…`, as by Tencent Cloud.
    Tencent,
    /// `?auth_key=…`, type A, as by Alibaba Cloud.
    Aliyun,
}

/// Settings of the CDN.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct CdnSettings {
    /// Address of a CDN that has the streams of this gateway, for POST /api/v1/addresses; empty: none
    #[arg(long, env = "LIANMAI_CDN_URL", value_name = "URL", default_value = "", help_heading = "CDN")]
    pub cdn_url: String,

    /// How the CDN's addresses are signed: none, tencent (txSecret, txTime), or aliyun (type A, `auth_key`)
    #[arg(
        long,
        env = "LIANMAI_CDN_SIGN",
        value_name = "FORM",
        value_enum,
        default_value = "none",
        help_heading = "CDN"
    )]
    pub cdn_sign: CdnSign,

    /// Key that signs the CDN's addresses, as it is set at the CDN
    #[arg(
        long,
        env = "LIANMAI_CDN_KEY",
        value_name = "TEXT",
        default_value = "",
        hide_env_values = true,
        help_heading = "CDN"
    )]
    pub cdn_key: String,
}

impl Default for CdnSettings {
    fn default() -> Self {
        flags::defaults()
    }
}
