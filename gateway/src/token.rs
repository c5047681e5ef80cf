//! `lianmai token`: creates tokens by hand.

use std::path::PathBuf;

use clap::ValueEnum;
use gateway::core::auth::{Act, Right, SigningKey, TokenRequest};
use gateway::core::hub::StreamName;
use gateway::settings;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Action {
    Publish,
    Play,
    Operate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RoomRole {
    Host,
    Guest,
    Audience,
}

/// Options of `lianmai token`. The settings give the defaults, so that a gateway with the same settings accepts the token.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// Stream, as app/name
    #[arg(long, value_name = "APP/NAME", requires = "act", conflicts_with = "room")]
    stream: Option<String>,
    /// Action that the token allows: to publish or play a stream, or to operate the gateway by its API
    #[arg(long, value_enum, required_unless_present_any = ["jwks", "room"], conflicts_with = "room")]
    act: Option<Action>,
    /// Room that the token lets its holder join, instead of a stream
    #[arg(long, value_name = "NAME", requires = "role")]
    room: Option<String>,
    /// Role in the room
    #[arg(long, value_enum, requires = "room")]
    role: Option<RoomRole>,
    /// Seconds until the token expires; it is valid once, and a running connection continues
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    ttl: i64,
    /// Person who uses the token; appears in the gateway's log
    #[arg(long, value_name = "TEXT", default_value = "operator")]
    sub: String,
    /// Gateway that accepts the token (aud); default: the setting auth_audience
    #[arg(long, value_name = "TEXT")]
    audience: Option<String>,
    /// Issuer of the token (iss); default: the setting auth_issuer, or lianmai
    #[arg(long, value_name = "TEXT")]
    issuer: Option<String>,
    /// The gateway's data folder with the key, which is made at the first use
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Another private key, a PEM file (openssl genpkey -algorithm ed25519)
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Print the public key (as a JWKS, for other gateways) instead of a token
    #[arg(long, conflicts_with_all = ["stream", "act", "room", "role"])]
    jwks: bool,
    /// File with the settings; by default ./lianmai.toml, if it exists
    #[arg(long, env = "LIANMAI_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Returns the text to print: a token or a key set.
pub(crate) fn run(args: &Args) -> Result<String, String> {
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let config =
        settings::from_surroundings(args.config.as_deref(), variables).map_err(|e| e.to_string())?.settings;
    let key = match &args.key {
        Some(file) => SigningKey::of_file(file)?,
        None => {
            let data = args.data.as_ref().unwrap_or(&config.data);
            settings::check_data_folder(data)?;
            SigningKey::kept(data)?
        }
    };
    let stream =
        args.stream.as_ref().map(|name| StreamName::parse(name).map_err(|error| format!("{name}: {error}")));
    let stream = stream.transpose()?;
    let right = match (&stream, args.act, &args.room, args.role) {
        (Some(stream), Some(Action::Publish), ..) => Right::Stream { stream, act: Act::Publish },
        (Some(stream), Some(Action::Play), ..) => Right::Stream { stream, act: Act::Play },
        (None, Some(Action::Operate), ..) => Right::Operate,
        (Some(_), Some(Action::Operate), ..) => {
            return Err("an operator's token is for the whole gateway: leave out --stream".to_owned());
        }
        (None, Some(_), ..) => return Err("to publish or play needs --stream APP/NAME".to_owned()),
        (_, _, Some(room), Some(role)) => {
            // A room is named like an application.
            StreamName::new(room, "x").map_err(|error| format!("{room}: {error}"))?;
            let role = match role {
                RoomRole::Host => "host",
                RoomRole::Guest => "guest",
                RoomRole::Audience => "audience",
            };
            Right::Room { room, role }
        }
        _ => return key.jwks(),
    };
    let usual = if config.auth.issuer.is_empty() { "lianmai" } else { &config.auth.issuer };
    key.mint(&TokenRequest {
        issuer: args.issuer.as_deref().unwrap_or(usual),
        audience: args.audience.as_deref().unwrap_or(&config.auth.audience),
        subject: &args.sub,
        right,
        ttl: args.ttl,
    })
}
