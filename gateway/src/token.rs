//! `lianmai token`: tokens by hand.

use std::path::PathBuf;

use clap::ValueEnum;
use gateway::core::auth::{Act, SigningKey, Wish};
use gateway::core::hub::StreamName;
use gateway::settings;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Action {
    Publish,
    Play,
}

/// What is asked for. What is not said is as the settings are, so that the gateway beside it takes the token.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// The stream it is for, as app/name
    #[arg(long, value_name = "APP/NAME", required_unless_present = "jwks")]
    stream: Option<String>,
    /// What it is for
    #[arg(long, value_enum, required_unless_present = "jwks")]
    act: Option<Action>,
    /// Seconds in which it can be used, once: who has begun goes on
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    ttl: i64,
    /// Whom it is for; stands in the gateway's log
    #[arg(long, value_name = "TEXT", default_value = "operator")]
    sub: String,
    /// Which gateway it is for; as the setting auth_audience
    #[arg(long, value_name = "TEXT")]
    audience: Option<String>,
    /// Who makes it; as the setting auth_issuer, or lianmai
    #[arg(long, value_name = "TEXT")]
    issuer: Option<String>,
    /// The gateway's data folder, where the key is kept; made at the first use
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Another private key, a PEM file (openssl genpkey -algorithm ed25519)
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Print the public key as a set (JWKS) for other gateways, and no token
    #[arg(long, conflicts_with_all = ["stream", "act"])]
    jwks: bool,
    /// The file with the settings; ./lianmai.toml is read where it is there
    #[arg(long, env = "LIANMAI_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What is to be printed.
pub(crate) fn run(args: &Args) -> Result<String, String> {
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let config = settings::from_surroundings(args.config.as_deref(), variables).map_err(|e| e.to_string())?;
    let key = match &args.key {
        Some(file) => SigningKey::of_file(file)?,
        None => SigningKey::kept(args.data.as_ref().unwrap_or(&config.data))?,
    };
    let (Some(stream), Some(action)) = (&args.stream, args.act) else { return key.jwks() };
    let stream = StreamName::parse(stream).map_err(|error| format!("{stream}: {error}"))?;
    let usual = if config.auth_issuer.is_empty() { "lianmai" } else { &config.auth_issuer };
    key.mint(&Wish {
        issuer: args.issuer.as_deref().unwrap_or(usual),
        audience: args.audience.as_deref().unwrap_or(&config.auth_audience),
        subject: &args.sub,
        stream: &stream,
        act: match action {
            Action::Publish => Act::Publish,
            Action::Play => Act::Play,
        },
        ttl: args.ttl,
    })
}
