//! `lianmai console`: makes a link to the console.

use std::fs;
use std::io;
use std::path::PathBuf;

use gateway::api::CONSOLE_TTL;
use gateway::core::auth::{Right, SigningKey, TokenRequest};
use gateway::serve::CONSOLE_FILE;
use gateway::settings;

/// Options of `lianmai console`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// Address of the gateway's pages, such as https://live.example.com; default: where the gateway of the data folder
    /// listens
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Person who uses the link; appears in the log and in the list of logins
    #[arg(long, value_name = "TEXT", default_value = "operator")]
    sub: String,
    /// The data folder of the gateway
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// File with the settings; by default ./lianmai.toml, if it exists
    #[arg(long, env = "LIANMAI_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Returns the link.
pub(crate) fn run(args: &Args) -> Result<String, String> {
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let settings =
        settings::from_surroundings(args.config.as_deref(), variables).map_err(|e| e.to_string())?.settings;
    let data = args.data.as_ref().unwrap_or(&settings.data);
    let pages = match &args.url {
        Some(url) => url.clone(),
        None => match fs::read_to_string(data.join(CONSOLE_FILE)) {
            Ok(address) => address,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(format!(
                    "no gateway runs with the data folder {}: start it, or name its folder by --data or its address by --url",
                    data.display()
                ));
            }
            Err(error) => return Err(format!("{}: {error}", data.join(CONSOLE_FILE).display())),
        },
    };
    // The issuer is not checked for the gateway's own key.
    let token = SigningKey::kept(data)?.mint(&TokenRequest {
        issuer: "lianmai",
        audience: &settings.auth.audience,
        subject: &args.sub,
        right: Right::Operate,
        ttl: CONSOLE_TTL,
    })?;
    Ok(format!("{}/console/#{token}", pages.trim().trim_end_matches('/')))
}
