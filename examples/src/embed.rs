//! Runs the gateway inside a program, with settings from code and the demo stream.
//!
//! `embed [HTTP-ADDRESS]`; Ctrl+C ends the gateway, and then the program.

use std::error::Error;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use gateway::flags::Listen;
use gateway::serve;
use gateway::settings::Settings;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let http = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let data = std::env::temp_dir().join(format!("lianmai-embed-{}", std::process::id()));
    let ready_file = data.join("ready.json");
    let settings = settings(&http, &data, &ready_file)?;

    // The gateway starts a thread per core for its connections; this thread only accepts them, and stays free for the
    // program's own tasks.
    let mut gateway = pin!(serve::run(settings));
    let ready = tokio::select! {
        ended = &mut gateway => return ended.map_err(Into::into),
        ready = wait_until_ready(&ready_file) => ready?,
    };
    println!("the gateway listens on {ready}");

    // Here the program would do its own work. The gateway ends on SIGINT or SIGTERM.
    gateway.await?;
    println!("the gateway has ended");
    let _ = std::fs::remove_dir_all(&data);
    Ok(())
}

/// Everything that is not named here has its default. Port 0 takes a free port.
fn settings(http: &str, data: &Path, ready_file: &Path) -> Result<Settings, Box<dyn Error>> {
    let mut settings =
        Settings { data: data.to_owned(), ready_file: ready_file.to_owned(), ..Settings::default() };
    settings.http.http = vec![http.parse()?];
    settings.http.https = Listen(None);
    settings.rtmp.addr = "127.0.0.1:0".parse()?;
    settings.webrtc.addr = "127.0.0.1:0".parse()?;
    settings.demo.demo = true;
    Ok(settings)
}

/// The gateway writes its addresses into the ready file as soon as it listens.
async fn wait_until_ready(file: &Path) -> Result<Value, Box<dyn Error>> {
    loop {
        if let Ok(text) = std::fs::read_to_string(file) {
            return Ok(serde_json::from_str(&text)?);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
