//! Reads a stream's frames over HTTP-FLV and prints one line for each.
//!
//! `watch HOST:PORT APP/STREAM [FRAMES]`

use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use bytes::Bytes;
use media::flv::{Demuxer, Event};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (host, stream, mut left) = match args.as_slice() {
        [host, stream] => (host, stream, u64::MAX),
        [host, stream, frames] => (host, stream, frames.parse()?),
        _ => return Err("usage: watch HOST:PORT APP/STREAM [FRAMES]".into()),
    };
    let mut socket = TcpStream::connect(host)?;
    // HTTP/1.0, so that the response comes without chunks.
    write!(socket, "GET /{stream}.flv HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut response = BufReader::new(socket);
    read_head(&mut response)?;

    let mut demuxer = Demuxer::new();
    let mut buffer = [0; 16 * 1024];
    while left > 0 {
        let n = response.read(&mut buffer)?;
        if n == 0 {
            return Err("the stream has ended".into());
        }
        demuxer.push(Bytes::copy_from_slice(&buffer[..n]));
        while let Some(event) = demuxer.next() {
            match event {
                Ok(Event::Frame(frame)) if left > 0 => {
                    left -= 1;
                    println!(
                        "{:>12} us  {:5}  {:<5} {:>7} bytes{}",
                        frame.dts,
                        if frame.is_video() { "video" } else { "audio" },
                        frame.config.codec.name(),
                        frame.data.len(),
                        if frame.is_video() && frame.key { "  key frame" } else { "" },
                    );
                }
                Ok(_) => {}
                // Only this tag cannot be read; the next ones can.
                Err(error) => eprintln!("skipped: {error}"),
            }
        }
    }
    Ok(())
}

/// Reads the head of the response, up to the empty line. Fails unless the status is 200.
fn read_head(response: &mut BufReader<TcpStream>) -> Result<(), Box<dyn Error>> {
    let mut status = String::new();
    response.read_line(&mut status)?;
    let mut line = String::new();
    while response.read_line(&mut line)? > 2 {
        line.clear();
    }
    if status.split(' ').nth(1) == Some("200") { Ok(()) } else { Err(status.trim().into()) }
}
