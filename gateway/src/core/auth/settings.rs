//! Settings of authentication.

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::flags;

/// Settings of authentication: secrets and trusted token issuers.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct AuthSettings {
    /// Let everyone publish without a secret, from any address
    #[arg(long, env = "LIANMAI_OPEN", value_name = "BOOL", default_value = "false", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = flags::switch())]
    pub open: bool,

    /// Secret that publishers send as ?secret=…; empty: made at the first start and kept in the data folder
    #[arg(long, env = "LIANMAI_SECRET", value_name = "TEXT", default_value = "", hide_env_values = true)]
    pub secret: String,

    /// Secret of the operator, for the API; empty: made at the first start and kept in the data folder
    #[arg(
        long,
        env = "LIANMAI_OPERATOR_SECRET",
        value_name = "TEXT",
        default_value = "",
        hide_env_values = true
    )]
    pub operator_secret: String,

    /// Secret that players send as ?secret=… (the publish secret works too); empty: everyone may play
    #[arg(
        long,
        env = "LIANMAI_PLAY_SECRET",
        value_name = "TEXT",
        default_value = "",
        hide_env_values = true
    )]
    pub play_secret: String,

    /// Key that signs addresses for publishers (?expires=…&sig=… or ?txSecret=…&txTime=…); empty: no such addresses
    #[arg(
        long,
        env = "LIANMAI_PUBLISH_URL_KEY",
        value_name = "TEXT",
        default_value = "",
        hide_env_values = true
    )]
    pub publish_url_key: String,

    /// Key that signs addresses for viewers in the same way; if it is set, viewers need such an address or a secret
    #[arg(
        long,
        env = "LIANMAI_PLAY_URL_KEY",
        value_name = "TEXT",
        default_value = "",
        hide_env_values = true
    )]
    pub play_url_key: String,

    /// JWKS URLs or files of trusted token issuers, such as a site with the WordPress plugin; PREFIX/=URL trusts an
    /// issuer for streams below that prefix only. Publishing then needs a token or the secret, on this machine too
    #[arg(
        id = "auth_jwks",
        long = "auth-jwks",
        env = "LIANMAI_AUTH_JWKS",
        value_name = "URL,FILE",
        value_delimiter = ','
    )]
    #[serde(rename = "auth_jwks")]
    pub jwks: Vec<String>,

    /// Audience (aud) that tokens must name
    #[arg(
        id = "auth_audience",
        long = "auth-audience",
        env = "LIANMAI_AUTH_AUDIENCE",
        value_name = "TEXT",
        default_value = "lianmai"
    )]
    #[serde(rename = "auth_audience")]
    pub audience: String,

    /// Issuer (iss) that tokens must name; empty: any issuer with a trusted key
    #[arg(
        id = "auth_issuer",
        long = "auth-issuer",
        env = "LIANMAI_AUTH_ISSUER",
        value_name = "TEXT",
        default_value = ""
    )]
    #[serde(rename = "auth_issuer")]
    pub issuer: String,

    /// Require a token or a secret from viewers, too
    #[arg(id = "auth_play", long = "auth-play", env = "LIANMAI_AUTH_PLAY", value_name = "BOOL", default_value = "false", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = flags::switch())]
    #[serde(rename = "auth_play")]
    pub play: bool,

    /// Let the issuers of auth_jwks without a prefix sign tokens for operators (act: operate), too
    #[arg(id = "auth_operate", long = "auth-operate", env = "LIANMAI_AUTH_OPERATE", value_name = "BOOL", default_value = "false", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = flags::switch())]
    #[serde(rename = "auth_operate")]
    pub operate: bool,
}

impl Default for AuthSettings {
    fn default() -> Self {
        flags::defaults()
    }
}
