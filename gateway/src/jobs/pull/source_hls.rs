//! Reads HLS with segments in MPEG-TS, at the pace of its timestamps.

use std::time::Duration;

use media::hls::playlist::{self, Media, Playlist};
use media::ts::{Demuxer, Event};
use tokio::time::{Instant, sleep_until};

use super::feed::{Feed, SourceError};
use super::pace::Pace;
use super::source::SourceSetup;
use super::source_rtmp::IDLE_TIMEOUT;
use crate::remote::{RemoteAddress, RemoteError};

/// Maximum size of a playlist in bytes.
const MAX_PLAYLIST: usize = 1 << 20;
/// Largest number of a playlist's first segment: counting on from there reaches no limit of the type.
const MAX_SEQUENCE: u64 = 1 << 62;
/// Number of segments from the end of a live playlist at which reading begins.
const BEHIND: usize = 2;
/// Shortest interval between two requests for the playlist.
const SHORTEST_RELOAD: Duration = Duration::from_millis(500);
/// A playlist without a new segment for this number of reloads is at its end.
const MAX_STALE_RELOADS: u32 = 20;

/// Receives until the playlist ends.
///
/// # Errors
/// The same as [`super::source::receive`].
pub(super) async fn receive(
    address: &RemoteAddress,
    setup: SourceSetup<'_>,
    feed: &mut Feed<'_>,
) -> Result<(), SourceError> {
    let links = setup.dialer.for_links_of(address).await?;
    let setup = SourceSetup { dialer: &links, ..setup };
    let (mut address, mut media) = first_playlist(address, setup).await?;
    let mut reader = Reader { demuxer: Demuxer::new(), pace: Pace::default() };
    let mut next =
        media.sequence + if media.ended { 0 } else { media.segments.len().saturating_sub(BEHIND) as u64 };
    let mut stale = 0;
    loop {
        let loaded = Instant::now();
        stale += 1;
        for (number, segment) in (media.sequence..).zip(&media.segments) {
            if number < next {
                continue;
            }
            if segment.map.is_some() || segment.encrypted || segment.range.is_some() {
                let words = "the playlist has segments in fragmented MP4, encrypted ones or byte ranges: only \
                             MPEG-TS is pulled";
                return Err(RemoteError::refused(words).into());
            }
            let segment = address.join(&segment.uri)?;
            let mut body = setup.dialer.get(&segment).await?;
            while let Some(bytes) = body.next(IDLE_TIMEOUT).await? {
                reader.demuxer.push(bytes);
                reader.pass(feed).await?;
            }
            (next, stale) = (number + 1, 0);
        }
        if media.ended {
            reader.demuxer.flush();
            reader.pass(feed).await?;
            return Ok(());
        }
        if stale > MAX_STALE_RELOADS {
            return Err(RemoteError::new("the playlist has no new segments").into());
        }
        let target = Duration::from_micros(u64::try_from(media.target).unwrap_or(0));
        sleep_until(loaded + (target / 2).max(SHORTEST_RELOAD)).await;
        (address, media) = load(&address, setup).await?;
        // A playlist that begins anew has lower numbers.
        let end = media.sequence + media.segments.len() as u64;
        if end < next {
            next = media.sequence;
        }
    }
}

/// Loads a playlist, and follows a master playlist to its best variant.
async fn first_playlist(
    address: &RemoteAddress,
    setup: SourceSetup<'_>,
) -> Result<(RemoteAddress, Media), SourceError> {
    match parse(address, setup).await? {
        (address, Playlist::Media(media)) => Ok((address, media)),
        (address, Playlist::Master(master)) => {
            let best = master.variants.iter().max_by_key(|variant| variant.bandwidth);
            let best = best.ok_or_else(|| RemoteError::refused("the playlist has no variants"))?;
            let address = address.join(&best.uri)?;
            load(&address, setup).await
        }
    }
}

/// Loads a playlist of segments. Returns it with its address, which may have changed.
async fn load(
    address: &RemoteAddress,
    setup: SourceSetup<'_>,
) -> Result<(RemoteAddress, Media), SourceError> {
    match parse(address, setup).await? {
        (address, Playlist::Media(media)) => Ok((address, media)),
        (_, Playlist::Master(_)) => Err(RemoteError::refused("a variant is a master playlist").into()),
    }
}

async fn parse(
    address: &RemoteAddress,
    setup: SourceSetup<'_>,
) -> Result<(RemoteAddress, Playlist), SourceError> {
    let body = setup.dialer.get(address).await?;
    let address = body.address.clone();
    let text = body.text(MAX_PLAYLIST, IDLE_TIMEOUT).await?;
    let parsed = playlist::parse(&text);
    let parsed = parsed.map_err(|error| RemoteError::new(&format!("the playlist is not valid: {error}")))?;
    if matches!(&parsed, Playlist::Media(media) if media.sequence > MAX_SEQUENCE) {
        return Err(
            RemoteError::new("the playlist is not valid: its segments have no possible numbers").into()
        );
    }
    Ok((address, parsed))
}

/// Reads segments, and passes their frames on at the pace of their timestamps.
struct Reader {
    demuxer: Demuxer,
    pace: Pace,
}

impl Reader {
    async fn pass(&mut self, feed: &mut Feed<'_>) -> Result<(), SourceError> {
        while let Some(event) = self.demuxer.next() {
            match event {
                Ok(Event::Frame(frame)) => {
                    self.pace.wait(&frame).await;
                    feed.frame(frame)?;
                }
                Ok(Event::Tracks { .. }) => {}
                Err(why) => feed.bad_frame(&why),
            }
        }
        Ok(())
    }
}
